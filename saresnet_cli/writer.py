"""Formats results as lines of text, a block at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.running import Summary
from saresnet_cli.scanning import Block
from saresnet_cli.scoring import SequenceScores

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "logit", "pvalue")
SCORE_COLUMNS = ("name", "model", "length", "windows", "score", "logit", "pvalue", "start", "end", "mean_logit")


def bed_header(models: Sequence[Model], stride: int, summary: Summary) -> bytes:
    """Return the header of a scan: a line a model that says what made it, and the columns."""
    lines = []
    for model in models:
        about = {
            "model": model.id,
            "sha256": model.sha256[:12],
            "window": WINDOW,
            "stride": stride,
            "strands": model.card.strands,
            "engine": summary.engine,
            "precision": summary.precision,
            "background": model.card.null_name,
        }
        lines.append(f"# saresnet {__version__} " + " ".join(f"{key}={value}" for key, value in about.items()))
    return "\n".join([*lines, "#" + "\t".join(BED_COLUMNS), ""]).encode()


def bed_lines(block: Block, models: Sequence[Model]) -> bytes:
    """Format scores as BED6 plus logit and pvalue ("." where a model has no background), a line a window and model.

    score: 6 decimals, 0 to 1; logit: 4 decimals; pvalue: 3 digits.
    """
    row, column = np.nonzero(block.keep)
    names = np.array([model.id for model in models], dtype=object)
    pvalue = block.pvalue[row, column].tolist()
    if any(model.card.null is None for model in models):
        line = "%s\t%d\t%d\t%s\t%.6f\t.\t%.4f\t%s\n"
        pvalue = ["." if math.isnan(value) else f"{value:.3g}" for value in pvalue]
    else:
        line = "%s\t%d\t%d\t%s\t%.6f\t.\t%.4f\t%.3g\n"
    values = zip(
        block.chrom[row].tolist(),
        block.start[row].tolist(),
        block.end[row].tolist(),
        names[column].tolist(),
        block.score[row, column].tolist(),
        block.logit[row, column].tolist(),
        pvalue,
        strict=True,
    )
    return "".join(map(line.__mod__, values)).encode()


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
