"""Scores by sequence and model, and what made them, as plain JSON types."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from saresnet_cli.model import Model
from saresnet_cli.printed import three_digits
from saresnet_cli.scanning import Block


def tracks(spans: Sequence[tuple[str, int, int]], blocks: Sequence[Block], ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the scores of each stretch of sequence by model, rounded as the commands print them.

    spans: name, start, end of each, names differ. blocks: of a scan of all of them. ids: of the models, a column each.
    A stretch without windows has no scores.
    """
    found: dict[str, list[tuple[Block, slice]]] = {}
    for block in blocks:
        heads = np.flatnonzero(np.concatenate([[True], block.chrom[1:] != block.chrom[:-1]])).tolist()
        for begin, end in zip(heads, [*heads[1:], len(block)], strict=True):
            found.setdefault(block.chrom[begin], []).append((block, slice(begin, end)))
    result = []
    for name, start, end in spans:
        parts = found.get(name, [])
        logit, score, pvalue = (_column(parts, field, len(ids)) for field in ("logit", "score", "pvalue"))
        result.append(
            {
                "name": name,
                "start": start,
                "end": end,
                "windows": [at for block, rows in parts for at in block.start[rows].tolist()],
                "scores": [
                    {
                        "model": id,
                        "logit": numbers(logit[:, i], 4),
                        "score": numbers(score[:, i], 6),
                        "pvalue": numbers(three_digits(pvalue[:, i])),
                    }
                    for i, id in enumerate(ids)
                ],
            }
        )
    return result


def numbers(values: np.ndarray, places: int | None = None) -> list[float | None]:
    """Return numbers, (n,) float, rounded to so many decimals, None for NaN."""
    exact = values.astype(np.float64)
    return [None if v != v else v for v in (exact if places is None else np.round(exact, places)).tolist()]


def about(model: Model) -> dict[str, Any]:
    """Return what a client is told of a model that was used."""
    card = model.card
    threshold = card.threshold if math.isfinite(card.threshold) else None
    names = {"id": card.id, "tf": card.tf, "cell": card.cell, "sha256": model.sha256}
    return {**names, "threshold": threshold, "background": card.null_name}


def typed(name: str, word: str) -> Any:
    """Return a word of the table of `saresnet score` as what its column holds, None for NA."""
    read: Callable[[str], Any] = str
    if name in ("length", "windows", "start", "end"):
        read = int
    elif name in ("score", "logit", "pvalue", "mean_logit"):
        read = float
    return word if read is str else None if word == "NA" else read(word)


def _column(parts: list[tuple[Block, slice]], field: str, models: int) -> np.ndarray:
    return np.concatenate([np.empty((0, models)), *(getattr(block, field)[rows] for block, rows in parts)])
