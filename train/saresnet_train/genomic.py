"""Judging a scan on a real genome: which windows of a chromosome are bound, which are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.genome import Genome
from saresnet_cli.regions import read_regions
from saresnet_train.background import Interval
from saresnet_train.codes import OTHER, encode
from saresnet_train.data import DataError
from saresnet_train.network import WINDOW

SPARE = 10
"""Bases that a bound window has on each side of the summit at least."""


@dataclass(frozen=True)
class LabelledWindows:
    """Windows of a genome and whether they are bound.

    chrom, start: (n,) where each stands; codes: (n, 101) uint8 base codes;
    labels: (n,) uint8. left_out: windows that touch a peak and do not cover its
    summit; without_bases: windows with a letter other than A, C, G, T.
    """

    chrom: np.ndarray
    start: np.ndarray
    codes: np.ndarray
    labels: np.ndarray
    left_out: int
    without_bases: int


def label_windows(
    genome: Path | str, peaks: Path | str, stride: int = 50, only: tuple[Interval, ...] = ()
) -> LabelledWindows:
    """Label every window of a genome by the peaks of an experiment.

    Windows start at multiples of `stride`. One is bound when it covers a peak's
    summit (its middle where it has none) with 10 bp to spare; one that only
    touches a peak is left out; all others are not bound. only: intervals to
    judge on; without them, the sequences that hold a peak. Raises RegionError
    or GenomeError on bad input, DataError when there is no window.
    """
    touched: dict[str, list[tuple[int, int, int]]] = {}
    with Genome(genome) as fasta:
        for region in read_regions(peaks):
            middle = region.summit if region.summit is not None else (region.start + region.end) // 2
            touched.setdefault(fasta.resolve(region.chrom), []).append((region.start, region.end, middle))
        spans = [(fasta.resolve(name), start, end) for name, start, end in only] or [
            (name, 0, fasta.lengths[name]) for name in fasta.names if name in touched
        ]
        spans = [(name, low, min(high, fasta.lengths[name])) for name, low, high in spans]
        spans = [(name, low, high) for name, low, high in spans if high - low >= WINDOW]
        if not spans:
            raise DataError("no window to judge", path=peaks, cure="give peaks that lie on the genome")
        chroms, starts, codes, labels = [], [], [], []
        left_out = without = 0
        for name, low, high in spans:
            first = -(-low // stride) * stride
            place = np.arange(first, high - WINDOW + 1, stride, dtype=np.int64)
            bases = encode(fasta.fetch(name, low, high))
            unknown = np.concatenate([[0], np.cumsum(bases == OTHER)])
            clean = unknown[place - low + WINDOW] == unknown[place - low]
            bound, touching = np.zeros(len(place), bool), np.zeros(len(place), bool)
            for start, end, middle in touched.get(name, ()):
                # window [s, s + 101) overlaps [start, end): start - 101 < s < end
                touching[np.searchsorted(place, start - WINDOW, "right") : np.searchsorted(place, end, "left")] = True
                # s + 10 <= middle < s + 101 - 10
                bound[
                    np.searchsorted(place, middle - WINDOW + SPARE, "right") : np.searchsorted(
                        place, middle - SPARE, "right"
                    )
                ] = True
            judged = clean & (bound | ~touching)
            left_out += int((clean & ~judged).sum())
            without += int((~clean).sum())
            chosen = place[judged]
            chroms.append(np.full(len(chosen), name))
            starts.append(chosen)
            codes.append(np.lib.stride_tricks.sliding_window_view(bases, WINDOW)[chosen - low])
            labels.append(bound[judged].astype(np.uint8))
    return LabelledWindows(
        np.concatenate(chroms), np.concatenate(starts), np.concatenate(codes), np.concatenate(labels), left_out, without
    )
