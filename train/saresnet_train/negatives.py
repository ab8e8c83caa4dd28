"""Negatives: dinucleotide-preserving shuffles, and unbound windows of a real genome."""

from __future__ import annotations

import hashlib
from pathlib import Path

import dinuc_shuf
import numpy as np

from saresnet_cli.errors import GenomeError
from saresnet_cli.genome import Genome
from saresnet_train.codes import OTHER, decode, encode
from saresnet_train.network import WINDOW

Interval = tuple[str, int, int]
"""Name, start, end: 0-based, half-open."""


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
    in. Windows hold A, C, G and T only. The whole file is kept in memory, a byte
    a base. Raises GenomeError when no window is left.
    """

    def __init__(
        self,
        path: Path | str,
        exclude: list[Interval] | None = None,
        only: list[Interval] | None = None,
        hold_out: list[Interval] | None = None,
    ) -> None:
        self.path = Path(path)
        with Genome(self.path) as genome:
            self.names = list(genome.names)
            self.lengths = dict(genome.lengths)
            lengths = [genome.lengths[name] for name in self.names]
            self.offsets = dict(zip(self.names, np.concatenate([[0], np.cumsum(lengths)]).tolist(), strict=False))
            self.codes = encode(np.concatenate([genome.fetch(n, 0, genome.lengths[n]) for n in self.names]))
        usable = self.codes != OTHER
        if only:
            inside = np.zeros(len(usable), bool)
            self._paint(inside, only, True)
            usable &= inside
        self._paint(usable, [*(exclude or ()), *(hold_out or ())], False)
        blocked = np.concatenate([[0], np.cumsum(~usable)])
        free = blocked[WINDOW:] == blocked[:-WINDOW]
        for end in self.offsets.values():  # no window runs from one sequence into the next
            free[max(0, end - WINDOW + 1) : end] = False
        self.starts = np.flatnonzero(free).astype(np.int64)
        if not len(self.starts):
            raise GenomeError("it has no window of 101 bp to use as background", path=self.path)

    def _paint(self, mask: np.ndarray, intervals: list[Interval], value: bool) -> None:
        for name, start, end in intervals:
            if name in self.offsets:
                at, length = self.offsets[name], self.lengths[name]
                mask[at + max(0, start) : at + min(end, length)] = value

    @property
    def fingerprint(self) -> str:
        """A digest of the windows that can be drawn: 16 hexadecimal digits."""
        digest = hashlib.sha256(self.codes.tobytes())
        digest.update(self.starts.tobytes())
        return digest.hexdigest()[:16]

    def take(self, starts: np.ndarray) -> np.ndarray:
        """Return the windows at these starts of the concatenated genome: (n,) int -> (n, 101) uint8 codes."""
        return np.lib.stride_tricks.sliding_window_view(self.codes, WINDOW)[starts]

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return `count` windows at random places: (count, 101) uint8 codes."""
        return self.take(self.starts[rng.integers(0, len(self.starts), count)])

    def draw_near(self, starts: np.ndarray, count: int, rng: np.random.Generator, jitter: int = 25) -> np.ndarray:
        """Return `count` windows within `jitter` bases of windows among `starts`, (n,) int64: (count, 101) codes."""
        chosen = starts[rng.integers(0, len(starts), count)]
        moved = chosen + rng.integers(-jitter, jitter + 1, count)
        place = np.minimum(np.searchsorted(self.starts, moved), len(self.starts) - 1)
        return self.take(np.where(self.starts[place] == moved, moved, chosen))

    def every(self, stride: int) -> np.ndarray:
        """Return the starts of usable windows that are multiples of `stride`: (n,) int64."""
        return self.starts[self.starts % stride == 0]
