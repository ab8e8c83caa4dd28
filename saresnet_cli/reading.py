"""Reads the windows of regions from a genome, many regions at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
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
    skipped: how many, by reason; reached: how many windows of all regions come before the next chunk.
    """

    chrom: np.ndarray
    start: np.ndarray
    skipped: dict[str, int]
    reached: int = 0


@dataclass(frozen=True)
class Share:
    """Which windows are read: numbers [begin, end), counted over all regions, those of N included.

    end: None is all that follow, and the regions after them that give none. first: number of the first window of
    the regions that are given, which need not be the first of all.
    """

    begin: int = 0
    end: int | None = None
    first: int = 0


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

    def chunks(self, regions: Iterable[RegionLike], size: int, share: Share | None = None) -> Iterator[Chunk[Rows]]:
        """Yield up to `size` windows at a time, in the order of the regions; those that coincide are read once.

        share: which windows, default all. A region that gives none is counted with the window after it.
        Raises RegionError for a region that is not in the genome.
        """
        share = share or Share()
        regions = iter(regions)
        distinct = Distinct()
        at = share.first  # number of the first window of the batch
        none = 0  # regions without windows that are not counted yet
        found = share.begin > 0 or share.end == 0
        while (share.end is None or at < share.end) and (batch := list(islice(regions, _REGIONS_AT_ONCE))):
            found = True
            sequences, plan = self.plan(batch)
            chrom = np.array([region.chrom for region in batch], dtype=object)
            origin = np.array([self.genome.offset(name) for name in sequences], dtype=np.int64)
            empty = plan.offsets[:-1][np.diff(plan.offsets) == 0]
            stop = plan.total if share.end is None else min(plan.total, share.end - at)
            for begin in range(max(0, share.begin - at), stop, size):
                end = min(begin + size, stop)
                none += int(np.count_nonzero((empty >= begin) & (empty < end)))
                skipped = self._without_windows(none)
                none = 0
                region, start = plan.windows(begin, end)
                bases, offsets = self._read(sequences, region, start)
                known = np.flatnonzero(count_unknown(bases, offsets) <= self.max_n * WINDOW)
                if len(known) < len(start):
                    skipped[f"windows with more than {100 * self.max_n:.3g}% N"] = len(start) - len(known)
                region, start, offsets = region[known], start[known], offsets[known]
                new, places = distinct.add(origin[region] + start)
                yield Chunk(cut(bases, offsets[new]), Rows(chrom[region], start, skipped, at + end), places)
            at += plan.total
            if at >= share.begin and (share.end is None or at < share.end):
                none += int(np.count_nonzero(empty == plan.total))
        if none:
            rows = Rows(np.empty(0, object), np.empty(0, np.int64), self._without_windows(none), at)
            yield Chunk(np.empty((0, WINDOW), np.uint8), rows)
        if not found and self.source is not None:
            _log.warning("%s holds no regions", self.source)

    def plan(self, regions: Sequence[RegionLike]) -> tuple[list[str], WindowPlan]:
        """Return the genome's name of each region's sequence, and their windows.

        Raises RegionError for a region that is not in the genome.
        """
        sequences = [self.locate(region) for region in regions]
        plan = WindowPlan.of(
            np.array([region.start for region in regions], dtype=np.int64),
            np.array([region.end for region in regions], dtype=np.int64),
            np.array([self.genome.lengths[name] for name in sequences], dtype=np.int64),
            self.stride,
        )
        return sequences, plan

    def _without_windows(self, count: int) -> dict[str, int]:
        return {f"{self.noun} shorter than {WINDOW} bp": count} if count else {}

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
        empty = length == region.start == region.end == 0  # a whole sequence without a base: it has no window
        if not 0 <= region.start < region.end and not empty:
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
