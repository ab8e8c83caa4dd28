"""Binding sites: overlapping windows merged, close maxima suppressed, a summit each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.card import WINDOW

MIN_DISTANCE = WINDOW
"""Bases between the summits of a merged stretch: below a window's length, two windows show the same DNA."""


@dataclass(frozen=True, slots=True)
class Site:
    """A binding site.

    start, end, summit: bases, 0-based, half-open, start <= summit < end. model: id. name: the
    model's id and a running number. logit, pvalue: of the best window; pvalue is None without a
    background. qvalue: of that p-value, None where sites were not called by q-value.
    """

    chrom: str
    start: int
    end: int
    name: str
    model: str
    summit: int
    logit: float
    pvalue: float | None = None
    qvalue: float | None = None


class Found(NamedTuple):
    """A site without its names: number of its sequence, place, values of its best window; pvalue may be NaN."""

    sequence: int
    start: int
    end: int
    summit: int
    logit: float
    pvalue: float


class SiteFinder:
    """Turns the passing windows of one model into sites as they come; holds one run of overlapping windows.

    min_distance: least number of bases between maxima of a run that become sites of their own.
    """

    def __init__(self, min_distance: int = MIN_DISTANCE) -> None:
        if min_distance < 1:
            raise ValueError(f"min_distance {min_distance} is not at least 1")
        self._min_distance = min_distance
        self._run: list[ScoredWindows] = []

    @property
    def pending(self) -> tuple[int, int] | None:
        """Sequence and start of the run that may still grow, None when there is none."""
        return (int(self._run[0].sequence[0]), int(self._run[0].start[0])) if self._run else None

    def add(self, windows: ScoredWindows) -> list[Found]:
        """Take in windows that follow those given before; return the sites that they complete, in order."""
        if not len(windows):
            return []
        sequence, start = windows.sequence, windows.start
        breaks = (sequence[1:] != sequence[:-1]) | (start[1:] >= start[:-1] + WINDOW)
        bounds = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(windows)]
        found = self.close_before(int(sequence[0]), int(start[0]))
        for begin, end in pairwise(bounds):
            if begin:
                found += self.finish()
            self._run.append(windows.take(slice(begin, end)))
        return found

    def close_before(self, sequence: int, start: int) -> list[Found]:
        """Return the sites of the run that is held if no window from here on can belong to it."""
        if self._run:
            last = self._run[-1]
            if sequence != last.sequence[-1] or start >= last.start[-1] + WINDOW:
                return self.finish()
        return []

    def finish(self) -> list[Found]:
        """Return the sites of the run that is held, and forget it."""
        if not self._run:
            return []
        parts, self._run = self._run, []
        return split(ScoredWindows.join(parts), self._min_distance)


def split(run: ScoredWindows, min_distance: int) -> list[Found]:
    """Return the sites of one run of overlapping windows, in order.

    A maximum is a window above its neighbours in the run, or the middle of a stretch of equal
    ones. The highest is a site; so is each next one that is `min_distance` or more from those
    taken before. Between two sites the run is cut at the middle of its lowest window, so placed that
    no site holds a window above its own best.
    """
    peaks = _suppress(run.start, run.logit, _maxima(run.logit), min_distance)
    found = []
    begin, left = 0, int(run.start[0])
    for i, peak in enumerate(peaks):
        if i + 1 < len(peaks):
            valley = _valley(run.logit, peak, peaks[i + 1])
            right = int(run.start[valley]) + WINDOW // 2
        else:
            valley = len(run)
            right = int(run.start[-1]) + WINDOW
        summit = _summit(run.start[begin:valley], run.logit[begin:valley], peak - begin)
        values = float(run.logit[peak]), float(run.pvalue[peak])
        found.append(Found(int(run.sequence[0]), left, right, summit, *values))
        begin, left = valley + 1, right
    return found


def _maxima(logit: np.ndarray) -> np.ndarray:
    """Return the local maxima of heights, (n,) float64, as indices, ascending; of equal neighbours the middle one."""
    heads = np.flatnonzero(np.concatenate([[True], logit[1:] != logit[:-1]]))
    height = logit[heads]
    rises = np.concatenate([[True], height[1:] > height[:-1]])
    falls = np.concatenate([height[:-1] > height[1:], [True]])
    tails = np.concatenate([heads[1:], [len(logit)]]) - 1
    middles: np.ndarray = (heads + tails)[rises & falls] // 2
    return middles


def _suppress(start: np.ndarray, logit: np.ndarray, maxima: np.ndarray, min_distance: int) -> list[int]:
    """Drop maxima, indices in ascending order, that are nearer than `min_distance` to a higher one that stays."""
    if len(maxima) == 1:
        return [int(maxima[0])]
    places = start[maxima].tolist()
    stays = [True] * len(places)
    for i in np.argsort(-logit[maxima], kind="stable").tolist():  # of equal ones the first
        if stays[i]:
            for step in (-1, 1):
                j = i + step
                while 0 <= j < len(places) and abs(places[j] - places[i]) < min_distance:
                    stays[j] = False
                    j += step
    return [int(peak) for peak, stay in zip(maxima.tolist(), stays, strict=True) if stay]


def _valley(logit: np.ndarray, left: int, right: int) -> int:
    """Return the lowest window between two neighbouring sites' best, but on the lower one's side of all above it.

    What is above the lower one was suppressed by the higher one, and belongs to it. Beside a maximum there is always
    a lower window, so a cut lies strictly between two summits.
    """
    between = logit[left + 1 : right]
    above = np.flatnonzero(between > min(logit[left], logit[right]))
    begin, end = 0, len(between)
    if len(above):
        begin, end = (int(above[-1]) + 1, end) if logit[left] > logit[right] else (0, int(above[0]))
    return left + 1 + begin + int(np.argmin(between[begin:end]))


def _summit(start: np.ndarray, logit: np.ndarray, peak: int) -> int:
    """Return the summit: the mean middle of a site's windows that overlap its best, weighted by their odds, e^logit."""
    weight = np.exp(logit - logit[peak]) * (np.abs(start - start[peak]) < WINDOW)
    offset = np.sum(weight * (start - start[peak])) / np.sum(weight)
    return int(start[peak]) + WINDOW // 2 + round(float(offset))
