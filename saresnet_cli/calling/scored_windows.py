"""Scored windows as columns, in memory, and many of them in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class ScoredWindows:
    """Scored windows in ascending order of sequence and start, a row a window and model.

    model, sequence: (n,) int64, numbers of names that are kept elsewhere; start: (n,) int64, 0-based;
    logit: (n,) float64, of 4 decimals; pvalue: (n,) float64, of 3 digits, NaN where there is none.
    """

    model: np.ndarray
    sequence: np.ndarray
    start: np.ndarray
    logit: np.ndarray
    pvalue: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray | slice) -> ScoredWindows:
        """Return some of the rows, by index, mask or slice."""
        return ScoredWindows(*(column[rows] for column in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence[ScoredWindows]) -> ScoredWindows:
        """Return the rows of several, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))


class Spool:
    """Holds scored windows until they are read, beyond 64 MB in a temporary file; use it in a `with` statement."""

    _RECORD = np.dtype([("model", "i4"), ("sequence", "i4"), ("start", "i8"), ("logit", "f8"), ("pvalue", "f8")])
    _IN_MEMORY = 1 << 26
    _AT_ONCE = 1 << 16

    def __enter__(self) -> Spool:
        self._file = tempfile.SpooledTemporaryFile(self._IN_MEMORY)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, windows: ScoredWindows) -> None:
        """Put windows after those that are held."""
        records = np.empty(len(windows), dtype=self._RECORD)
        for field in fields(windows):
            records[field.name] = getattr(windows, field.name)
        self._file.write(records.tobytes())

    def read(self) -> Iterator[ScoredWindows]:
        """Yield what is held, from the beginning, in order."""
        self._file.seek(0)
        while data := self._file.read(self._AT_ONCE * self._RECORD.itemsize):
            records = np.frombuffer(data, dtype=self._RECORD)
            model, sequence = records["model"].astype(np.int64), records["sequence"].astype(np.int64)
            yield ScoredWindows(model, sequence, records["start"], records["logit"], records["pvalue"])
