"""Chooses the windows of regions and sequences that are explained: the central one, the best, or all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.genome import Genome
from saresnet_cli.pipeline import chunk_size
from saresnet_cli.reading import RegionLike, RegionReader
from saresnet_cli.regions import Region, summit_of
from saresnet_cli.scorer import Scorer
from saresnet_cli.sequences import Sequence
from saresnet_cli.windows import WindowPlan, count_unknown, cut

CHOICES = ("center", "best", "all")
"""Around the summit, or the middle; where the model scores highest; all at a stride."""


@dataclass(frozen=True)
class Placed:
    """Windows of regions or sequences.

    chrom, name: (n,) object; start: (n,) int64, 0-based; windows: (n, 101) uint8 ASCII; wanted: (n, models)
    bool, which models are asked about each; skipped: how many windows or sequences, by reason.
    """

    chrom: np.ndarray
    name: np.ndarray
    start: np.ndarray
    windows: np.ndarray
    wanted: np.ndarray
    skipped: dict[str, int]

    def __len__(self) -> int:
        return len(self.start)

    def parts(self, size: int) -> Iterator[Placed]:
        """Yield `size` windows at a time, at least one part, the first of which has what was skipped."""
        for at in range(0, max(len(self), 1), size):
            yield self._cut(slice(at, at + size), {} if at else self.skipped)

    def _cut(self, rows: slice, skipped: dict[str, int]) -> Placed:
        return Placed(
            self.chrom[rows], self.name[rows], self.start[rows], self.windows[rows], self.wanted[rows], skipped
        )


def grouped(placed: Iterable[Placed], size: int) -> Iterator[Placed]:
    """Yield the same windows `size` at a time; the last may have fewer, or none."""
    held: list[Placed] = []
    count = 0
    for part in placed:
        held.append(part)
        count += len(part)
        if count >= size:
            *whole, last = _joined(held).parts(size)
            yield from whole
            held, count = [last], len(last)
    if held:
        yield from _joined(held).parts(size)


def _joined(placed: list[Placed]) -> Placed:
    skipped: dict[str, int] = {}
    for part in placed:
        add_counts(skipped, part.skipped)
    return Placed(
        np.concatenate([part.chrom for part in placed]),
        np.concatenate([part.name for part in placed]),
        np.concatenate([part.start for part in placed]),
        np.concatenate([part.windows for part in placed]),
        np.concatenate([part.wanted for part in placed]),
        skipped,
    )


def add_counts(counts: dict[str, int], more: dict[str, int]) -> None:
    """Add counts by reason to others."""
    for reason, count in more.items():
        counts[reason] = counts.get(reason, 0) + count


class _Found(NamedTuple):
    start: np.ndarray
    windows: np.ndarray
    skipped: dict[str, int]


@dataclass(frozen=True)
class Placement:
    """Which windows to choose.

    choice: one of `CHOICES`; "best" is the best of every window, each model's own, and of equal ones the
    first. stride: bases between windows of "all". max_n: largest share of letters other than A, C, G, T in a
    window. Raises ValueError on a value out of range.
    """

    choice: str
    stride: int = 50
    max_n: float = 0.1

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            raise ValueError(f"window {self.choice!r} is not one of {', '.join(CHOICES)}")
        if self.stride < 1:
            raise ValueError(f"stride {self.stride} is not at least 1")
        if not 0 <= self.max_n <= 1:
            raise ValueError(f"max_n {self.max_n} is not between 0 and 1")

    def of_regions(
        self, genome: Genome, regions: Iterable[RegionLike], scorer: Scorer, source: str | None
    ) -> Iterator[Placed]:
        """Yield the windows of each region, those of a long one in parts; raises RegionError and GenomeError.

        source: what errors call the file of the regions, None where there is none.
        """
        reader = RegionReader(genome, self._step, self.max_n, source)
        for region in regions:
            chosen = region
            if self.choice == "center":
                next(reader.chunks([region], 1), None)  # the region has to be in the genome, not its middle alone
                summit = summit_of(region)
                middle = (region.start + region.end) // 2 if summit is None else summit
                chosen = Region(region.chrom, middle, middle + 1)
            found = (
                _Found(chunk.about.start, chunk.windows, chunk.about.skipped)
                for chunk in reader.chunks([chosen], chunk_size(scorer))
            )
            yield from self._place(region.chrom, getattr(region, "name", "."), found, scorer)

    def of_sequences(self, sequences: Iterable[Sequence], scorer: Scorer) -> Iterator[Placed]:
        """Yield the windows of each sequence, those of a long one in parts; raises GenomeError."""
        for sequence in sequences:
            yield from self._place(sequence.name, sequence.name, self._windows(sequence, chunk_size(scorer)), scorer)

    @property
    def _step(self) -> int:
        return 1 if self.choice == "best" else self.stride

    def _windows(self, sequence: Sequence, size: int) -> Iterator[_Found]:
        length = len(sequence.bases)
        if length < WINDOW:
            skipped = {f"sequences shorter than {WINDOW} bp": 1}
            yield _Found(np.empty(0, np.int64), np.empty((0, WINDOW), np.uint8), skipped)
            return
        begin, end = (length // 2, length // 2 + 1) if self.choice == "center" else (0, length)
        plan = WindowPlan.of(np.array([begin]), np.array([end]), np.array([length]), self._step)
        for number in range(0, plan.total, size):
            start = plan.windows(number, min(number + size, plan.total))[1]
            known = start[count_unknown(sequence.bases, start) <= self.max_n * WINDOW]
            lost = len(start) - len(known)
            skipped = {f"windows with more than {100 * self.max_n:.3g}% N": lost} if lost else {}
            yield _Found(known, cut(sequence.bases, known), skipped)

    def _place(self, chrom: str, name: str, found: Iterable[_Found], scorer: Scorer) -> Iterator[Placed]:
        parts: Iterable[tuple[_Found, np.ndarray | None]] = ((part, None) for part in found)
        if self.choice == "best":
            parts = [_best(found, scorer)]
        for part, wanted in parts:
            count = len(part.start)
            if wanted is None:
                wanted = np.ones((count, len(scorer.engines)), dtype=bool)
            names = np.full((2, count), [[chrom], [name]], dtype=object)
            yield Placed(names[0], names[1], part.start, part.windows, wanted, part.skipped)


def _best(found: Iterable[_Found], scorer: Scorer) -> tuple[_Found, np.ndarray]:
    """Return the windows that score highest, each once, and (n, models) bool, by which model."""
    models = len(scorer.engines)
    top = np.full(models, -np.inf, dtype=np.float32)
    start = np.full(models, -1, dtype=np.int64)
    windows = np.empty((models, WINDOW), dtype=np.uint8)
    skipped: dict[str, int] = {}
    for part in found:
        add_counts(skipped, part.skipped)
        if not len(part.start):
            continue
        logits = scorer.logits(part.windows)
        first = logits.argmax(axis=0)
        height = logits[first, np.arange(models)]
        better = height > top
        top[better], start[better] = height[better], part.start[first[better]]
        windows[better] = part.windows[first[better]]
    each, first = np.unique(start, return_index=True)
    each, first = each[each >= 0], first[each >= 0]
    return _Found(each, windows[first], skipped), each[:, None] == start[None, :]
