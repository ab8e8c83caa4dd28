"""A genome in memory at a quarter of a byte a base, so that a human one takes 0.8 GB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.genome import Genome
from saresnet_train.codes import OTHER, encode
from saresnet_train.runs import Runs

BLOCK = 1 << 20
"""Bases that are read at a time; whole bytes of four."""

_UNPACKED = (np.arange(256, dtype=np.uint8)[:, None] >> np.array([0, 2, 4, 6], np.uint8)) & 3  # (256, 4)
_BYTES = WINDOW // 4 + 2  # that a window touches at most


@dataclass(frozen=True)
class PackedGenome:
    """All sequences of a FASTA file, one behind the other, two bits a base.

    offsets: where each sequence begins, by name, in file order; lengths: bases by name. packed: uint8, four
    bases each, the first in the lowest bits. other: places of letters other than A, C, G, T, which are packed as A.
    """

    offsets: dict[str, int]
    lengths: dict[str, int]
    packed: np.ndarray
    other: Runs

    @classmethod
    def read(cls, path: Path | str) -> PackedGenome:
        """Read a FASTA file, plain or BGZF; raises GenomeError when it can't be read."""
        with Genome(path) as genome:
            ends = np.cumsum([genome.lengths[name] for name in genome.names]).tolist()
            offsets = dict(zip(genome.names, [0, *ends[:-1]], strict=True))
            packed = np.zeros(ends[-1] // 4 + _BYTES, np.uint8)
            low: list[np.ndarray] = []
            high: list[np.ndarray] = []
            for name, offset in offsets.items():
                for at in range(0, genome.lengths[name], BLOCK):
                    codes = encode(genome.fetch(name, at, min(at + BLOCK, genome.lengths[name])))
                    strange = np.concatenate([[False], codes == OTHER, [False]])
                    edges = np.flatnonzero(strange[1:] != strange[:-1]) + offset + at
                    low.append(edges[::2])
                    high.append(edges[1::2])
                    _pack(packed, codes, offset + at)
        return cls(offsets, dict(genome.lengths), packed, Runs.union(np.concatenate(low), np.concatenate(high)))

    def __len__(self) -> int:
        return sum(self.lengths.values())

    def __getitem__(self, part: slice) -> np.ndarray:
        """Return the base codes of a stretch of the concatenated sequences: uint8, other letters included."""
        start, stop, _ = part.indices(len(self))
        codes = _UNPACKED[self.packed[start // 4 : -(-stop // 4)]].ravel()[start % 4 :][: stop - start]
        inside = self.other.common(Runs.union([start], [stop]))
        for low, high in zip(inside.low.tolist(), inside.high.tolist(), strict=True):
            codes[low - start : high - start] = OTHER
        return codes

    def windows(self, starts: np.ndarray) -> np.ndarray:
        """Return windows that hold A, C, G, T only: (n,) int64 starts -> (n, 101) uint8 codes."""
        codes = np.empty((len(starts), WINDOW), np.uint8)
        for at in range(0, len(starts), BLOCK // WINDOW):
            some = starts[at : at + BLOCK // WINDOW]
            spread = _UNPACKED[self.packed[(some // 4)[:, None] + np.arange(_BYTES)]].reshape(len(some), -1)
            for phase in range(4):
                rows = np.flatnonzero(some % 4 == phase)
                codes[at + rows] = spread[rows, phase : phase + WINDOW]
        return codes


def _pack(packed: np.ndarray, codes: np.ndarray, place: int) -> None:
    """Add the codes of bases from `place` on; their bits are 0 so far."""
    ahead = np.zeros(place % 4 + len(codes) + (-(place + len(codes))) % 4, np.uint8)
    ahead[place % 4 : place % 4 + len(codes)] = codes & 3
    first, second, third, fourth = ahead.reshape(-1, 4).T
    packed[place // 4 : place // 4 + len(first)] |= first | second << 2 | third << 4 | fourth << 6
