"""Metrics of the paper (accuracy, precision, recall, F1, AUROC) and the area under the precision-recall curve."""

from __future__ import annotations

import numpy as np


def measure(labels: np.ndarray, logits: np.ndarray, threshold: float = 0.0) -> dict[str, float]:
    """Return the metrics of scored windows.

    labels: (n,) 0 or 1; logits: (n,) float, the log-odds of binding. A window
    is called bound when its logit is above `threshold` (0: probability 0.5, as
    in the paper). A metric that is not defined (no window of a class, or none
    called bound) is NaN.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score  # slow to load

    labels = np.asarray(labels).astype(bool)
    logits = np.asarray(logits, dtype=np.float64)
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
        "auroc": float(roc_auc_score(labels, logits)) if both else float("nan"),
        "auprc": float(average_precision_score(labels, logits)) if both else float("nan"),
        "loss": float(np.logaddexp(0, np.where(labels, -logits, logits)).mean()) if len(labels) else float("nan"),
    }
