"""Scores variants: how strongly a factor binds the alternate alleles, against the reference."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model, load_models
from saresnet_cli.pipeline import Chunk, chunk_size, run
from saresnet_cli.running import Run, Summary
from saresnet_cli.runtime import Runtime
from saresnet_cli.scorer import Scorer
from saresnet_cli.variants.allele_windows import AlleleWindows
from saresnet_cli.variants.alleles import SKIPPED, Allele, AlleleReader, VariantError, VariantLike
from saresnet_cli.windows import count_unknown, cut

WINDOWS = ("covering", "centered")
PARTIAL = ("CHROM_END", "N_FLANK")
"""Why an allele is scored on fewer windows: an end of the sequence (with "centered": out of the middle), or N."""

_CHUNKS_AT_ONCE = 8
_VARIANTS_AT_ONCE = 4096
_SUSPICIOUS = 0.1  # share of alleles with another REF than the genome's, and not just a few
_log = logging.getLogger("saresnet")


@dataclass(frozen=True)
class VariantScores:
    """Alternate alleles in input order, a row each, and a column a model.

    variants: the records, each with all its alleles; record: (n,) int64, which of them a row belongs to; allele: (n,)
    int64, which of its alternates, from 0. skipped: (n,) object, "" or the key of `alleles.SKIPPED` that says why the
    row has no score; partial: (n,) object, "" or of `PARTIAL`, joined by "+"; windows: (n,) int64, how many were
    scored on both haplotypes. ref, alt, delta, gain, loss: (n, models) float64, NaN where there is none; gain_start,
    loss_start: (n, models) int64, -1 where there is none (`allele_windows.Comparison`).
    """

    variants: Sequence[Any]
    record: np.ndarray
    allele: np.ndarray
    skipped: np.ndarray
    partial: np.ndarray
    windows: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    delta: np.ndarray
    gain: np.ndarray
    gain_start: np.ndarray
    loss: np.ndarray
    loss_start: np.ndarray

    def __len__(self) -> int:
        return len(self.record)


@dataclass
class VariantSummary(Summary):
    """What a run did; records, alleles: how many there were; scored: alleles with a score; partial: on fewer windows.

    skipped: alleles without a score, by reason, and windows with too many N.
    """

    records: int = 0
    alleles: int = 0
    scored: int = 0
    partial: int = 0

    def __str__(self) -> str:
        skipped = "; ".join(f"{count:,} {reason}" for reason, count in self.skipped.items()) or "nothing"
        by = f" by {self.models} models" if self.models > 1 else ""
        partial = f" ({self.partial:,} on fewer windows)" if self.partial else ""
        return (
            f"{self.records:,} records, {self.alleles:,} alternate alleles, {self.scored:,} scored{by}{partial}, "
            f"skipped: {skipped}; {self.windows:,} windows, {self.seconds:.1f} s, "
            f"{self.windows_per_second:,.0f} windows/s on {self.device}"
        )


def score_variants(
    models: Model | str | Path | Sequence[Model | str | Path],
    variants: Iterable[VariantLike] | str | Path,
    genome: Genome | str | Path,
    *,
    windows: str = "covering",
    max_n: float = 0.1,
    runtime: Runtime | None = None,
) -> Run[VariantScores]:
    """Score the alternate alleles of variants against the reference, on the windows that cover them.

    models: a `Model`, a file or an id, or several. variants: a VCF or BCF file, "-", or an iterable of `Variant`s
    or records of pysam. genome: a `Genome` or a FASTA file. windows: "covering", every window that holds or spans
    the allele, 101 a haplotype for a substitution, or "centered", one a haplotype. max_n: largest share of letters
    other than A, C, G, T in a window that is scored, default 0.1. runtime: engine, device, threads; default
    `Runtime()`. Memory grows with the longest record, not with their number.

    Raises at once GenomeError, VariantError, ModelError or DeviceError for what can't be opened, ValueError on an
    option out of range; while iterated, VariantError for a record that can't be read, and in the end when the
    genome has none of the sequences.
    """
    if windows not in WINDOWS:
        raise ValueError(f"windows {windows!r} is not one of {', '.join(WINDOWS)}")
    if not 0 <= max_n <= 1:
        raise ValueError(f"max_n {max_n} is not between 0 and 1")
    from saresnet_cli.variants.reader import VcfReader

    models = load_models(models)
    with contextlib.ExitStack() as stack:
        if not isinstance(genome, Genome):
            genome = stack.enter_context(Genome(genome))
        if isinstance(variants, str | Path):
            variants = stack.enter_context(VcfReader(variants))
        scorer = stack.enter_context((runtime or Runtime()).open(models))
        source = variants.name if isinstance(variants, VcfReader) else None
        reader = AlleleReader(genome)
        size = chunk_size(scorer)
        batches = _batches(reader, variants, windows == "centered", size * _CHUNKS_AT_ONCE)
        summary = VariantSummary(**vars(Summary.of(scorer)))
        blocks = _blocks(scorer, _chunks(batches, max_n, size), max_n, summary)
        return Run(_checked(blocks, reader, genome, source, summary), summary, stack.pop_all())


@dataclass
class _Batch:
    """Some records, the windows of their alleles, and the logits of those that were computed."""

    variants: list[VariantLike]
    record: np.ndarray
    allele: np.ndarray
    skipped: np.ndarray
    rows: np.ndarray  # those that have windows
    plan: AlleleWindows
    known: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # windows without too many N
    same: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # which of the distinct ones each is
    logits: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    batch: _Batch
    last: bool


def _batches(reader: AlleleReader, variants: Iterable[VariantLike], centered: bool, size: int) -> Iterator[_Batch]:
    """Group whole records, with as many windows as fit into `size`, one record at least."""
    group: list[VariantLike] = []
    placed: list[list[Allele | str]] = []
    held = 0
    for variant in variants:
        alleles = reader.read(variant)
        windows = sum((2 if centered else a.windows) for a in alleles if isinstance(a, Allele))
        if group and (held + windows > size or len(group) == _VARIANTS_AT_ONCE):
            yield _batch(group, placed, centered)
            group, placed, held = [], [], 0
        group.append(variant)
        placed.append(alleles)
        held += windows
    if group:
        yield _batch(group, placed, centered)


def _batch(variants: list[VariantLike], placed: list[list[Allele | str]], centered: bool) -> _Batch:
    flat = [allele for alleles in placed for allele in alleles]
    counts = np.array([len(alleles) for alleles in placed], np.int64)
    record = np.repeat(np.arange(len(placed)), counts)
    return _Batch(
        variants=variants,
        record=record,
        allele=np.arange(len(flat)) - np.repeat(np.cumsum(counts) - counts, counts),
        skipped=np.array([allele if isinstance(allele, str) else "" for allele in flat], dtype=object),
        rows=np.array([row for row, allele in enumerate(flat) if isinstance(allele, Allele)], np.int64),
        plan=AlleleWindows.of([allele for allele in flat if isinstance(allele, Allele)], centered),
    )


def _chunks(batches: Iterable[_Batch], max_n: float, size: int) -> Iterator[Chunk[_Part]]:
    """Yield the distinct windows of each batch: alleles near each other share most of the reference's."""
    for batch in batches:
        plan = batch.plan
        windows = np.empty((0, WINDOW), np.uint8)
        if len(plan.start):
            batch.known = np.flatnonzero(count_unknown(plan.bases, plan.start) <= max_n * WINDOW)
            words = np.ascontiguousarray(cut(plan.bases, plan.start[batch.known])).view(f"S{WINDOW}").ravel()
            distinct, batch.same = np.unique(words, return_inverse=True)
            windows = distinct.view(np.uint8).reshape(-1, WINDOW)
        for begin in range(0, max(len(windows), 1), size):
            yield Chunk(windows[begin : begin + size], _Part(batch, begin + size >= len(windows)))


