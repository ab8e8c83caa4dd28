"""Formats scored sequences as lines of text, a block at a time; `formats` has those of a scan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from saresnet_cli.model import Model
from saresnet_cli.scoring import SequenceScores

SCORE_COLUMNS = ("name", "model", "length", "windows", "score", "logit", "pvalue", "start", "end", "mean_logit")


def score_header() -> bytes:
    """Return the header line of a table of scored sequences."""
    return ("\t".join(SCORE_COLUMNS) + "\n").encode()


def score_lines(scores: SequenceScores, models: Sequence[Model]) -> bytes:
    """Format sequences as lines of the table, a line a sequence and model; NA stands where there is no value."""
    count = len(models)

    def each(column: np.ndarray) -> list[Any]:
        return np.repeat(column, count).tolist()

    rows = zip(
        each(scores.name),
        [model.id for model in models] * len(scores),
        each(scores.length),
        each(scores.windows),
        scores.score.ravel().tolist(),
        scores.logit.ravel().tolist(),
        scores.pvalue.ravel().tolist(),
        scores.start.ravel().tolist(),
        scores.end.ravel().tolist(),
        scores.mean.ravel().tolist(),
        strict=True,
    )
    return "".join(map(_score_line, rows)).encode()


def _score_line(row: tuple[Any, ...]) -> str:
    name, model, length, windows, score, logit, pvalue, start, end, mean = row
    if not windows:
        return "\t".join([name, model, str(length), "0", *["NA"] * 6]) + "\n"
    share = "NA" if math.isnan(pvalue) else f"{pvalue:.3g}"
    return f"{name}\t{model}\t{length}\t{windows}\t{score:.6f}\t{logit:.4f}\t{share}\t{start}\t{end}\t{mean:.4f}\n"
