"""Writes a bigWig file with pybigtools, as a process that `bigwig.py` starts with the name of the file.

A process of its own, since the library prints what fails, and returns; so the file is read again when it is written.
Standard input is a line of JSON, the length of each chromosome; then for each part of the track a line
[chrom, count], and the bytes of start and end, (count,) uint32, and value, (count,) float32, sorted. An error is the
last line on standard error, and exit code 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import repeat
from typing import BinaryIO

import numpy as np
import pybigtools

MAGIC = bytes.fromhex("26fc8f88")
"""The first bytes of a file, and its last."""


class Parts:
    """The parts of a track; iterate for rows (chrom, start, end, value).

    sums: of each part that was given (chrom, start, end, sums of its rows).
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.sums: list[tuple[str, int, int, list[float]]] = []

    def __iter__(self) -> Iterator[tuple[str, int, int, float]]:
        while line := self._source.readline():
            chrom, count = json.loads(line)
            start, end = np.frombuffer(self._source.read(8 * count), "<u4").reshape(2, count)
            value = np.frombuffer(self._source.read(4 * count), "<f4")
            self.sums.append((chrom, int(start[0]), int(end[-1]), _sums(start, end, value)))
            yield from zip(repeat(chrom), start.tolist(), end.tolist(), value.tolist())


def check(path: str, parts: Parts) -> None:
    """Compare a file with what was written; raises RuntimeError when it doesn't hold it."""
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(-len(MAGIC), 2)
        if file.read() != MAGIC:
            raise RuntimeError("its end is missing")
    big = pybigtools.open(path)
    for chrom, start, end, sums in parts.sums:
        rows = np.array(list(big.records(chrom, start, end)))
        if _sums(*rows.T) != sums:
            raise RuntimeError(f"it reads back with other values in {chrom}:{start}-{end}")
    big.close()


def _sums(start: np.ndarray, end: np.ndarray, value: np.ndarray) -> list[float]:
    bases = end.astype(np.float64) - start
    return [float(len(start)), float(bases.sum()), float((bases * value).sum()), float((start * bases).sum())]


def main() -> None:
    """Write the file that the first argument names."""
    parts = Parts(sys.stdin.buffer)
    try:
        lengths = json.loads(sys.stdin.buffer.readline())
        pybigtools.open(sys.argv[1], "w").write(lengths, iter(parts))
        if sys.stdin.buffer.read(1):
            raise RuntimeError("it took in a part only")
        if parts.sums:
            check(sys.argv[1], parts)
    except BaseException as error:  # a panic of Rust is no Exception
        sys.exit(str(error).split("\n")[0] or "interrupted")
