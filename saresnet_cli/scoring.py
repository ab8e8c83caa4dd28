"""Scores sequences, each once: its best window, and the mean of all."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model, load_models
from saresnet_cli.pipeline import Chunk, chunk_size, run
from saresnet_cli.running import Run, Summary, pvalues, sigmoid
from saresnet_cli.runtime import Runtime
from saresnet_cli.scorer import Scorer
from saresnet_cli.sequences import Sequence, read_fasta
from saresnet_cli.windows import WindowPlan, count_unknown, cut

_SEQUENCES_AT_ONCE = 16384
_BASES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class SequenceScores:
    """Scored sequences, a row each, in input order, and a column a model.

    name: (n,) object; length: (n,) int64, bases; windows: (n,) int64, how many
    were scored; start, end: (n, models) int64, the best window, 0-based, half-open;
    logit: (n, models) float32, of the best window; score, pvalue, mean: (n, models) float64, sigmoid and
    p-value of that logit, and the mean logit of all windows. Where windows is 0
    the rest is NaN, start and end are -1.
    """

    name: np.ndarray
    length: np.ndarray
    windows: np.ndarray
    start: np.ndarray
    end: np.ndarray
    logit: np.ndarray
    score: np.ndarray
    pvalue: np.ndarray
    mean: np.ndarray

    def __len__(self) -> int:
        return len(self.name)


def score(
    models: Model | str | Path | SequenceOf[Model | str | Path],
    sequences: Iterable[Sequence] | str | Path,
    *,
    stride: int = 1,
    max_n: float = 0.1,
    runtime: Runtime | None = None,
) -> Run[SequenceScores]:
    """Score sequences, each as a whole.

    models: a `Model`, a file or an id, or several. sequences: a FASTA file, "-", or an
    iterable of `sequences.Sequence`. stride: bases between windows, default 1,
    every window. max_n: largest share of letters other than A, C, G, T in a window
    that is scored, default 0.1. runtime: engine, device, threads; default `Runtime()`.
    A sequence without a window is a row too, and is counted in `summary.skipped`.

    Raises ModelError or DeviceError at once; GenomeError, with the line, while iterated;
    ValueError on an option out of range.
    """
    if stride < 1:
        raise ValueError(f"stride {stride} is not at least 1")
    if not 0 <= max_n <= 1:
        raise ValueError(f"max_n {max_n} is not between 0 and 1")
    models = load_models(models)
    if isinstance(sequences, str | Path):
        sequences = read_fasta(sequences)
    with contextlib.ExitStack() as stack:
        scorer = stack.enter_context((runtime or Runtime()).open(models))
        summary = Summary.of(scorer)
        chunks = _chunks(sequences, stride, max_n, chunk_size(scorer), len(models))
        return Run(_blocks(models, scorer, chunks, max_n, summary), summary, stack.pop_all())


class _Batch:
    """Sequences that are scored together, and the best of each so far."""

    def __init__(self, sequences: list[Sequence], stride: int, models: int) -> None:
        self.names = np.array([sequence.name for sequence in sequences], dtype=object)
        self.lengths = np.array([len(sequence.bases) for sequence in sequences], dtype=np.int64)
        count = len(sequences)
        self.plan = WindowPlan.of(np.zeros(count, np.int64), self.lengths, self.lengths, stride)
        self.origins = np.concatenate([[0], np.cumsum(self.lengths)])
        self.bases = sequences[0].bases if count == 1 else np.concatenate([s.bases for s in sequences])
        self.best = np.full((count, models), -np.inf, dtype=np.float32)
        self.start = np.full((count, models), -1, dtype=np.int64)
        self.sum = np.zeros((count, models), dtype=np.float64)
        self.windows = np.zeros(count, dtype=np.int64)

    def add(self, sequence: np.ndarray, start: np.ndarray, logits: np.ndarray) -> None:
        """Take in windows: sequence (n,), ascending, start (n,), logits (n, models)."""
        if not len(logits):
            return
        heads = np.concatenate([[0], np.flatnonzero(np.diff(sequence)) + 1])
        owner = sequence[heads]
        count = np.diff(np.append(heads, len(logits)))
        top = np.maximum.reduceat(logits, heads)
        row = np.arange(len(logits))[:, None]
        places = np.where(logits == np.repeat(top, count, axis=0), row, len(logits))
        first = np.minimum.reduceat(places, heads)  # of equal windows the first is the best
        better = top > self.best[owner]
        self.best[owner] = np.where(better, top, self.best[owner])
        self.start[owner] = np.where(better, start[first], self.start[owner])
        self.sum[owner] += np.add.reduceat(logits.astype(np.float64), heads)
        self.windows[owner] += count


@dataclass(frozen=True)
class _Part:
    batch: _Batch
    sequence: np.ndarray
    start: np.ndarray
    skipped: int
    last: bool


def _chunks(sequences: Iterable[Sequence], stride: int, max_n: float, size: int, models: int) -> Iterator[Chunk[_Part]]:
    for group in _groups(sequences):
        batch = _Batch(group, stride, models)
        total = batch.plan.total
        for begin in range(0, max(total, 1), size):
            sequence, start = batch.plan.windows(begin, min(begin + size, total))
            offset = batch.origins[sequence] + start
            last = begin + size >= total
            if not total:
                yield Chunk(np.empty((0, WINDOW), np.uint8), _Part(batch, sequence, start, 0, last))
                continue
            bases = batch.bases[offset[0] : offset[-1] + WINDOW]
            offset -= offset[0]
            known = np.flatnonzero(count_unknown(bases, offset) <= max_n * WINDOW)
            part = _Part(batch, sequence[known], start[known], len(offset) - len(known), last)
            yield Chunk(cut(bases, offset[known]), part)


def _groups(sequences: Iterable[Sequence]) -> Iterator[list[Sequence]]:
    group: list[Sequence] = []
    bases = 0
    for sequence in sequences:
        group.append(sequence)
        bases += len(sequence.bases)
        if bases >= _BASES_AT_ONCE or len(group) >= _SEQUENCES_AT_ONCE:
            yield group
            group, bases = [], 0
    if group:
        yield group


def _blocks(
    models: SequenceOf[Model], scorer: Scorer, chunks: Iterator[Chunk[_Part]], max_n: float, summary: Summary
) -> Generator[SequenceScores, None, None]:
    many_n = f"{100 * max_n:.3g}% N"
    with summary.timed(), contextlib.closing(run(scorer, chunks)) as results:
        for part, logits in results:
            part.batch.add(part.sequence, part.start, logits)
            summary.add(len(logits), {f"windows with more than {many_n}": part.skipped} if part.skipped else {})
            if part.last:
                batch = part.batch
                short = int(np.count_nonzero(batch.lengths < WINDOW))
                unknown = int(np.count_nonzero(batch.windows == 0)) - short
                reasons = {
                    f"sequences shorter than {WINDOW} bp": short,
                    f"sequences where every window has more than {many_n}": unknown,
                }
                summary.add(0, {reason: count for reason, count in reasons.items() if count})
                summary.kept += int(np.count_nonzero(batch.windows)) * len(models)
                yield _finish(batch, models)


def _finish(batch: _Batch, models: SequenceOf[Model]) -> SequenceScores:
    scored = (batch.windows > 0)[:, None]
    logit = np.where(scored, batch.best, np.float32(np.nan)).astype(np.float32)
    mean = np.full(logit.shape, np.nan)
    np.divide(batch.sum, batch.windows[:, None], out=mean, where=scored)
    return SequenceScores(
        name=batch.names,
        length=batch.lengths,
        windows=batch.windows,
        start=batch.start,
        end=np.where(scored, batch.start + WINDOW, -1),
        logit=logit,
        score=sigmoid(logit),
        pvalue=pvalues([model.card for model in models], logit),
        mean=mean,
    )
