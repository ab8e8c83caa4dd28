"""Judging: the scores of a trained method on the test windows of a set, and the record of them."""

from __future__ import annotations

import platform
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from saresnet_cli import __version__
from saresnet_train.benchmark.seen import unbound_windows
from saresnet_train.benchmark.task import Outcome, Task
from saresnet_train.codes import reverse_complement
from saresnet_train.data import DataSet, read_windows
from saresnet_train.evaluate import evaluate_genome
from saresnet_train.metrics import measure_scores


def judge(task: Task, outcome: Outcome, genome: Path | None = None) -> tuple[dict, dict[str, np.ndarray]]:
    """Score the test files of a set and return what its record says of them, and the scores.

    genome: FASTA of a chromosome to scan as well, where the data folder knows the peaks of the set there.
    The scores are "forward", of the strand given, and "both", the mean over the strands, each (n,) float32:
    bound test windows, their shuffles, then unbound genomic windows where the set has any.
    """
    bound, shuffled = read_windows(task.set.test_positive), read_windows(task.set.test_negative)
    unbound = unbound_windows(task.set)
    genomic = read_windows(unbound) if unbound.exists() else bound[:0]
    began = time.perf_counter()
    scores = both_ways(outcome, np.concatenate([bound, shuffled, genomic]))
    seconds = time.perf_counter() - began
    labels = np.repeat([1, 0], [len(bound), len(shuffled)])
    upto = len(labels)
    beside = np.concatenate([np.arange(len(bound)), np.arange(upto, upto + len(genomic))])
    held_codes, held_labels = task.validation
    record = {
        "counts": {
            "train_positives": task.given,
            "training": len(task.positives),
            "validating": len(task.validating),
            "test_positives": len(bound),
            "test_negatives": len(shuffled),
            "genomic_negatives": len(genomic),
        },
        "metrics": {way: figures(labels, values[:upto], outcome) for way, values in scores.items()},
        "genomic": {
            way: figures(np.repeat([1, 0], [len(bound), len(genomic)]), values[beside], outcome)
            for way, values in scores.items()
        }
        if len(genomic)
        else None,
        "validation": figures(held_labels, outcome.score(held_codes), outcome),
        "chr20": None if genome is None else judge_scan(task.set, outcome, genome),
        "seconds": {"scoring": round(seconds, 3)},
        "parameters": outcome.parameters,
        "threshold": outcome.threshold,
        "calibrated": outcome.calibrated,
        "symmetric": outcome.symmetric,
        "chosen": outcome.chosen,
        "versions": versions(),
    }
    return record, scores


def both_ways(outcome: Outcome, codes: np.ndarray) -> dict[str, np.ndarray]:
    """Score windows as they are, and as the mean over both strands: (n, 101) codes -> two (n,) float32."""
    forward = outcome.score(codes).astype(np.float32)
    if outcome.symmetric:
        return {"forward": forward, "both": forward}
    backward = outcome.score(np.ascontiguousarray(reverse_complement(codes)))
    return {"forward": forward, "both": ((forward + backward) / 2).astype(np.float32)}


def figures(labels: np.ndarray, values: np.ndarray, outcome: Outcome) -> dict[str, float | int | None]:
    """Return the metrics of scored windows as JSON, with the Brier score; None where one is not defined."""
    found = measure_scores(labels, values, outcome.threshold, outcome.calibrated)
    return {key: None if value is None else round(value, 6) for key, value in found.items()}


def peaks_on_chr20(chosen: DataSet) -> Path | None:
    """Return the file of a set's peaks on chr20 in its data folder, None if there is none."""
    found = sorted((chosen.folder.parent.parent / "chr20").glob(f"{chosen.name}.*"))
    return found[0] if found and chosen.tier == "encode" else None


def judge_scan(chosen: DataSet, outcome: Outcome, genome: Path) -> dict | None:
    """Return the metrics of a scan of a chromosome, both strands, None where its peaks are not known."""
    peaks = peaks_on_chr20(chosen)
    if peaks is None:
        return None
    opened = outcome.open_scan() if outcome.open_scan else nullcontext(lambda codes: both_ways(outcome, codes)["both"])
    with opened as score:
        found = evaluate_genome(score, genome, peaks)
    return {key: round(found[key], 6) for key in ("positives", "negatives", "auroc", "auprc", "stride")}


def versions() -> dict[str, str]:
    """Return the versions that a record depends on."""
    return {
        "saresnet": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
