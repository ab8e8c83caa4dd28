"""Puts motifs into many background windows, and measures what that does to the score."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.marginalizing.motifs import Motif, MotifError
from saresnet_cli.model import Model, load_models
from saresnet_cli.pipeline import Chunk, chunk_size, run
from saresnet_cli.running import Run, Summary
from saresnet_cli.runtime import Runtime
from saresnet_cli.scorer import Scorer

COLUMNS = (
    "motif",
    "name",
    "width",
    "strand",
    "model",
    "backgrounds",
    "before",
    "after",
    "difference",
    "sd",
    "positive",
    "pvalue",
)
_LEAST_PVALUE = 1e-300
_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_COMPLEMENT = np.zeros(256, np.uint8)
_COMPLEMENT[np.frombuffer(b"ACGT", np.uint8)] = np.frombuffer(b"TGCA", np.uint8)


@dataclass(frozen=True)
class Marginal:
    """What one motif does to one model.

    strand: "+", or "-" where its reverse complement was put in. before, after: (n,) float32, the logit of
    each background without and with it.
    """

    motif: Motif
    strand: str
    model: str
    before: np.ndarray
    after: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """What the motif adds to each background: (n,) float64."""
        return self.after.astype(np.float64) - self.before

    @property
    def sd(self) -> float:
        """Standard deviation of the difference, NaN for one background."""
        return float(self.difference.std(ddof=1)) if len(self.before) > 1 else math.nan

    @property
    def positive(self) -> float:
        """Share of the backgrounds that the motif raises."""
        return float((self.difference > 0).mean())

    @property
    def pvalue(self) -> float:
        """Probability of so uneven a split into raised and lowered if both were as likely: two-sided sign test.

        Backgrounds without a difference are left out. At least 1e-300.
        """
        return sign_test(int((self.difference > 0).sum()), int((self.difference < 0).sum()))


def marginalize(
    models: Model | str | Path | Sequence[Model | str | Path],
    motifs: Sequence[Motif],
    backgrounds: np.ndarray,
    *,
    position: int | None = None,
    both_orientations: bool = False,
    seed: int = 0,
    runtime: Runtime | None = None,
) -> Run[Marginal]:
    """Score backgrounds as they are and with each motif put in.

    models: a `Model`, a file or an id, or several. backgrounds: (n, 101) uint8 ASCII, A, C, G, T, n >= 1
    (`marginalizing.backgrounds`). position: where a motif begins in the window, 0-based; default is in the middle.
    both_orientations: also put in its reverse complement. Where a motif leaves a choice of bases, each background
    gets one by their probability, from `seed`. Gives a `Marginal` for each motif, strand and model, in this order.
    Memory grows with the backgrounds, not with the motifs.

    Raises ModelError or DeviceError for what can't be opened, MotifError for a motif that does not fit into the window,
    ValueError on backgrounds of another shape.
    """
    if backgrounds.dtype != np.uint8 or backgrounds.ndim != 2 or backgrounds.shape[1] != WINDOW or not len(backgrounds):
        raise ValueError(f"backgrounds are {backgrounds.dtype} {backgrounds.shape}, not uint8 (n, {WINDOW})")
    models = load_models(models)
    places = [place(motif, position) for motif in motifs]
    strands = "+-" if both_orientations else "+"
    with contextlib.ExitStack() as stack:
        scorer = stack.enter_context((runtime or Runtime()).open(models))
        summary = Summary.of(scorer)
        jobs = [(motif, at, strand) for motif, at in zip(motifs, places, strict=True) for strand in strands]
        ids = [model.id for model in models]
        return Run(_results(ids, jobs, scorer, backgrounds, seed, summary), summary, stack.pop_all())


def place(motif: Motif, position: int | None) -> int:
    """Return where a motif begins in a window, 0-based, in the middle for None; raises MotifError if it can't."""
    at = (WINDOW - motif.width) // 2 if position is None else position
    if motif.width > WINDOW:
        raise MotifError(f"motif {motif.id} has {motif.width} bp, a window {WINDOW}", cure="give a shorter one")
    if not 0 <= at <= WINDOW - motif.width:
        raise MotifError(
            f"motif {motif.id} of {motif.width} bp does not fit at position {at} of a window of {WINDOW} bp",
            cure=f"give a position of 0 to {WINDOW - motif.width}",
        )
    return at


