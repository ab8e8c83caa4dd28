"""Reads what `saresnet scan` writes, many lines at a time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.card import WINDOW
from saresnet_cli.errors import RegionError
from saresnet_cli.streams import open_bytes, source_name

_BYTES_AT_ONCE = 1 << 22
_COLUMNS = 8
_ABOUT = "# saresnet "
_MODEL = re.compile(r" model=(.*)(?= sha256=)")


class ScanFile:
    """A scan that was written before: BED with the columns logit and pvalue.

    header: the lines that say what made it, by model, none where they were lost. models: ids, of the header
    and then in the order in which rows bring them. sequences: names, in the order in which they come. The
    numbers in `ScoredWindows` are those of these two lists, which grow as rows are read.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.header: dict[str, str] = {}
        self.models: list[str] = []
        self.sequences: list[str] = []
        self._file = file
        self._line = 0
        self._seen: set[str] = set()
        self._last = -1
        self._first_row = b""
        for text in file:
            self._line += 1
            if not text.startswith(b"#"):
                self._first_row = text
                break
            line = text.decode("utf-8", "replace").strip()
            if line.startswith(_ABOUT) and (model := about(line).get("model")) and model not in self.header:
                self.header[model] = line
                self.models.append(model)

    def windows(self) -> Iterator[ScoredWindows]:
        """Yield the rows, many at a time.

        Raises RegionError, with the line, for a row that is not of a scan, a start below the one before,
        and a sequence that comes again after another.
        """
        lines = [self._first_row] if self._first_row else []
        before = self._line - len(lines)
        while lines := lines + self._file.readlines(_BYTES_AT_ONCE):
            numbers = [i for i, line in enumerate(lines, before + 1) if line.strip() and not line.startswith(b"#")]
            if numbers:
                yield self._parse([lines[i - before - 1] for i in numbers], numbers)
            before += len(lines)
            lines = []

    def _parse(self, lines: list[bytes], numbers: list[int]) -> ScoredWindows:
        try:
            rows = [line.rstrip(b"\r\n").split(b"\t", _COLUMNS) for line in lines]
            chrom, start, end, name, _, _, logit, pvalue = map(
                np.array, zip(*(row[:_COLUMNS] for row in rows), strict=True)
            )
            begins, ends, height = start.astype(np.int64), end.astype(np.int64), logit.astype(np.float64)
            share = np.where(pvalue == b".", b"nan", pvalue).astype(np.float64)
            known = np.isnan(share) == (pvalue == b".")
            sound = (begins >= 0) & (ends - begins == WINDOW) & np.isfinite(height) & known
            sound &= np.isnan(share) | ((share > 0) & (share <= 1))
        except (ValueError, OverflowError):
            if len(lines) > 1:  # find the line, halving
                half = len(lines) // 2
                self._parse(lines[:half], numbers[:half])
                self._parse(lines[half:], numbers[half:])
            sound = np.zeros(1, dtype=bool)
        if not sound.all():
            raise RegionError(
                f"is not a row of a scan: a window of {WINDOW} bp with logit and pvalue in columns 7 and 8",
                path=self.name,
                line=numbers[int(np.argmin(sound))],
                cure="give the output of `saresnet scan`",
            )
        sequence = self._number(chrom, begins, numbers)
        return ScoredWindows(self._models(name), sequence, begins, np.round(height, 4), share)

    def _models(self, names: np.ndarray) -> np.ndarray:
        distinct, first, place = np.unique(names, return_index=True, return_inverse=True)
        for i in np.argsort(first).tolist():
            if (model := _text(distinct[i])) not in self.models:
                self.models.append(model)
        return np.array([self.models.index(_text(name)) for name in distinct], dtype=np.int64)[place]

    def _number(self, chrom: np.ndarray, start: np.ndarray, numbers: list[int]) -> np.ndarray:
        """Number the sequences of rows, (n,) bytes -> (n,) int64; raises RegionError where the rows are not sorted."""
        heads = np.concatenate([[0], np.flatnonzero(chrom[1:] != chrom[:-1]) + 1])
        goes_on = bool(self.sequences) and self.sequences[-1] == _text(chrom[0])
        for head in heads[1:].tolist() if goes_on else heads.tolist():
            name = _text(chrom[head])
            if name in self._seen:
                raise self._unsorted(f"{name} comes again after {self.sequences[-1]}", numbers[head])
            self._seen.add(name)
            self.sequences.append(name)
        falls = np.concatenate([[goes_on and bool(start[0] < self._last)], np.diff(start) < 0])
        falls[heads[1:]] = False
        if falls.any():
            row = int(np.argmax(falls))
            raise self._unsorted(f"start {start[row]} is below the one before", numbers[row])
        self._last = int(start[-1])
        first = len(self.sequences) - len(heads)
        return first + np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(chrom))))

    def _unsorted(self, message: str, line: int) -> RegionError:
        cure = "sort the scan: bedtools sort -header -i SCAN"
        return RegionError(message, path=self.name, line=line, cure=cure)


def about(line: str) -> dict[str, str]:
    """Return what a header line says: model, sha256, stride, …

    A model from elsewhere may have blanks in its id: it goes on up to its sha256, which is the last there is.
    """
    found = _MODEL.search(line)
    if found:
        return {**about(line[: found.start()] + line[found.end(1) :]), "model": found[1]}
    return {key: value for key, _, value in (word.partition("=") for word in line.split() if "=" in word)}


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


@contextlib.contextmanager
def open_scan(source: str | Path) -> Iterator[ScanFile]:
    """Open a scan, plain or gzip, or "-" for standard input; raises RegionError when it can't be read."""
    with open_bytes(source, RegionError) as file:
        yield ScanFile(file, source_name(source))
