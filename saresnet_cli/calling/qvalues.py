"""q-values by Benjamini and Hochberg, from counts of p-values."""

from __future__ import annotations

import numpy as np

_HELD = 1 << 20


class PValueCounts:
    """Counts p-values by value, and gives each its q-value.

    A Benjamini-Hochberg q-value is a function of a p-value's rank: how often each value occurs is
    all that it takes, and nothing is approximated. Of three significant digits there are at most
    900 values a power of ten, some thousands in all, however many windows a genome has. Finer ones mean
    nothing: the share of a background of 100,000 windows is itself known to two or three digits at best.
    """

    def __init__(self) -> None:
        self._values = np.empty(0)
        self._counts = np.empty(0, dtype=np.int64)
        self._held: list[np.ndarray] = []
        self._size = 0

    def add(self, pvalues: np.ndarray) -> None:
        """Count p-values, (n,) float64, of three digits (`printed.three_digits`); NaN is none."""
        self._held.append(pvalues[~np.isnan(pvalues)])
        self._size += len(self._held[-1])
        if self._size >= _HELD:
            self._merge()

    def qvalues(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the p-values that occurred, ascending, each once, and their q-values: twice (k,) float64.

        q(p) is the least of p' m / r(p') over all p' >= p, where r(p') of the m p-values are at most p', and never
        above 1 (Benjamini and Hochberg 1995).
        """
        self._merge()
        rank = np.cumsum(self._counts)
        ratio = np.maximum(self._values * (rank[-1] if len(rank) else 0) / rank, self._values)  # but for rounding
        return self._values, np.minimum(np.minimum.accumulate(ratio[::-1])[::-1], 1.0)

    def _merge(self) -> None:
        new, counts = np.unique(np.concatenate([np.empty(0), *self._held]), return_counts=True)
        values, place = np.unique(np.concatenate([self._values, new]), return_inverse=True)
        total = np.zeros(len(values), dtype=np.int64)
        np.add.at(total, place, np.concatenate([self._counts, counts]))
        self._values, self._counts = values, total
        self._held, self._size = [], 0
