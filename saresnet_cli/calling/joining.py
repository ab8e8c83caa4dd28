"""Sorts regions and joins those that overlap, so that each base is scanned once and in order."""

from __future__ import annotations

from collections.abc import Iterable

from saresnet_cli.reading import RegionLike, RegionReader
from saresnet_cli.regions import Region


def join_regions(regions: Iterable[RegionLike], reader: RegionReader) -> list[Region]:
    """Return regions sorted by start, sequences in the order in which the first region of each comes.

    Regions that overlap or touch become one. All regions of a sequence get the name that the first gave
    it, also where others name it with or without "chr". Raises RegionError for a region that is not in
    the genome, before any is scanned. Holds the regions in memory.
    """
    by_sequence: dict[str, list[RegionLike]] = {}
    for region in regions:
        by_sequence.setdefault(reader.locate(region), []).append(region)
    joined: list[Region] = []
    for found in by_sequence.values():
        name = found[0].chrom
        bounds = sorted((region.start, region.end) for region in found)
        start, end = bounds[0]
        for next_start, next_end in bounds[1:]:
            if next_start > end:
                joined.append(Region(name, start, end))
                start, end = next_start, next_end
            end = max(end, next_end)
        joined.append(Region(name, start, end))
    return joined
