"""Judging a scan on a real genome: which windows of a chromosome are bound, which are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.genome import Genome
from saresnet_train.background import Interval, place
from saresnet_train.codes import OTHER, encode
from saresnet_train.data import DataError
from saresnet_train.peaks import read_summits

SPARE = 10
"""Bases that a bound window has on each side of the summit at least."""

SPAN = 1 << 21
"""Bases whose windows are labelled at a time, which bounds memory."""


@dataclass(frozen=True)
class LabelledWindows:
    """Windows of a stretch of a genome and whether they are bound.

    chrom: the sequence; start: (n,) int64, where each stands; codes: (n, 101) uint8 base codes;
    labels: (n,) uint8. left_out: windows that touch a peak and do not cover its
    summit, or that touch what is left out; without_bases: windows with a letter other than A, C, G, T.
    """

    chrom: str
    start: np.ndarray
    codes: np.ndarray
    labels: np.ndarray
    left_out: int
    without_bases: int


def label_windows(
    genome: Path | str,
    peaks: Path | str,
    stride: int = 50,
    only: tuple[Interval, ...] = (),
    leave_out: Iterable[Path | str] = (),
) -> Iterator[LabelledWindows]:
    """Label every window of a genome by the peaks of an experiment, a stretch at a time.

    Windows start at multiples of `stride`. One is bound when it covers a peak's
    summit (its middle where it has none) with 10 bp to spare; one that only
    touches a peak is left out; all others are not bound. only: intervals to
    judge on, whose union counts; without them, the sequences that hold a peak. leave_out: files of regions whose
    windows are left out. Raises RegionError or GenomeError on bad input, DataError when there is no window.
    """
    with Genome(genome) as fasta:
        bound = read_summits(peaks, fasta)
        others = [read_summits(path, fasta) for path in leave_out]
        spans = place(fasta, only) or [(name, 0, fasta.lengths[name]) for name in fasta.names if name in bound.chrom]
        spans = [(name, low, high) for name, low, high in spans if high - low >= WINDOW]
        if not spans:
            raise DataError("no window to judge", path=peaks, cure="give peaks that lie on the genome")
        for name, low, high in spans:
            here = bound.chosen(bound.chrom == name)
            out = [other.chosen(other.chrom == name) for other in others]
            for at in range(-(-low // stride) * stride, high - WINDOW + 1, SPAN // stride * stride):
                starts = np.arange(at, min(at + SPAN // stride * stride, high - WINDOW + 1), stride, dtype=np.int64)
                codes = encode(fasta.fetch(name, at, int(starts[-1]) + WINDOW))
                unknown = np.concatenate([[0], np.cumsum(codes == OTHER, dtype=np.int32)])
                clean = unknown[starts - at + WINDOW] == unknown[starts - at]
                # s + 10 <= summit < s + 101 - 10
                covering = _within(starts, here.summit - WINDOW + SPARE + 1, here.summit - SPARE + 1)
                judged = clean & (covering | ~_touching(starts, here.start, here.end))
                for region in out:
                    judged &= ~_touching(starts, region.start, region.end)
                yield LabelledWindows(
                    name,
                    starts[judged],
                    np.lib.stride_tricks.sliding_window_view(codes, WINDOW)[starts[judged] - at],
                    covering[judged].astype(np.uint8),
                    int((clean & ~judged).sum()),
                    int((~clean).sum()),
                )


def _touching(starts: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which windows overlap one of the regions [low, high): (n,) bool."""
    return _within(starts, low - WINDOW + 1, high)


def _within(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which places, (n,) ascending, lie in one of the half-open ranges: (n,) bool."""
    steps = np.zeros(len(places) + 1, np.int32)
    np.add.at(steps, np.searchsorted(places, low), 1)
    np.add.at(steps, np.searchsorted(places, high), -1)
    inside: np.ndarray = np.cumsum(steps[:-1]) > 0
    return inside
