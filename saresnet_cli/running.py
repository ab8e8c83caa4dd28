"""A run in progress, what it did, and how logits become scores and p-values."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from saresnet_cli.card import Card
from saresnet_cli.scorer import Scorer

B = TypeVar("B")


@dataclass
class Summary:
    """What a run did.

    windows: how many were scored, by each of `models`; kept: scores that passed the filters;
    skipped: windows that could not be scored, by reason; seconds: it took; engine, precision, device: what computed
    them. reached: how many windows of all regions are done with, in a scan; what an earlier run did counts.
    filters: what a score must hold to be kept, in words, "" for all.
    """

    models: int = 1
    engine: str = ""
    precision: str = "float32"
    windows: int = 0
    kept: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = ""
    reached: int = 0
    filters: str = ""

    @classmethod
    def of(cls, scorer: Scorer) -> Summary:
        """Begin to count what a scorer does."""
        return cls(models=len(scorer.engines), engine=scorer.engine, precision=scorer.precision, device=scorer.device)

    @property
    def windows_per_second(self) -> float:
        """Scored windows per second, from the first read to the last row."""
        return self.windows / self.seconds if self.seconds else 0.0

    def add(self, windows: int, skipped: dict[str, int]) -> None:
        """Count windows that were scored, and what was skipped, by reason."""
        self.windows += windows
        for reason, count in skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Measure `seconds` around a run, on top of those of an earlier run."""
        begun = time.perf_counter() - self.seconds
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - begun

    def __str__(self) -> str:
        skipped = "; ".join(f"{count:,} {reason}" for reason, count in self.skipped.items()) or "nothing"
        by = f" by {self.models} models" if self.models > 1 else ""
        return (
            f"{self.windows:,} windows scored{by}, {self.kept:,} scores kept, skipped: {skipped}; "
            f"{self.seconds:.1f} s, {self.windows_per_second:,.0f} windows/s on {self.device}"
        )


class Run(Generic[B]):
    """A run in progress: iterate over it for blocks, then read `summary`.

    In a `with` statement its threads and files end with the statement, also
    when not every block was read.
    """

    def __init__(self, blocks: Generator[B, None, None], summary: Summary, resources: contextlib.ExitStack) -> None:
        self._blocks = blocks
        self._resources = resources
        self.summary = summary

    def __iter__(self) -> Iterator[B]:
        with self._resources:
            yield from self._blocks

    def __enter__(self) -> Run[B]:
        return self

    def __exit__(self, *_: object) -> None:
        self._blocks.close()
        self._resources.close()


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the probability of each logit: any shape, float32 -> the same shape, float64."""
    return 1.0 / (1.0 + np.exp(np.minimum(-logits.astype(np.float64), 700.0)))  # exp(710) overflows


def pvalues(cards: Sequence[Card], logits: np.ndarray) -> np.ndarray:
    """Return p-values, (n, models) float32 -> (n, models) float64, NaN where a card has no background."""
    result = np.full(logits.shape, np.nan)
    for column, card in enumerate(cards):
        if card.null is not None:
            result[:, column] = card.null.pvalue(logits[:, column])
    return result