def _blocks(
    scorer: Scorer, chunks: Iterator[Chunk[_Part]], max_n: float, summary: VariantSummary
) -> Generator[VariantScores, None, None]:
    many_n = f"windows with more than {100 * max_n:.3g}% N"
    with summary.timed(), contextlib.closing(run(scorer, chunks)) as results:
        for part, logits in results:
            batch = part.batch
            batch.logits.append(logits)
            if not part.last:
                continue
            scores = _finish(batch, summary.models)
            reasons, counts = np.unique(scores.skipped.astype(str), return_counts=True)
            skipped = dict(zip(reasons.tolist(), counts.tolist(), strict=True))
            unknown = len(batch.plan.start) - len(batch.known)
            summary.add(
                len(batch.known),
                {f"{key} ({text})": skipped[key] for key, text in SKIPPED.items() if key in skipped}
                | ({many_n: unknown} if unknown else {}),
            )
            summary.records += len(batch.variants)
            summary.alleles += len(scores) - skipped.get("NO_ALT", 0)
            summary.scored += skipped.get("", 0)
            summary.kept += skipped.get("", 0) * summary.models
            summary.partial += int(np.count_nonzero(scores.partial))
            yield scores


def _finish(batch: _Batch, models: int) -> VariantScores:
    plan, count, rows = batch.plan, len(batch.record), batch.rows
    logits = np.full((len(plan.start), models), np.nan, np.float32)
    logits[batch.known] = np.concatenate(batch.logits)[batch.same]
    comparison = plan.compare(logits)
    scored = np.zeros(len(plan.start), dtype=np.int64)
    scored[batch.known] = 1
    heads = plan.heads[:-1]
    present = np.add.reduceat(scored, heads).reshape(-1, 2) if len(rows) else np.empty((0, 2), np.int64)
    planned = np.diff(plan.heads).reshape(-1, 2)
    none = (present == 0).any(axis=1)
    skipped, partial = batch.skipped, np.full(count, "", dtype=object)
    skipped[rows[none]] = "N_FLANK"
    partial[rows[~none & plan.clipped]] = "CHROM_END"
    lacking = rows[~none & (present < planned).any(axis=1)]
    partial[lacking] = np.where(partial[lacking] == "", "N_FLANK", "CHROM_END+N_FLANK")
    windows = np.zeros(count, dtype=np.int64)
    windows[rows[~none]] = present.sum(axis=1)[~none]
    columns = {name: _spread(value[~none], rows[~none], count) for name, value in vars(comparison).items()}
    return VariantScores(batch.variants, batch.record, batch.allele, skipped, partial, windows, **columns)


def _spread(values: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Put values, (k, models), into their rows of `count`; the others hold NaN, or -1 where values are integers."""
    missing = -1 if values.dtype.kind == "i" else np.nan
    result = np.full((count, values.shape[1]), missing, dtype=values.dtype)
    result[rows] = values
    return result


def _checked(
    blocks: Generator[VariantScores, None, None],
    reader: AlleleReader,
    genome: Genome,
    source: str | None,
    summary: VariantSummary,
) -> Generator[VariantScores, None, None]:
    """Pass blocks on; in the end say whether these look like the variants of another genome."""
    mismatches = 0
    with contextlib.closing(blocks):
        for block in blocks:
            mismatches += int(np.count_nonzero(block.skipped == "REF_MISMATCH"))
            yield block
    if reader.unknown and not reader.known:
        raise VariantError(
            f"the genome has none of its sequences ({_some(reader.unknown)})",
            path=source,
            cure=f"give the genome of the variants; {genome.path} has {_some(genome.names)}",
        )
    if mismatches > max(9, _SUSPICIOUS * summary.alleles):
        _log.warning(
            "REF of %s of %s alleles differs from %s: is it the genome that the variants were called on?",
            f"{mismatches:,}",
            f"{summary.alleles:,}",
            genome.path,
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
