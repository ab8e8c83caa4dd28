"""Regions of a genome, from BED and narrowPeak files."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from saresnet_cli.errors import RegionError
from saresnet_cli.streams import open_bytes, source_name

LONGEST_LINE = 1 << 22
"""Bytes of a line at most: what is longer is no BED, and would fill the memory."""

_SKIPPED = (b"#", b"track ", b"track\t", b"browser ", b"browser\t")


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a sequence, 0-based, half-open.

    name: column 4, "." where there is none. summit: position in the sequence
    (column 10 of narrowPeak made absolute), None where there is none, or none was asked for. line: in
    the file it was read from, None for a region made by hand.
    """

    chrom: str
    start: int
    end: int
    name: str = "."
    summit: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file between two lines: the number of the line after it, and how many bytes lie before it."""

    line: int = 1
    byte: int = 0


def read_regions(source: str | Path, begin: Place | None = None, summits: bool = True) -> Iterator[Region]:
    """Read regions one at a time from BED3 to BED12 or narrowPeak, plain or gzip; "-" is standard input.

    Comments, `track` and `browser` lines and blank lines are skipped; columns
    are split at tabs, or at spaces where a line has no tab; Windows line ends
    are fine. begin: where to begin in a file, default at its start. summits: whether column 10 of narrowPeak is
    read. Raises RegionError with the line of what is not a region, or where start is not less than end.
    """
    path = source_name(source)
    begin = begin or Place()
    with open_bytes(source, RegionError) as file:
        if begin.byte:
            file.seek(begin.byte, io.SEEK_CUR)  # from behind a byte order mark
        for number, text in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), begin.line):
            check_length(text, path, number)
            region = parse_line(text, path, number, summits)
            if region is not None:
                yield region


def check_length(text: bytes, path: str, line: int) -> None:
    """Raise RegionError when the text of a line, as far as it was read, is longer than a line can be."""
    if len(text) >= LONGEST_LINE:
        raise RegionError(
            f"more than {LONGEST_LINE >> 20} MB in a line",
            path=path,
            line=line,
            cure="give BED: chromosome, start, end",
        )


def parse_line(text: bytes, path: str, line: int, summits: bool = True) -> Region | None:
    """Read one line of a BED or narrowPeak file; None where it holds no region. Raises RegionError."""
    text = text.strip(b"\r\n")
    if not text.strip() or text.startswith(_SKIPPED) or text in (b"track", b"browser"):
        return None
    return parse_region(text, path, line, summits)


def parse_region(text: bytes, path: str, line: int, summits: bool = True) -> Region:
    """Read one line of a BED or narrowPeak file, without its line end; raises RegionError."""
    columns = text.split(b"\t") if b"\t" in text else text.split()
    if len(columns) < 3:
        raise RegionError(
            f"{len(columns)} column{'s' * (len(columns) != 1)} where a BED line has at least 3",
            path=path,
            line=line,
            cure="give chromosome, start and end, separated by tabs",
        )
    try:
        start, end = int(columns[1]), int(columns[2])
        if not columns[1].strip().isdigit() or not columns[2].strip().isdigit():
            raise ValueError
    except ValueError:
        raise RegionError(
            f"start {_show(columns[1])} and end {_show(columns[2])} are not both whole numbers of 0 or more",
            path=path,
            line=line,
            cure="give BED: chromosome, start, end",
        ) from None
    if start >= end:
        word = "equal to" if start == end else "greater than"
        raise RegionError(
            f"start {start} is {word} end {end}", path=path, line=line, cure="BED counts from 0, and leaves the end out"
        )
    chrom = columns[0].decode("utf-8", "replace").strip()
    if not chrom:
        raise RegionError("no chromosome", path=path, line=line, cure="give BED: chromosome, start, end")
    name = columns[3].decode("utf-8", "replace") if len(columns) > 3 else "."
    summit = _summit(columns, start, end, path, line) if summits else None
    return Region(chrom, start, end, name, summit, line)


def are_two_regions(columns: Sequence[bytes]) -> bool:
    """Return whether the columns of a line are those of BED6 and of a region on the same sequence behind it.

    `bedtools intersect -wo` writes them so. Where sequences are called 1, 2, … all are numbers, as in narrowPeak;
    but there columns 8 and 9 are -log10 of p and of q, which is never above it, and here start and end.
    """
    if len(columns) < 9 or columns[6] != columns[0]:
        return False
    return columns[7].isdigit() and columns[8].isdigit() and int(columns[7]) < int(columns[8])


def summit_of(region: Any) -> int | None:
    """Return the summit of what is like a region: its own, or, of an interval of pybedtools, that of narrowPeak.

    Raises RegionError where column 10 is no summit.
    """
    summit: int | None = getattr(region, "summit", None)
    fields = getattr(region, "fields", None)
    if summit is not None or fields is None:
        return summit
    columns = [str(field).encode() for field in fields]
    return _summit(columns, int(region.start), int(region.end), None, None)


def _summit(columns: list[bytes], start: int, end: int, path: str | None, line: int | None) -> int | None:
    # narrowPeak has 10 columns, 7 to 9 of them numbers; BED12's tenth counts blocks, and what bedtools puts side by
    # side may have 10 of any kind.
    if len(columns) != 10 or not all(map(_is_number, columns[6:9])) or are_two_regions(columns):
        return None
    try:
        offset = int(columns[9])
    except ValueError:
        raise RegionError(
            f"summit {_show(columns[9])} is not a whole number",
            path=path,
            line=line,
            cure="write -1 where there is none",
        ) from None
    if offset < 0:
        return None
    if offset == end - start:  # ENCODE's own files hold summits one base past the peak
        return end - 1
    if offset > end - start:
        raise RegionError(
            f"summit {offset} is outside the {end - start} bp of the peak",
            path=path,
            line=line,
            cure="narrowPeak counts column 10 from the start of the peak",
        )
    return start + offset


def _is_number(column: bytes) -> bool:
    try:
        float(column)
    except ValueError:
        return False
    return True


def _show(column: bytes) -> str:
    return repr(column.decode("utf-8", "replace"))
