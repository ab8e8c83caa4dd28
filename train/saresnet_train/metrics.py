"""Metrics of the paper (accuracy, precision, recall, F1, AUROC) and the area under the precision-recall curve."""

from __future__ import annotations

import math

import numpy as np


def measure(labels: np.ndarray, logits: np.ndarray, threshold: float = 0.0) -> dict[str, float]:
    """Return the metrics of scored windows.

    labels: (n,) 0 or 1; logits: (n,) float, the log-odds of binding. A window
    is called bound when its logit is above `threshold` (0: probability 0.5, as
    in the paper). A metric that is not defined (no window of a class, or none
    called bound) is NaN. Raises ValueError when a logit is not a number.
    """
    labels = np.asarray(labels).astype(bool)
    logits = np.asarray(logits, dtype=np.float64)
    if np.isnan(logits).any():
        raise ValueError("a logit is not a number")
    called = logits > threshold
    right, positives, negatives = int((called & labels).sum()), int(labels.sum()), int((~labels).sum())
    precision = right / called.sum() if called.any() else float("nan")
    recall = right / positives if positives else float("nan")
    both = positives > 0 and negatives > 0
    return {
        "positives": positives,
        "negatives": negatives,
        "accuracy": float((called == labels).mean()) if len(labels) else float("nan"),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(2 * precision * recall / (precision + recall)) if right else float("nan"),
        "auroc": auroc(labels, logits) if both else float("nan"),
        "auprc": auprc(labels, logits) if both else float("nan"),
        "loss": float(np.logaddexp(0, np.where(labels, -logits, logits)).mean()) if len(labels) else float("nan"),
    }


def measure_scores(
    labels: np.ndarray, scores: np.ndarray, threshold: float, calibrated: bool
) -> dict[str, float | None]:
    """Return the metrics of `measure` and the Brier score, as JSON has them: None where one is not defined.

    calibrated: whether a score is a log-odds; else loss and Brier score are not defined.
    """
    found = measure(labels, scores, threshold)
    probability = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -500, 500)))
    found["brier"] = float(((probability - labels) ** 2).mean()) if len(labels) else math.nan
    if not calibrated:
        found["loss"] = found["brier"] = math.nan
    return {key: None if math.isnan(value) else value for key, value in found.items()}


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve, ties counted by half; labels: (n,) 0 or 1, of both classes."""
    bound, unbound = curve(labels, scores)
    twice = (np.diff(unbound, prepend=0) * (bound + np.r_[0, bound[:-1]])).sum()
    return float(twice / (2 * bound[-1] * unbound[-1]))


def auprc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the precision-recall curve as average precision; labels: (n,) 0 or 1, of both classes."""
    bound, unbound = curve(labels, scores)
    return float((np.diff(bound, prepend=0) * bound / (bound + unbound)).sum() / bound[-1])


def curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many bound and unbound windows score at least as high as each distinct score, highest first.

    labels: (n,) 0 or 1. Two (m,) int64.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    bound = np.cumsum(labels[order], dtype=np.int64)[last]
    return bound, last + 1 - bound
