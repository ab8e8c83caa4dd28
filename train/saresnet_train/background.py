"""The genomic background of a run: what is held out of it, and what is bound in it and left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.genome import Genome
from saresnet_train.codes import encode
from saresnet_train.loci import locate
from saresnet_train.negatives import GenomicWindows, Interval
from saresnet_train.packed import BLOCK
from saresnet_train.peaks import Peaks, read_summits
from saresnet_train.runs import Runs

MARGIN = 50
"""Bases around a bound window that no background window may touch."""


def parse_interval(text: str) -> Interval:
    """Read `chrom:start-end` (0-based, half-open; commas allowed) or `chrom`; raises SaresnetError."""
    found = re.fullmatch(r"([^:]+)(?::([\d,]+)-([\d,]+))?", text)
    if not found:
        raise SaresnetError(f"{text!r} is not an interval", cure="write chr22:44000000-51304566")
    name, start, end = found.groups()
    low = int(start.replace(",", "")) if start else 0
    high = int(end.replace(",", "")) if end else 1 << 40
    if low >= high:
        raise SaresnetError(f"{text!r} is empty", cure="start is below end")
    return name, low, high


def place(fasta: Genome, intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of intervals under the genome's own names, cut at its ends; raises GenomeError if one is beyond.

    Those that overlap or touch become one, so that no base counts twice; it stands where the first of them stood.
    """
    placed: list[Interval] = []
    for chrom, start, end in intervals:
        name = fasta.resolve(chrom)
        if start >= fasta.lengths[name]:
            raise GenomeError(f"{name} has {fasta.lengths[name]:,} bases, and none from {start:,} on", path=fasta.path)
        placed.append((name, start, min(end, fasta.lengths[name])))
    united: dict[Interval, None] = {}  # in the order of their first parts
    spans = {name: _union(placed, name) for name in {name for name, _, _ in placed}}
    for name, start, _ in placed:
        low, high = spans[name].low, spans[name].high
        run = int(np.searchsorted(low, start, side="right")) - 1
        united[name, int(low[run]), int(high[run])] = None
    return list(united)


def _union(intervals: list[Interval], name: str) -> Runs:
    there = [(start, end) for other, start, end in intervals if other == name]
    return Runs.union([start for start, _ in there], [end for _, end in there])


def around(peaks: Peaks) -> list[Interval]:
    """Return the intervals that no background window may touch: the peaks, and `MARGIN` bases on either side."""
    rows = zip(peaks.chrom.tolist(), peaks.start.tolist(), peaks.end.tolist(), strict=True)
    return [(name, start - MARGIN, end + MARGIN) for name, start, end in rows]


@dataclass(frozen=True)
class Background:
    """What a run takes its genomic windows from.

    genome: FASTA. hold_out: intervals of it that training never sees, neither as
    background nor as positives. exclude: BED or narrowPeak files of bound sites.
    """

    genome: Path
    hold_out: tuple[Interval, ...] = ()
    exclude: tuple[Path, ...] = ()

    def drop_held_out(self, positives: np.ndarray) -> np.ndarray:
        """Return the positives (n, 101) whose middle does not stand in a held-out interval."""
        if not self.hold_out:
            return positives
        keep = np.ones(len(positives), bool)
        with Genome(self.genome) as fasta:
            for name, start, end in place(fasta, self.hold_out):
                for at in range(start, end, BLOCK):  # a window's middle may lie across two blocks
                    bases = fasta.fetch(name, at, min(at + BLOCK + WINDOW, end))
                    keep &= locate(positives, encode(bases)) < 0
        return positives[keep]

    def windows(self, positives: np.ndarray, only: Iterable[Interval] = ()) -> GenomicWindows:
        """Return windows to draw negatives from: none is held out, excluded, or stands where a positive does.

        positives: (n, 101) uint8 codes, found again by their sequence. only: parts of the genome to take windows
        from, default all; there may be none in them. Raises GenomeError when there is none at all.
        """
        with Genome(self.genome) as fasta:
            known = [interval for path in self.exclude for interval in around(read_summits(path, fasta))]
            held = place(fasta, self.hold_out)
            parts = place(fasta, only)
        windows = GenomicWindows(self.genome, exclude=known, hold_out=held)
        windows, genome = windows.within(parts) if parts else windows, windows.genome
        spans = [(genome.offsets[name] + start, genome.offsets[name] + end) for name, start, end in parts]
        places = np.concatenate([locate(positives, genome, span) for span in spans or [(0, len(genome))]])
        middle = places[places >= 0] + 15  # the middle of a 31-mer is the middle of its window
        reach = WINDOW // 2 + MARGIN + WINDOW  # a window is named by its start
        return windows.without_starts(middle - reach, middle + WINDOW // 2 + MARGIN)
