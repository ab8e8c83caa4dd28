"""Negatives: dinucleotide-preserving shuffles, and unbound windows of a real genome."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable
from pathlib import Path

import dinuc_shuf
import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError
from saresnet_train.codes import OTHER, decode, encode
from saresnet_train.gc import GC_BINS, apportion, first_of_each, gc_bins
from saresnet_train.packed import BLOCK, PackedGenome
from saresnet_train.runs import Runs

Interval = tuple[str, int, int]
"""Name, start, end: 0-based, half-open."""

GC_TRIES, GC_BLOCK = 64, 1 << 16
"""How many blocks of windows, of how many windows at most, are drawn to match a GC content."""


def shuffle_dinucleotides(codes: np.ndarray, seed: int | tuple[int, ...], block: int = 100_000) -> np.ndarray:
    """Shuffle each window, keeping its count of every dinucleotide (Altschul and Erickson 1985).

    codes: (n, length) uint8 base codes -> the same shape; the first and last
    base of a window stay. The same seed gives the same shuffles. block: windows
    shuffled at a time, which bounds memory.
    """
    rng = np.random.default_rng(seed)
    shuffled = np.empty_like(codes)
    letters = np.eye(OTHER + 1, dtype=np.uint8)
    for at in range(0, len(codes), block):
        part = dinuc_shuf.shuffle(letters[codes[at : at + block]], rng=rng, verify=False)
        shuffled[at : at + block] = part.argmax(axis=2)
    return shuffled


def dinucleotide_shuffle(windows: np.ndarray, seed: int | tuple[int, ...]) -> np.ndarray:
    """Shuffle windows of ASCII letters: (n, length) uint8 -> the same shape (`shuffle_dinucleotides`)."""
    return decode(shuffle_dinucleotides(encode(windows), seed))


class GenomicWindows:
    """Windows of a real genome to draw negatives from.

    path: FASTA, plain or BGZF. exclude: intervals that no window may touch
    (bound sites). only / hold_out: intervals that windows must, or must not, lie
    in. Windows hold A, C, G and T only, and are named by their start in the
    sequences one behind the other. The whole file is kept in memory, a quarter of a
    byte a base. Raises GenomeError when no window is left.
    """

    def __init__(
        self,
        path: Path | str,
        exclude: Iterable[Interval] = (),
        only: Iterable[Interval] = (),
        hold_out: Iterable[Interval] = (),
    ) -> None:
        self.path = Path(path)
        self.genome = PackedGenome.read(self.path)
        offsets = np.array(list(self.genome.offsets.values()))
        lengths = np.array(list(self.genome.lengths.values()))
        # no window runs from one sequence into the next
        self.free = Runs.union(offsets, offsets + lengths - WINDOW + 1)
        self._leave_out(self.genome.other)
        self._leave_out(self._places([*exclude, *hold_out]))
        only = list(only)
        if only:
            self.free = self.within(only).free
        if not len(self.free):
            raise GenomeError("it has no window of 101 bp to use as background", path=self.path)

    def within(self, intervals: Iterable[Interval]) -> GenomicWindows:
        """Return those windows that lie in the union of intervals; there may be none. The genome is shared."""
        places = self._places(intervals)
        part = copy.copy(self)
        part.free = self.free.common(Runs.union(places.low, places.high - WINDOW + 1))
        return part

    def without(self, intervals: Iterable[Interval]) -> GenomicWindows:
        """Return those windows that touch no interval; there may be none. The genome is shared."""
        part = copy.copy(self)
        part._leave_out(self._places(intervals))
        return part

    def without_starts(self, low: np.ndarray, high: np.ndarray) -> GenomicWindows:
        """Return those windows whose start is in none of the half-open ranges; there may be none."""
        part = copy.copy(self)
        part.free = self.free.without(Runs.union(low, high))
        return part

    def _leave_out(self, places: Runs) -> None:
        self.free = self.free.without(Runs.union(places.low - WINDOW + 1, places.high))

    def _places(self, intervals: Iterable[Interval]) -> Runs:
        low, high = [], []
        for name, start, end in intervals:
            if name in self.genome.offsets:
                at, length = self.genome.offsets[name], self.genome.lengths[name]
                low.append(at + max(0, start))
                high.append(at + min(end, length))
        return Runs.union(low, high)

    @property
    def starts(self) -> np.ndarray:
        """The start of every window: (n,) int64, 8 bytes a window."""
        return self.every(1)

    @property
    def fingerprint(self) -> str:
        """A digest of the bases and of the windows that can be drawn: 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for at in range(0, len(self.genome), BLOCK):
            digest.update(self.genome[at : at + BLOCK].data)
        for at in range(0, len(self.free), BLOCK // 8):  # of 8 bytes each
            digest.update(self.free[np.arange(at, min(at + BLOCK // 8, len(self.free)))].data)
        return digest.hexdigest()[:16]

    def take(self, starts: np.ndarray) -> np.ndarray:
        """Return the windows at these starts: (n,) int64 -> (n, 101) uint8 codes."""
        return self.genome.windows(starts)

    def draw(self, count: int, rng: np.random.Generator, gc: np.ndarray | None = None) -> np.ndarray:
        """Return `count` windows at random places: (count, 101) uint8 codes.

        gc: shares of the bins of GC content that the windows are to have (`gc.gc_shares`), default those of
        the genome. Then windows are drawn and kept while their bin lacks any, at most `GC_TRIES` blocks of them;
        a bin that lacks some even so gets the nearest in GC of the last block.
        """
        if gc is None:
            return self.take(self.free[rng.integers(0, len(self.free), count)])
        missing = apportion(gc, count)
        kept = []
        for _ in range(GC_TRIES):
            codes = self.draw(min(max(8 * int(missing.sum()), 1024), GC_BLOCK), rng)
            bins = gc_bins(codes)
            chosen = np.sort(first_of_each(bins, missing))
            kept.append(codes[chosen])
            missing = missing - np.bincount(bins[chosen], minlength=GC_BINS)
            if not missing.any():
                break
        for lacking in np.flatnonzero(missing).tolist():
            nearest = np.argsort(np.abs(bins - lacking), kind="stable")[: missing[lacking]]
            kept.append(codes[np.resize(nearest, missing[lacking])])
        return np.concatenate(kept)

    def draw_near(self, starts: np.ndarray, count: int, rng: np.random.Generator, jitter: int = 25) -> np.ndarray:
        """Return `count` windows within `jitter` bases of windows among `starts`, (n,) int64: (count, 101) codes."""
        chosen = starts[rng.integers(0, len(starts), count)]
        moved = chosen + rng.integers(-jitter, jitter + 1, count)
        return self.take(np.where(self.free.has(moved), moved, chosen))

    def every(self, stride: int) -> np.ndarray:
        """Return the starts of usable windows that are multiples of `stride`: (n,) int64."""
        return self.free.every(stride)
