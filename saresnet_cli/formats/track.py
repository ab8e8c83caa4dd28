"""A track: one value for each base, made of windows that overlap.

Each window gives its value to the `stride` bases around its middle (to its own 101 where the stride is longer), up
to halfway to the middles of its neighbours. So the stretches of a track never overlap, lie within the chromosome,
and leave no gap between windows a stride apart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.formats.digits import changes
from saresnet_cli.formats.sorted_scores import SortedScores
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model
from saresnet_cli.running import pvalues, sigmoid
from saresnet_cli.scanning import Block

VALUE_NAMES = {"logit": "logit", "score": "score", "pvalue": "-log10(pvalue)"}
"""What a track holds, by `--value`: the higher, the more likely bound."""

_log = logging.getLogger("saresnet")


@dataclass(frozen=True)
class Stretches:
    """Stretches of a chromosome, ascending: start, end: (n,) int64, 0-based, half-open; value: (n,) float."""

    chrom: str
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray


class Track:
    """Makes a track of the blocks of a scan by one model; use it in a `with` statement.

    genome: gives the names of chromosomes. stride: of the scan. value: "logit", "score" or "pvalue", which becomes
    -log10. folder: where a temporary file may grow, 8 bytes a window. Chromosomes are in the order of bytes, which is
    that of `LC_ALL=C sort`: UCSC's readers want it in a bigWig of many sequences, and its tools in a bedGraph.
    """

    def __init__(self, model: Model, genome: Genome, stride: int, value: str, folder: Path | None) -> None:
        self.lengths = {name: genome.lengths[name] for name in sorted(genome.names, key=str.encode)}
        self._names = list(self.lengths)
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._model = model
        self._genome = genome
        self._width = min(stride, WINDOW)
        self._value = value
        self._scores = SortedScores(folder)

    def __enter__(self) -> Track:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scores.__exit__(kind, error, trace)

    def add(self, block: Block) -> None:
        """Take in a block of one model, in any order."""
        first = changes(block.chrom)
        numbers = [self._number(name) for name in block.chrom[first].tolist()]
        sequence = np.repeat(np.array(numbers, dtype=np.int64), np.diff(first, append=len(block)))
        self._scores.add(sequence, block.start, block.logit[:, 0])

    def stretches(self) -> Iterator[Stretches]:
        """Yield the track, sorted, many stretches at a time; says in the log what windows coincide."""
        held: tuple[int, np.ndarray, np.ndarray, np.ndarray] | None = None  # the last of a piece waits for the next
        for number, start, logit in self._scores.pieces():
            middle = start + WINDOW // 2
            low = middle - self._width // 2
            if held is not None and held[0] == number:
                middle, low = np.concatenate([held[1], middle]), np.concatenate([held[2], low])
                logit = np.concatenate([held[3], logit])
            elif held is not None:
                yield self._finished(held[0], *held[1:])
            halfway = (middle[:-1] + middle[1:] + 1) // 2
            low[1:] = np.maximum(low[1:], halfway)
            if len(middle) > 1:
                yield self._finished(number, middle[:-1], low[:-1], logit[:-1], halfway)
            held = number, middle[-1:], low[-1:], logit[-1:]
        if held is not None:
            yield self._finished(held[0], *held[1:])
        if self._scores.repeated:
            _log.info("%s windows coincide with others: a track has them once", f"{self._scores.repeated:,}")

    def _finished(
        self, number: int, middle: np.ndarray, low: np.ndarray, logit: np.ndarray, halfway: np.ndarray | None = None
    ) -> Stretches:
        high = middle - self._width // 2 + self._width
        if halfway is not None:
            high = np.minimum(high, halfway)
        return Stretches(self._names[number], low, high, self._values(logit))

    def _values(self, logit: np.ndarray) -> np.ndarray:
        if self._value == "logit":
            return logit
        if self._value == "score":
            return sigmoid(logit)
        return 0.0 - np.log10(pvalues([self._model.card], logit[:, None])[:, 0])

    def _number(self, name: str) -> int:
        """Return the number of a chromosome, which the regions may call by another name than the genome does."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._numbers[self._genome.resolve(name)]
        return number
