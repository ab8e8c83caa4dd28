"""Peaks of an experiment on a genome: where their summits are, and how strong they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError, RegionError
from saresnet_cli.genome import Genome
from saresnet_cli.regions import are_two_regions, read_regions
from saresnet_cli.streams import open_bytes

_SIGNAL = {10: 7, 9: 7}
"""Column of the signal by the number of columns: narrowPeak and broadPeak; else it is the score of BED, column 5."""


@dataclass(frozen=True)
class Peaks:
    """Peaks in file order.

    chrom: (n,) object, the genome's own names; start, end: (n,) int64; summit: (n,) int64, the
    middle where the file has none; line: (n,) int64, in the file.
    """

    path: Path
    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    summit: np.ndarray
    line: np.ndarray

    def __len__(self) -> int:
        return len(self.summit)

    def chosen(self, rows: np.ndarray) -> Peaks:
        """Return some of the peaks: a mask or indices, in the order given."""
        columns = (self.chrom, self.start, self.end, self.summit, self.line)
        return Peaks(self.path, *(column[rows] for column in columns))

    def strongest(self, count: int) -> Peaks:
        """Return the `count` peaks of the highest signal, in file order; of equal ones the first.

        Signal is column 7 of narrowPeak and broadPeak, else column 5 (score) of BED. Raises RegionError
        on a line that has none.
        """
        with open_bytes(self.path, RegionError) as file:
            text = file.read().split(b"\n")
        signal = np.array([_signal(text[line - 1], self.path, line) for line in self.line.tolist()])
        return self.chosen(np.sort(np.argsort(-signal, kind="stable")[:count]))


def read_summits(path: Path | str, genome: Genome) -> Peaks:
    """Read the peaks of a BED or narrowPeak file, plain or gzip.

    Raises RegionError, with the line, on a peak that is not on the genome.
    """
    chrom, rows = [], []
    for region in read_regions(path):
        try:
            name = genome.resolve(region.chrom)
        except GenomeError as error:
            raise RegionError(str(error), path=path, line=region.line) from error
        if region.end > genome.lengths[name]:
            raise RegionError(
                f"end {region.end} is beyond the end of {region.chrom}, which has {genome.lengths[name]} bp in "
                f"{genome.path}",
                path=path,
                line=region.line,
                cure="use the genome that the peaks were made for",
            )
        middle = region.summit if region.summit is not None else (region.start + region.end) // 2
        chrom.append(name)
        rows.append((region.start, region.end, middle, region.line or 0))
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return Peaks(Path(path), np.array(chrom, object), *columns)


def summit_windows(peaks: Peaks, genome: Genome) -> np.ndarray:
    """Return where the window around each summit starts: (n,) int64.

    A window that would leave its sequence is moved inside; -1 in a sequence shorter than a window.
    """
    room = np.array([genome.lengths[name] for name in peaks.chrom.tolist()], np.int64) - WINDOW
    return np.where(room < 0, -1, np.clip(peaks.summit - WINDOW // 2, 0, np.maximum(room, 0)))


def _signal(text: bytes, path: Path, line: int) -> float:
    columns = text.split(b"\t") if b"\t" in text else text.split()
    column = 5 if are_two_regions(columns) else _SIGNAL.get(len(columns), 5)
    try:
        return float(columns[column - 1])
    except (IndexError, ValueError):
        raise RegionError(
            f"it has no signal in column {column} to rank by",
            path=path,
            line=line,
            cure="give narrowPeak, or BED with a score, or no --top",
        ) from None
