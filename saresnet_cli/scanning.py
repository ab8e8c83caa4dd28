"""Scans a genome, or regions of it, with one or several models."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import ModelError
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model, load_models
from saresnet_cli.pipeline import Chunk, chunk_size, run
from saresnet_cli.planning import check_source, share_of
from saresnet_cli.printed import six_decimals, three_digits
from saresnet_cli.reading import RegionLike, RegionReader, Rows
from saresnet_cli.running import Run, Summary, pvalues, sigmoid
from saresnet_cli.runtime import Runtime
from saresnet_cli.scorer import Scorer
from saresnet_cli.shards import Shard
from saresnet_cli.streams import source_name


@dataclass(frozen=True)
class Block:
    """Scored windows, a row each, in input order, and a column a model.

    chrom: (n,) object, the name as the region gave it; start, end: (n,) int64,
    0-based, half-open; logit: (n, models) float32; score: (n, models) float64, sigmoid of the
    logit; pvalue: (n, models) float64, NaN where a model has no background; keep: (n, models) bool,
    which scores passed the filters, at least one a row.
    """

    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    logit: np.ndarray
    score: np.ndarray
    pvalue: np.ndarray
    keep: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def scan(
    models: Model | str | Path | Sequence[Model | str | Path],
    genome: Genome | str | Path,
    regions: Iterable[RegionLike] | str | Path | None = None,
    *,
    stride: int = 50,
    max_n: float = 0.1,
    min_score: float | None = None,
    max_pvalue: float | None = None,
    shard: Shard | None = None,
    runtime: Runtime | None = None,
) -> Run[Block]:
    """Score the windows of regions, or of every sequence of a genome, reading each base once for all models.

    models: a `Model`, a file or an id, or several. genome: a `Genome` or a FASTA file.
    regions: a BED file, "-", or an iterable of regions; default is every
    sequence. stride: bases between windows, default 50; which windows a region
    gives is told by `windows.WindowPlan.of`. max_n: largest share of letters other
    than A, C, G, T in a window that is scored, default 0.1. min_score,
    max_pvalue: scores to keep, default all; scores and p-values count as they are printed, with six decimals and three
    digits. shard: the share of the windows to score, default all; a file of
    regions is then read twice. runtime: engine, device, threads; default `Runtime()`.
    Memory does not grow with the genome or the regions. A run whose `summary.reached` is set before it is iterated
    begins there.

    Raises at once GenomeError, ModelError or DeviceError for what can't be opened, ValueError
    on an option out of range; while iterated, RegionError with file and line for a region that
    is not in the genome, GenomeError for bases that are not DNA.
    """
    if stride < 1:
        raise ValueError(f"stride {stride} is not at least 1")
    if not 0 <= max_n <= 1:
        raise ValueError(f"max_n {max_n} is not between 0 and 1")
    models = load_models(models)
    for model in models:
        if max_pvalue is not None and model.card.null is None:
            raise ModelError("the model has no background, so no p-values", path=model.path, cure="use --min-score")
    source, noun = None, "regions in sequences"
    with contextlib.ExitStack() as stack:
        if not isinstance(genome, Genome):
            genome = stack.enter_context(Genome(genome))
        scorer = stack.enter_context((runtime or Runtime()).open(models))
        if regions is None:
            noun = "sequences"
        elif isinstance(regions, str | Path):
            source = source_name(regions)
            if shard is not None:
                check_source(regions)
        reader = RegionReader(genome, stride, max_n, source, noun)
        summary = Summary.of(scorer)
        limits = {"score>=": min_score, "pvalue<=": max_pvalue}
        summary.filters = ",".join(f"{what}{value:g}" for what, value in limits.items() if value is not None)

        def chunks() -> Iterator[Chunk[Rows]]:  # in the thread that reads
            part, share = share_of(reader, regions, shard, summary.reached)
            yield from reader.chunks(part, chunk_size(scorer), share)

        return Run(_blocks(models, scorer, chunks(), min_score, max_pvalue, summary), summary, stack.pop_all())


def _blocks(
    models: Sequence[Model],
    scorer: Scorer,
    chunks: Iterator[Chunk[Rows]],
    min_score: float | None,
    max_pvalue: float | None,
    summary: Summary,
) -> Generator[Block, None, None]:
    cards = [model.card for model in models]
    with summary.timed(), contextlib.closing(run(scorer, chunks)) as results:
        for rows, logits in results:
            summary.add(len(logits), rows.skipped)
            summary.reached = rows.reached
            score, pvalue = sigmoid(logits), pvalues(cards, logits)
            keep = np.ones(logits.shape, dtype=bool)
            if min_score is not None:
                keep &= six_decimals(score) >= min_score
            if max_pvalue is not None:
                keep &= three_digits(pvalue.ravel()).reshape(pvalue.shape) <= max_pvalue
            block = Block(rows.chrom, rows.start, rows.start + WINDOW, logits, score, pvalue, keep)
            if not keep.all():
                some = keep.any(axis=1)
                block = Block(*(column[some] for column in vars(block).values()))
            summary.kept += int(np.count_nonzero(block.keep))
            if len(block):
                yield block