def insert(backgrounds: np.ndarray, motif: Motif, at: int, strand: str, drawn: np.ndarray) -> np.ndarray:
    """Return backgrounds with a motif put in at `at`: (n, 101) uint8 ASCII -> a copy.

    strand: "-" puts in the reverse complement of what "+" would. drawn: (n, width) float in [0, 1), which of the
    motif's bases each background gets; where the motif asks for none, the background's stays.
    """
    limits = np.cumsum(motif.probability, axis=1)
    asked = limits[:, 3] > 0
    codes = (drawn[:, :, None] * limits[:, 3:] >= limits[:, :3]).sum(axis=2)
    site = _LETTERS[codes]
    if strand == "-":
        site, asked = _COMPLEMENT[site[:, ::-1]], asked[::-1]
    inserted = backgrounds.copy()
    stretch = inserted[:, at : at + motif.width]
    stretch[:, asked] = site[:, asked]
    return inserted


def sign_test(raised: int, lowered: int) -> float:
    """Return the two-sided p-value of the sign test, at least 1e-300: of as uneven a split of a fair coin's throws."""
    throws = raised + lowered
    more = max(raised, lowered)
    if not throws:
        return 1.0
    k = np.arange(more, throws + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, throws + 1)))])
    terms = log_factorial[throws] - log_factorial[k] - log_factorial[throws - k] - throws * math.log(2)
    top = terms.max()
    log_tail = top + math.log(np.exp(terms - top).sum())
    return float(min(1.0, max(_LEAST_PVALUE, 2 * math.exp(max(log_tail, -740.0)))))


def table_line(marginal: Marginal) -> bytes:
    """Format a line of the table: means over the backgrounds in logit, 4 decimals; NA for the sd of one background."""
    values = (
        marginal.motif.id,
        marginal.motif.name,
        marginal.motif.width,
        marginal.strand,
        marginal.model,
        len(marginal.before),
        f"{marginal.before.mean(dtype=np.float64):.4f}",
        f"{marginal.after.mean(dtype=np.float64):.4f}",
        f"{marginal.difference.mean():.4f}",
        "NA" if math.isnan(marginal.sd) else f"{marginal.sd:.4f}",
        f"{marginal.positive:.4f}",
        f"{marginal.pvalue:.3g}",
    )
    return ("\t".join(map(str, values)) + "\n").encode()


_Job = tuple[Motif, int, str]


def _results(
    ids: list[str], jobs: list[_Job], scorer: Scorer, backgrounds: np.ndarray, seed: int, summary: Summary
) -> Generator[Marginal, None, None]:
    count = len(backgrounds)
    logits = np.empty((count, len(ids)), dtype=np.float32)
    before = logits
    filled = 0
    with (
        summary.timed(),
        contextlib.closing(run(scorer, _chunks(jobs, backgrounds, seed, chunk_size(scorer)))) as found,
    ):
        for job, part in found:
            logits[filled : filled + len(part)] = part
            filled += len(part)
            summary.add(len(part), {})
            if filled < count:
                continue
            if job is None:
                before = logits.copy()
            else:
                for column, id in enumerate(ids):
                    summary.kept += 1
                    yield Marginal(job[0], job[2], id, before[:, column], logits[:, column].copy())
            filled = 0


def _chunks(jobs: list[_Job], backgrounds: np.ndarray, seed: int, size: int) -> Iterator[Chunk[_Job | None]]:
    for job in (None, *jobs):
        # The same draws for every motif and strand, so that a motif's result does not hang on the others'.
        rng = np.random.default_rng((seed, 3))
        for at in range(0, len(backgrounds), size):
            windows = backgrounds[at : at + size]
            if job is not None:
                motif, start, strand = job
                windows = insert(windows, motif, start, strand, rng.random((len(windows), motif.width)))
            yield Chunk(windows, job)
