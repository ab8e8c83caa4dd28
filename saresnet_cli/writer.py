"""Formats results as lines of text, a block at a time."""

from __future__ import annotations

import math
from typing import Any

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.scanning import Block
from saresnet_cli.scoring import SequenceScores

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "logit", "pvalue")
SCORE_COLUMNS = ("name", "length", "windows", "score", "logit", "pvalue", "start", "end", "mean_logit")


def bed_header(model: Model, stride: int) -> bytes:
    """Return the two header lines of a scan: what made it, and the columns."""
    about = {
        "model": model.id,
        "sha256": model.sha256[:12],
        "window": WINDOW,
        "stride": stride,
        "strands": model.card.strands,
        "precision": "float32",
        "background": model.card.null_name,
    }
    settings = " ".join(f"{key}={value}" for key, value in about.items())
    return f"# saresnet {__version__} {settings}\n#{chr(9).join(BED_COLUMNS)}\n".encode()


def bed_lines(block: Block, model: Model) -> bytes:
    """Format windows as BED6 plus logit and pvalue ("." where the model has no background).

    score: 6 decimals, 0 to 1; logit: 4 decimals; pvalue: 3 digits.
    """
    pvalue = "%.3g" if model.card.null is not None else "."
    line = f"%s\t%d\t%d\t{model.id.replace('%', '%%')}\t%.6f\t.\t%.4f\t{pvalue}\n"
    columns = [block.chrom, block.start, block.end, block.score, block.logit]
    if model.card.null is not None:
        columns.append(block.pvalue)
    return "".join(map(line.__mod__, zip(*(column.tolist() for column in columns), strict=True))).encode()


def score_header() -> bytes:
    """Return the header line of a table of scored sequences."""
    return ("\t".join(SCORE_COLUMNS) + "\n").encode()


def score_lines(scores: SequenceScores) -> bytes:
    """Format sequences as lines of the table; NA stands where there is no value."""
    rows = zip(
        scores.name.tolist(),
        scores.length.tolist(),
        scores.windows.tolist(),
        scores.score.tolist(),
        scores.logit.tolist(),
        scores.pvalue.tolist(),
        scores.start.tolist(),
        scores.end.tolist(),
        scores.mean.tolist(),
        strict=True,
    )
    return "".join(map(_score_line, rows)).encode()


def _score_line(row: tuple[Any, ...]) -> str:
    if not row[2]:
        return "\t".join([row[0], str(row[1]), "0", *["NA"] * 6]) + "\n"
    name, length, windows, score, logit, pvalue, start, end, mean = row
    share = "NA" if math.isnan(pvalue) else f"{pvalue:.3g}"
    return f"{name}\t{length}\t{windows}\t{score:.6f}\t{logit:.4f}\t{share}\t{start}\t{end}\t{mean:.4f}\n"
