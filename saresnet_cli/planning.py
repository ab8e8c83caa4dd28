"""Finds where a share of the windows begins, without reading a base: from the index of a genome, or from a BED file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from saresnet_cli.errors import GenomeError, RegionError
from saresnet_cli.reading import RegionLike, RegionReader, Share
from saresnet_cli.regions import LONGEST_LINE, Place, Region, check_length, parse_line, read_regions
from saresnet_cli.shards import Shard
from saresnet_cli.streams import STDIN, open_bytes, source_name
from saresnet_cli.windows import WindowPlan

_BLOCK = LONGEST_LINE
_REGIONS_AT_ONCE = 16384
_TAB, _END, _RETURN, _SPACE = 9, 10, 13, 32
_DIGITS = 15
_NAME_BYTES = 64


def check_source(source: str | Path) -> None:
    """Raise RegionError unless regions can be read from a source twice, as a shard does, and one that goes on."""
    if source == STDIN or (Path(source).exists() and not Path(source).is_file()):
        raise RegionError("can't be read twice, as a shard has to", path=source_name(source), cure="give a file")


def share_of(
    reader: RegionReader, regions: Iterable[RegionLike] | str | Path | None, shard: Shard | None, reached: int
) -> tuple[Iterable[RegionLike], Share]:
    """Return regions, those left out that lie before a share of the windows, and the share.

    regions: as for `scanning.scan`. shard: default is all. reached: how many windows are left out at the front,
    counted over all regions, since an earlier run had them. Raises RegionError, with file and line, for what is not
    a region, or not in the genome, wherever in the file it stands.
    """
    if shard is None and not reached:
        if regions is None:
            return _sequences(reader), Share()
        return read_regions(regions, summits=False) if isinstance(regions, str | Path) else regions, Share()
    if regions is None:
        lengths = np.fromiter(reader.genome.lengths.values(), np.int64, len(reader.genome.lengths))
        offsets = WindowPlan.of(np.zeros_like(lengths), lengths, lengths, reader.stride).offsets
        begin, end = _bounds(int(offsets[-1]), shard, reached)
        skipped = max(0, int(np.searchsorted(offsets, begin)) - 1)
        return islice(_sequences(reader), skipped, None), Share(begin, end, int(offsets[skipped]))
    if not isinstance(regions, str | Path):
        held = list(regions)
        parts = (held[i : i + _REGIONS_AT_ONCE] for i in range(0, len(held), _REGIONS_AT_ONCE))
        begin, end = _bounds(sum(reader.plan(part)[1].total for part in parts), shard, reached)
        return held, Share(begin, end)
    check_source(regions)
    marks = _marks(regions, reader)
    begin, end = _bounds(marks[-1].windows, shard, reached)
    mark = next(mark for mark in reversed(marks) if mark.windows < begin or mark is marks[0])
    return read_regions(regions, mark.place, summits=False), Share(begin, end, mark.windows)


def _bounds(total: int, shard: Shard | None, reached: int) -> tuple[int, int | None]:
    begin, end = (0, total) if shard is None else shard.of(total)
    last = shard is None or shard.number == shard.count
    return max(begin, reached), None if last else end


def _sequences(reader: RegionReader) -> Iterator[Region]:
    return (Region(name, 0, length) for name, length in reader.genome.lengths.items())


@dataclass(frozen=True)
class _Mark:
    """How many windows come before a place in a file."""

    place: Place
    windows: int


def _marks(source: str | Path, reader: RegionReader) -> list[_Mark]:
    """Count the windows of a BED file: a mark every few MB, and one at its end."""
    marks = [_Mark(Place(), 0)]
    path = source_name(source)
    with open_bytes(source, RegionError) as file:
        for block in _blocks(file, path, marks):
            plan = _quick_plan(block, reader)
            if plan is None:
                lines = enumerate(io.BytesIO(block), marks[-1].place.line)
                found = [region for number, text in lines if (region := parse_line(text, path, number, summits=False))]
                plan = reader.plan(found)[1]
            last = marks[-1]
            place = Place(last.place.line + block.count(b"\n"), last.place.byte + len(block))
            marks.append(_Mark(place, last.windows + plan.total))
    return marks


def _blocks(file: BinaryIO, path: str, marks: list[_Mark]) -> Iterator[bytes]:
    """Yield whole lines, some MB at a time, the last perhaps without its end."""
    rest = b""
    while part := file.read(_BLOCK):
        end = part.rfind(b"\n") + 1
        if end:
            yield rest + part[:end]
            rest = part[end:]
        else:
            rest += part
        check_length(rest, path, marks[-1].place.line)
    if rest:
        yield rest


def _quick_plan(block: bytes, reader: RegionReader) -> WindowPlan | None:
    """Plan the windows of lines of BED, whole arrays at a time; None where a line needs a closer look.

    That is every line but chromosome, start and end, separated by tabs, of a region that is in the genome.
    """
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _END)
    if not len(ends) or ends[-1] != len(text) - 1 or not text.all():
        return None
    begins = np.concatenate([[0], ends[:-1] + 1])
    tabs = np.concatenate([np.flatnonzero(text == _TAB), [len(text)] * 3])
    tab = np.searchsorted(tabs, begins)
    first, second = tabs[tab], tabs[tab + 1]
    third = np.minimum(tabs[tab + 2], ends)
    if not (second < ends).all():
        return None
    third = third - (text[third - 1] == _RETURN)
    chrom = _names(text, begins, first)
    start, end = _numbers(text, first + 1, second), _numbers(text, second + 1, third)
    if chrom is None or start is None or end is None or not (start < end).all():
        return None
    stretches = np.flatnonzero(np.concatenate([[True], chrom[1:] != chrom[:-1]]))
    if np.isin(chrom[stretches], [b"track", b"browser"]).any():
        return None
    try:
        lengths = [reader.genome.lengths[reader.genome.resolve(name.decode())] for name in chrom[stretches].tolist()]
    except GenomeError:
        return None
    length = np.repeat(np.array(lengths, np.int64), np.diff(stretches, append=len(chrom)))
    if not (end <= length).all():
        return None
    return WindowPlan.of(start, end, length, reader.stride)


def _names(text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return fields as (n,) bytes; None where one is empty or long, or holds what `parse_line` treats apart."""
    size = end - begin
    if size.min() < 1 or size.max() > _NAME_BYTES:
        return None
    letters, inside = _letters(text, begin, size)
    if ((letters <= _SPACE) | (letters > 126) | (letters == ord("#")))[inside].any():
        return None
    letters[~inside] = 0
    return np.ascontiguousarray(letters).view(f"S{letters.shape[1]}")[:, 0]


def _numbers(text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return fields as (n,) int64; None where one is not digits alone."""
    size = end - begin
    if size.min() < 1 or size.max() > _DIGITS:
        return None
    letters, inside = _letters(text, begin, size)
    digits = letters - np.uint8(ord("0"))
    if (digits[inside] > 9).any():
        return None
    value = np.zeros(len(begin), np.int64)
    for column, here in zip(digits.T, inside.T, strict=True):
        value = np.where(here, value * 10 + column, value)
    return value


def _letters(text: np.ndarray, begin: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return fields side by side, (n, longest) uint8, and which of these letters are theirs."""
    column = np.arange(int(size.max()))
    return text[np.minimum(begin[:, None] + column, len(text) - 1)], column < size[:, None]
