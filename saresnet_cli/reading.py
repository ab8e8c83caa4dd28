"""Reads the windows of regions from a genome, many regions at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.distinct import Distinct
from saresnet_cli.errors import GenomeError, RegionError
from saresnet_cli.genome import Genome
from saresnet_cli.pipeline import Chunk
from saresnet_cli.windows import WindowPlan, count_unknown, cut

_REGIONS_AT_ONCE = 16384
_log = logging.getLogger("saresnet")
_START_BITS = 33  # positions below 8 Gb, in keys that also hold the number of a sequence
_GAP = 1024  # bases between two windows that are read through rather than sought over


class RegionLike(Protocol):
    """What can be scanned: `regions.Region`, or an interval of pybedtools."""

    @property
    def chrom(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Rows:
    """Where the windows of a chunk lie, and what was skipped on the way to them.

    chrom: (n,) object, names as the regions gave them; start: (n,) int64;
    skipped: how many, by reason.
    """

    chrom: np.ndarray
    start: np.ndarray
    skipped: dict[str, int]


@dataclass(frozen=True)
class RegionReader:
    """Reads windows of regions.

    stride: bases between windows. max_n: largest share of letters other than A, C, G, T
    in a window. source: what errors call the file of the regions, None where there is none.
    """

    genome: Genome
    stride: int
    max_n: float
    source: str | None = None
    noun: str = "regions in sequences"

    def chunks(self, regions: Iterable[RegionLike], size: int) -> Iterator[Chunk[Rows]]:
        """Yield up to `size` windows at a time, in the order of the regions; those that coincide are read once.

        Raises RegionError for a region that is not in the genome.
        """
        regions = iter(regions)
        distinct = Distinct()
        number = {name: i << _START_BITS for i, name in enumerate(self.genome.names)}
        found = False
        while batch := list(islice(regions, _REGIONS_AT_ONCE)):
            found = True
            sequences = [self.locate(region) for region in batch]
            plan = WindowPlan.of(
                np.array([region.start for region in batch], dtype=np.int64),
                np.array([region.end for region in batch], dtype=np.int64),
                np.array([self.genome.lengths[name] for name in sequences], dtype=np.int64),
                self.stride,
            )
            chrom = np.array([region.chrom for region in batch], dtype=object)
            origin = np.array([number[name] for name in sequences], dtype=np.int64)
            short = int(np.count_nonzero(np.diff(plan.offsets) == 0))
            skipped = {f"{self.noun} shorter than {WINDOW} bp": short} if short else {}
            if not plan.total:
                yield Chunk(np.empty((0, WINDOW), np.uint8), Rows(chrom[:0], np.empty(0, np.int64), skipped))
            for begin in range(0, plan.total, size):
                region, start = plan.windows(begin, min(begin + size, plan.total))
                bases, offsets = self._read(sequences, region, start)
                known = np.flatnonzero(count_unknown(bases, offsets) <= self.max_n * WINDOW)
                if len(known) < len(start):
                    skipped[f"windows with more than {100 * self.max_n:.3g}% N"] = len(start) - len(known)
                region, start, offsets = region[known], start[known], offsets[known]
                new, places = distinct.add(origin[region] + start)
                yield Chunk(cut(bases, offsets[new]), Rows(chrom[region], start, skipped), places)
                skipped = {}
        if not found and self.source is not None:
            _log.warning("%s holds no regions", self.source)

    def _read(self, sequences: list[str], region: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the bases of windows, (length,) uint8 ASCII, and where in them each window starts, (n,) int64."""
        # Neighbours are read together: one call for a stretch of a chromosome, not one a window.
        step = np.diff(start)
        same = region[1:] == region[:-1]
        breaks = (step < 0) | (step > _GAP)
        for i in np.flatnonzero(~same & ~breaks).tolist():
            breaks[i] = sequences[region[i]] != sequences[region[i + 1]]
        cuts = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(start)]
        parts = []
        offsets = np.empty(len(start), dtype=np.int64)
        filled = 0
        for a, b in pairwise(cuts):
            first, last = int(start[a]), int(start[b - 1])
            parts.append(self.genome.fetch(sequences[region[a]], first, last + WINDOW))
            offsets[a:b] = start[a:b] - first + filled
            filled += last + WINDOW - first
        return parts[0] if len(parts) == 1 else np.concatenate(parts), offsets

    def locate(self, region: RegionLike) -> str:
        """Return the genome's name of a region's sequence; raises RegionError when the region is not in it."""
        try:
            name = self.genome.resolve(region.chrom)
        except GenomeError as error:
            raise self._error(region, str(error), None) from error
        length = self.genome.lengths[name]
        if not 0 <= region.start < region.end:
            raise self._error(region, f"start {region.start} is not less than end {region.end}", None)
        if region.end > length:
            message = (
                f"end {region.end} is beyond the end of {region.chrom}, which has {length} bp in {self.genome.path}"
            )
            raise self._error(region, message, "use the genome that the regions were made for")
        return name

    def _error(self, region: RegionLike, message: str, cure: str | None) -> RegionError:
        line = getattr(region, "line", None)
        if self.source is None:
            message = f"region {region.chrom}:{region.start}-{region.end}: {message}"
        return RegionError(message, path=self.source, line=line, cure=cure)
