"""Explains scores: how much each base of a window adds to its logit, and what every change would do."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.explaining.mutagenesis import Effects, Mutagenesis, codes
from saresnet_cli.explaining.placement import Placed, Placement, grouped
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model, load_models
from saresnet_cli.pipeline import Chunk, run
from saresnet_cli.reading import RegionLike
from saresnet_cli.regions import read_regions
from saresnet_cli.running import Run, Summary
from saresnet_cli.runtime import Runtime
from saresnet_cli.scorer import Scorer
from saresnet_cli.sequences import Sequence, read_fasta
from saresnet_cli.streams import source_name

GROUP = 8
"""Windows explained together: with their changes they are a whole number of batches of 64."""

REMEMBERED = 1024
"""Windows whose explanation is kept for when they come again."""


class Method(Protocol):
    """How windows are explained: by mutagenesis, or by the gradients of `saresnet_train.attribution`."""

    @property
    def name(self) -> str:
        """As `--method` has it."""

    def windows(self, windows: np.ndarray) -> np.ndarray:
        """Return what has to be scored to explain windows: (n, 101) uint8 ASCII -> (m, 101) uint8 ASCII."""

    def explain(self, windows: np.ndarray, logits: np.ndarray) -> Effects:
        """Explain windows, (n, 101), from logits, (m, models) float32, of what had to be scored."""


@dataclass(frozen=True)
class Explanations:
    """Explained windows, a row a window and model, in the order of the input.

    chrom, name, model: (n,) object, of the region, and the id of the model; start: (n,) int64, 0-based; bases:
    (n, 101) uint8 ASCII; logit: (n,) float32; effect, contribution: (n, 101, 4) float32, columns A, C, G, T;
    missing: (n,) float64; all as in `mutagenesis.Effects`.
    """

    chrom: np.ndarray
    start: np.ndarray
    name: np.ndarray
    model: np.ndarray
    bases: np.ndarray
    logit: np.ndarray
    effect: np.ndarray
    contribution: np.ndarray
    missing: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    @property
    def end(self) -> np.ndarray:
        """Where the windows end: (n,) int64."""
        return self.start + WINDOW

    @property
    def one_hot(self) -> np.ndarray:
        """The bases: (n, 101, 4) uint8, columns A, C, G, T; zeros for another letter."""
        return (codes(self.bases)[..., None] == np.arange(4)).astype(np.uint8)

    @property
    def attribution(self) -> np.ndarray:
        """What each base of the windows adds to the logit: (n, 101) float32."""
        attribution: np.ndarray = (self.contribution * self.one_hot).sum(axis=2, dtype=np.float32)
        return attribution

    def rows(self) -> Iterator[Explanations]:
        """Yield each row as a table of one."""
        for i in range(len(self)):
            yield Explanations(*(column[i : i + 1] for column in vars(self).values()))


@dataclass
class ExplainSummary(Summary):
    """What a run did; windows: that were explained; kept: explanations; scored: windows that a network saw."""

    scored: int = 0

    def __str__(self) -> str:
        skipped = "; ".join(f"{count:,} {reason}" for reason, count in self.skipped.items()) or "nothing"
        return (
            f"{self.windows:,} windows explained, {self.kept:,} explanations from {self.scored:,} scored windows, "
            f"skipped: {skipped}; {self.seconds:.1f} s, {self.windows_per_second:,.1f} explained/s on {self.device}"
        )


def explain(
    models: Model | str | Path | SequenceOf[Model | str | Path],
    sequences: Genome | str | Path | Iterable[Sequence],
    regions: Iterable[RegionLike] | str | Path | None = None,
    *,
    window: str | None = None,
    stride: int = 50,
    max_n: float = 0.1,
    method: Method | None = None,
    runtime: Runtime | None = None,
) -> Run[Explanations]:
    """Explain windows of regions, or of sequences.

    models: a `Model`, a file or an id, or several. sequences: with regions a `Genome` or its FASTA file; without, a
    FASTA file, "-" or an iterable of `sequences.Sequence`. regions: a BED file, "-", or an iterable of regions.
    window: "center", around the summit or the middle, the default of regions; "best", where the model scores
    highest, the default of sequences; "all", at `stride`, default 50. max_n: largest share of letters other than
    A, C, G, T in a window, default 0.1. method: default `Mutagenesis()`. runtime: default `Runtime()`. Memory does
    not grow with the input; windows that come again soon are explained once.

    Raises at once GenomeError, ModelError or DeviceError for what can't be opened, ValueError on an option out of
    range; while iterated, RegionError and GenomeError for what can't be read, and what the method raises.
    """
    models = load_models(models)
    placement = Placement(window or ("best" if regions is None else "center"), stride, max_n)
    with contextlib.ExitStack() as stack:
        genome = None
        if regions is not None:
            if not isinstance(sequences, Genome | str | Path):
                raise ValueError("regions need a genome")
            genome = sequences if isinstance(sequences, Genome) else stack.enter_context(Genome(sequences))
        scorer = stack.enter_context((runtime or Runtime()).open(models))
        if genome is not None and regions is not None:
            source = source_name(regions) if isinstance(regions, str | Path) else None
            found = read_regions(regions) if isinstance(regions, str | Path) else regions
            placed = placement.of_regions(genome, found, scorer, source)
        elif isinstance(sequences, Genome):
            raise ValueError("a genome needs regions")
        else:
            records = read_fasta(sequences) if isinstance(sequences, str | Path) else sequences
            placed = placement.of_sequences(records, scorer)
        summary = ExplainSummary(**vars(Summary.of(scorer)))
        blocks = _blocks([model.id for model in models], scorer, placed, method or Mutagenesis(), summary)
        return Run(blocks, summary, stack.pop_all())


@dataclass(frozen=True)
class _Group:
    """Windows that go together, and the number of each; `new` are those that were not seen before."""

    placed: Placed
    numbers: list[int]
    new: np.ndarray


def _chunks(placed: Iterable[Placed], method: Method) -> Iterator[Chunk[_Group]]:
    seen: dict[bytes, int] = {}
    count = 0
    for group in grouped(placed, GROUP):
        numbers: list[int] = []
        new: list[int] = []
        for row, key in enumerate(map(bytes, group.windows)):
            if key not in seen:
                seen[key] = count + len(new)
                new.append(row)
            numbers.append(seen[key])
        count += len(new)
        while len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        windows = group.windows[new]
        yield Chunk(method.windows(windows), _Group(group, numbers, windows))


def _blocks(
    ids: list[str], scorer: Scorer, placed: Iterable[Placed], method: Method, summary: ExplainSummary
) -> Generator[Explanations, None, None]:
    names = np.array(ids, dtype=object)
    known: dict[int, tuple[np.ndarray, ...]] = {}
    count = 0
    with summary.timed(), contextlib.closing(run(scorer, _chunks(placed, method))) as results:
        for group, logits in results:
            summary.scored += len(logits)
            if len(group.new):
                for each in zip(*method.explain(group.new, logits), strict=True):
                    known[count] = each
                    count += 1
            where = group.placed
            row, column = np.nonzero(where.wanted)
            summary.add(len(where), where.skipped)
            summary.kept += len(row)
            if len(row):
                found = [np.stack(values)[row, column] for values in zip(*map(known.get, group.numbers), strict=True)]
                yield Explanations(
                    where.chrom[row], where.start[row], where.name[row], names[column], where.windows[row], *found
                )
            while len(known) > REMEMBERED + GROUP:
                del known[next(iter(known))]
