"""What a method is given to learn from, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from saresnet_train.data import DataError, DataSet, distinct, read_windows
from saresnet_train.loci import split_by_locus
from saresnet_train.negatives import shuffle_dinucleotides
from saresnet_train.training_set import VALIDATION, Labelled


@dataclass(frozen=True)
class Task:
    """One set to learn, the same for every method.

    positives: (n, 101) uint8 base codes to train on; validating: (m, 101), bound windows of other loci that
    validate; validation: those and a dinucleotide shuffle of each, (2m, 101) codes and (2m,) labels.
    given: bound windows of the training file, before equal ones were left out.
    folder: scratch of this cell, such as checkpoints; models: where pre-trained networks are.
    """

    set: DataSet
    positives: np.ndarray
    validating: np.ndarray
    validation: Labelled
    seed: int
    device: torch.device
    threads: int
    folder: Path
    models: Path
    given: int = 0

    @classmethod
    def of(cls, chosen: DataSet, seed: int, device: torch.device, threads: int, folder: Path, models: Path) -> Task:
        """Read the training file of a set and split a tenth of it off by locus, by the seed; raises DataError."""
        found = read_windows(chosen.train_positive)
        positives = distinct(found)
        training, validating = split_by_locus(positives, VALIDATION, seed)
        if not len(training) or not len(validating):
            raise DataError("too few windows to train and validate on", path=chosen.train_positive)
        held = positives[validating]
        codes = np.concatenate([held, shuffle_dinucleotides(held, (seed, 5))])
        labels = np.repeat(np.array([1, 0], np.uint8), len(held))
        validation = codes, labels
        return cls(
            chosen, positives[training], held, validation, seed, device, threads, folder, models, given=len(found)
        )


@dataclass(frozen=True)
class Outcome:
    """A trained method.

    score: from windows, (n, 101) uint8 base codes, to (n,) float32, the log-odds of binding or another
    decision value, of the strand given. parameters: how many were trained. chosen: plain JSON types, the settings
    that were chosen and what was searched. threshold: a window with a higher value is called bound. calibrated: whether
    the value is a log-odds. symmetric: whether both strands have the same value by construction. open_scan: opens
    what scores the many windows of a genome faster than `score`, as the mean over both strands, where there is such.
    """

    score: Callable[[np.ndarray], np.ndarray]
    parameters: int
    chosen: dict
    threshold: float = 0.0
    calibrated: bool = True
    symmetric: bool = False
    open_scan: Callable[[], AbstractContextManager[Callable[[np.ndarray], np.ndarray]]] | None = None


Train = Callable[[Task], Outcome]
"""Learns a task; the same seed gives the same outcome."""


class CannotBeDone(Exception):
    """A method says that it has nothing for this set, and why: the factor has no matrix, for instance."""
