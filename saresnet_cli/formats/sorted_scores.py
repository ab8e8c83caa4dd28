"""Scores of windows in any order, given back sorted by position, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

ROWS_HELD = 1 << 18
"""Rows that are gathered and sorted before they are put away."""

PIECE_BITS = 20
"""The logarithm of how many positions are sorted at a time: 1 Mb of a sequence."""

_START_BITS = 33  # positions below 8 Gb, in keys that also hold the number of a sequence
_BYTES_HELD = 1 << 24
_ROW = np.dtype([("place", "<u4"), ("logit", "<f4")])


class SortedScores:
    """Takes in scores of windows and gives them back by sequence and position; use it in a `with` statement.

    folder: where a temporary file of 8 bytes a row may grow when there are many; None is the system's.
    repeated: how many windows were given again, and left out; the first counts.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.repeated = 0
        self._file = tempfile.SpooledTemporaryFile(_BYTES_HELD, dir=None if folder is None else str(folder))  # noqa: SIM115
        self._end = 0
        self._stretches: dict[int, list[tuple[int, int]]] = {}  # piece: where its rows lie in the file
        self._keys: list[np.ndarray] = []
        self._logits: list[np.ndarray] = []
        self._held = 0

    def __enter__(self) -> SortedScores:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, sequence: np.ndarray, start: np.ndarray, logit: np.ndarray) -> None:
        """Take in windows: numbers of their sequences, (n,) int64, starts, (n,) int64, logits, (n,) float32."""
        self._keys.append(sequence << _START_BITS | start)
        self._logits.append(logit)
        self._held += len(start)
        if self._held >= ROWS_HELD:
            self._put_away()

    def pieces(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield (number of the sequence, starts, logits), ascending, each window once: (n,) int64, (n,) float32.

        Nothing can be added after that.
        """
        self._put_away()
        for piece in sorted(self._stretches):
            parts = []
            for offset, count in self._stretches[piece]:
                self._file.seek(offset * _ROW.itemsize)
                parts.append(np.frombuffer(self._file.read(count * _ROW.itemsize), _ROW))
            rows = np.concatenate(parts)
            place, first = np.unique(rows["place"], return_index=True)
            self.repeated += len(rows) - len(place)
            key = piece << PIECE_BITS
            yield (
                key >> _START_BITS,
                place + np.int64(key & ((1 << _START_BITS) - 1)),
                rows["logit"][first],
            )

    def _put_away(self) -> None:
        if not self._held:
            return
        keys, logits = np.concatenate(self._keys), np.concatenate(self._logits)
        self._keys, self._logits, self._held = [], [], 0
        unique, first = np.unique(keys, return_index=True)
        self.repeated += len(keys) - len(unique)
        rows = np.empty(len(unique), _ROW)
        rows["place"] = unique & ((1 << PIECE_BITS) - 1)
        rows["logit"] = logits[first]
        self._file.write(rows.tobytes())
        pieces = unique >> PIECE_BITS
        cuts = np.flatnonzero(np.diff(pieces, prepend=-1))
        for piece, begin, count in zip(
            pieces[cuts].tolist(), cuts.tolist(), np.diff(cuts, append=len(pieces)).tolist(), strict=True
        ):
            self._stretches.setdefault(piece, []).append((self._end + begin, count))
        self._end += len(rows)
