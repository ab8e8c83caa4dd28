"""Finds windows that coincide, so that each is computed once."""

from __future__ import annotations

from collections import deque

import numpy as np

REMEMBERED = 32_768
"""How many computed windows are kept in mind: regions that overlap lie near each other in a sorted file."""


class Distinct:
    """Numbers windows in the order in which they are first seen, and recognises them for a while."""

    def __init__(self) -> None:
        self._next = 0
        self._seen: deque[tuple[np.ndarray, np.ndarray]] = deque()  # keys, ascending, and the number of each

    def add(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Take in the keys of windows, (n,) int64, equal where windows coincide.

        Returns which of them are new, (k,) int64 indices, ascending, and the number of each window, (n,) int64;
        None in its place when all are new. Numbers below the newest by more than `REMEMBERED` never come up.
        """
        unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        numbers = np.full(len(unique), -1, dtype=np.int64)
        for known, known_numbers in self._seen:
            if not len(unique) or known[-1] < unique[0] or known[0] > unique[-1]:
                continue
            places = np.minimum(np.searchsorted(known, unique), len(known) - 1)
            hit = known[places] == unique
            numbers[hit] = known_numbers[places[hit]]
        unseen = np.flatnonzero(numbers < 0)
        new = np.sort(first[unseen])
        numbers[unseen] = self._next + np.searchsorted(new, first[unseen])
        self._next += len(new)
        if len(new):
            self._seen.append((unique[unseen], numbers[unseen]))
        while self._seen and self._seen[0][1].min() < self._next - REMEMBERED:
            self._seen.popleft()
        return new, None if len(new) == len(keys) else numbers[inverse]


class Recent:
    """Values of the windows that were computed last, found by their number."""

    def __init__(self, size: int, width: int) -> None:
        self._values = np.empty((size + REMEMBERED, width), dtype=np.float32)
        self._next = 0

    def add(self, values: np.ndarray) -> None:
        """Take in the values of the next windows, (k, width) float32, k <= size."""
        self._values[(self._next + np.arange(len(values))) % len(self._values)] = values
        self._next += len(values)

    def get(self, numbers: np.ndarray) -> np.ndarray:
        """Return the values of windows: (n,) int64 -> (n, width) float32."""
        values: np.ndarray = self._values[numbers % len(self._values)]
        return values
