"""The global model on the pool that validated it: global-VL of the paper's figure 4."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from saresnet_train.benchmark.cells import Cell
from saresnet_train.benchmark.judging import both_ways, figures, versions
from saresnet_train.benchmark.task import Outcome
from saresnet_train.data import read_manifest
from saresnet_train.loci import split_by_locus
from saresnet_train.pretrain import pool
from saresnet_train.training_set import VALIDATION, validation_windows

TIER, NAME = "pool", "validation"
SEED = 1
"""Of the pre-training, which decides what validates."""


def cell_of(method: str) -> Cell:
    """Return the cell of a global model's own validation."""
    return Cell(method, TIER, NAME, SEED)


def judge_pool(outcome: Outcome, data: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Score the windows that validated the pre-training, and return the record of it and the scores.

    The windows are those of `pretrain`: a tenth of the distinct positives of all sets, by locus, and a dinucleotide
    shuffle of each.
    """
    positives = pool([each.train_positive for each in read_manifest(data)], SEED)
    training, validating = split_by_locus(positives, VALIDATION, SEED)
    codes, labels = validation_windows(positives[validating], None, SEED)["shuffled"]
    began = time.perf_counter()
    scores = both_ways(outcome, codes)
    seconds = round(time.perf_counter() - began, 3)
    record = {
        "counts": {
            "training": len(training),
            "validating": len(validating),
            "test_positives": len(validating),
            "test_negatives": len(validating),
        },
        "metrics": {way: figures(labels, values, outcome) for way, values in scores.items()},
        "seconds": {"scoring": seconds},
        "parameters": outcome.parameters,
        "chosen": outcome.chosen,
        "versions": versions(),
    }
    return record, scores
