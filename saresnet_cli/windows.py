"""Which windows a region gives, and their bases; whole arrays at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saresnet_cli.alphabet import count_ambiguous
from saresnet_cli.card import WINDOW


@dataclass(frozen=True)
class WindowPlan:
    """The windows of many regions, numbered 0 to `total` - 1 in region order, none of them made yet.

    first, last: (regions,) int64, start of each region's first and last
    window; offsets: (regions + 1,) int64, number of each region's first window.
    A region without windows has an empty range.
    """

    first: np.ndarray
    last: np.ndarray
    offsets: np.ndarray
    stride: int

    @classmethod
    def of(cls, starts: np.ndarray, ends: np.ndarray, lengths: np.ndarray, stride: int) -> WindowPlan:
        """Plan the windows of regions [starts, ends) in sequences of these lengths.

        starts, ends, lengths: (regions,) int64. A region gives windows at start,
        start + stride, … while they fit, and one flush with its end if bases
        would be left uncovered. A shorter region than a window gives one,
        centred on its midpoint and moved inside the sequence. A shorter
        sequence gives none. Raises ValueError on a stride below 1.
        """
        if stride < 1:
            raise ValueError(f"stride {stride} is not at least 1")
        short = ends - starts < WINDOW
        centred = np.clip((starts + ends) // 2 - WINDOW // 2, 0, np.maximum(lengths - WINDOW, 0))
        first = np.where(short, centred, starts)
        last = np.where(short, centred, ends - WINDOW)
        counts = np.where(lengths < WINDOW, 0, 1 + -(-(last - first) // stride))
        return cls(first, last, np.concatenate([[0], np.cumsum(counts)]), stride)

    @property
    def total(self) -> int:
        """How many windows there are."""
        return int(self.offsets[-1])

    def windows(self, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows with numbers [begin, end): region, (n,) int64, and start, (n,) int64."""
        numbers = np.arange(begin, end)
        region = np.searchsorted(self.offsets, numbers, side="right") - 1
        starts = self.first[region] + (numbers - self.offsets[region]) * self.stride
        return region, np.minimum(starts, self.last[region])


def window_starts(start: int, end: int, length: int, stride: int) -> np.ndarray:
    """Return where the windows of region [start, end) in a sequence of `length` bases start: (n,) int64.

    The rules are those of `WindowPlan.of`.
    """
    plan = WindowPlan.of(np.array([start]), np.array([end]), np.array([length]), stride)
    return plan.windows(0, plan.total)[1]


def count_unknown(bases: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return how many letters of each window are not A, C, G or T.

    bases: (length,) uint8 ASCII; starts: (n,) int64, in `bases` -> (n,) int32.
    """
    counts = count_ambiguous(bases)
    unknown: np.ndarray = counts[starts + WINDOW] - counts[starts]
    return unknown


def cut(bases: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the windows of `bases` at `starts`, copied: (n, 101) uint8 ASCII.

    bases: (length,) uint8, length >= 101; starts: (n,) int64.
    """
    windows: np.ndarray = np.lib.stride_tricks.sliding_window_view(bases, WINDOW)[starts]
    return windows
