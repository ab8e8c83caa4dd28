"""Sets of whole numbers, kept as runs: a genome has billions of places for a window, and few gaps between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Runs:
    """A set of whole numbers as sorted runs that neither overlap nor touch.

    low, high: (runs,) int64, half-open. The numbers of the set are counted from
    0 in ascending order, so that one is drawn by its count.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def union(cls, low: Iterable[int], high: Iterable[int]) -> Runs:
        """Return the union of half-open intervals in any order; empty ones are dropped."""
        starts, ends = np.asarray(low, np.int64), np.asarray(high, np.int64)
        kept = np.flatnonzero(starts < ends)
        order = kept[np.argsort(starts[kept], kind="stable")]
        starts, reach = starts[order], np.maximum.accumulate(ends[order])
        first = np.concatenate([np.ones(min(1, len(starts)), bool), starts[1:] > reach[:-1]])
        last = np.concatenate([first[1:], np.ones(min(1, len(starts)), bool)])
        return cls(starts[first], reach[last])

    @cached_property
    def counted(self) -> np.ndarray:
        """How many numbers lie before each run, and in all: (runs + 1,) int64."""
        return np.concatenate([[0], np.cumsum(self.high - self.low)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.counted[-1])

    def __getitem__(self, counts: np.ndarray) -> np.ndarray:
        """Return the numbers with these counts: (n,) int64 -> (n,) int64."""
        run = np.searchsorted(self.counted, counts, side="right") - 1
        numbers: np.ndarray = self.low[run] + (counts - self.counted[run])
        return numbers

    def has(self, numbers: np.ndarray) -> np.ndarray:
        """Return whether each number is in the set: (n,) int64 -> (n,) bool."""
        if not len(self.low):
            return np.zeros(len(numbers), bool)
        run = np.searchsorted(self.low, numbers, side="right") - 1
        inside: np.ndarray = (run >= 0) & (numbers < self.high[np.maximum(run, 0)])
        return inside

    def every(self, stride: int) -> np.ndarray:
        """Return the numbers of the set that are multiples of `stride`, ascending: (n,) int64."""
        first, end = -(-self.low // stride), -(-self.high // stride)
        multiples = Runs(first[first < end], end[first < end])  # they may touch, which counting does not mind
        return multiples[np.arange(len(multiples))] * stride

    def common(self, other: Runs) -> Runs:
        """Return the numbers that are in both sets."""
        place = np.concatenate([self.low, other.low, self.high, other.high])
        step = np.repeat([1, -1], len(place) // 2)
        order = np.lexsort((step, place))  # an end goes before a start at the same place
        place, both = place[order], np.flatnonzero(np.cumsum(step[order]) == 2)
        return Runs(place[both], place[both + 1])

    def without(self, other: Runs) -> Runs:
        """Return the numbers that are not in the other set."""
        limit = max([0, *self.high[-1:].tolist(), *other.high[-1:].tolist()]) + 1
        least = min([0, *self.low[:1].tolist(), *other.low[:1].tolist()]) - 1
        gaps = Runs(np.concatenate([[least], other.high]), np.concatenate([other.low, [limit]]))
        return self.common(gaps)
