"""The genomic background of a run: what is held out of it, and what is bound in it and left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_cli.genome import Genome
from saresnet_cli.regions import read_regions
from saresnet_train.codes import encode
from saresnet_train.loci import locate
from saresnet_train.negatives import GenomicWindows, Interval
from saresnet_train.network import WINDOW

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
            for chrom, start, end in self.hold_out:
                name = fasta.resolve(chrom)
                bases = fasta.fetch(name, start, min(end, fasta.lengths[name]))
                keep &= locate(positives, encode(bases)) < 0
        return positives[keep]

    def windows(self, positives: np.ndarray) -> GenomicWindows:
        """Return windows to draw negatives from: none is held out, excluded, or stands where a positive does."""
        known: list[Interval] = []
        with Genome(self.genome) as fasta:
            for path in self.exclude:
                for region in read_regions(path):
                    name = fasta.resolve(region.chrom)
                    known.append((name, region.start - MARGIN, region.end + MARGIN))
            held = [(fasta.resolve(name), start, end) for name, start, end in self.hold_out]
        windows = GenomicWindows(self.genome, exclude=known, hold_out=held)
        places = locate(positives, windows.codes)
        middle = places[places >= 0] + 15  # the middle of a 31-mer is the middle of its window
        reach = WINDOW // 2 + MARGIN + WINDOW  # a window is named by its start
        bound = np.zeros(len(windows.codes) + 1, np.int32)
        np.add.at(bound, np.maximum(middle - reach, 0), 1)
        np.add.at(bound, np.minimum(middle + WINDOW // 2 + MARGIN, len(bound) - 1), -1)
        windows.starts = windows.starts[np.cumsum(bound)[windows.starts] == 0]
        return windows
