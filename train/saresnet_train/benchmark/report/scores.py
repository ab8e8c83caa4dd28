"""The scores that cells keep of each test window: curves, reliability, and the ensemble of several seeds."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from saresnet_train.benchmark.report.methods import ENSEMBLE, MAIN
from saresnet_train.benchmark.report.records import Record, RecordError, Records
from saresnet_train.metrics import auprc, auroc, curve, measure_scores

STRANDS = ("forward", "both")
BINS = 10
POINTS = 200


@dataclass(frozen=True)
class Scores:
    """Scores of the windows of a cell, (n,) float64, by strands: bound test windows, shuffles, unbound genomic ones."""

    forward: np.ndarray
    both: np.ndarray
    positives: int
    negatives: int

    @property
    def labels(self) -> np.ndarray:
        """Labels of the bound test windows and their shuffles: (positives + negatives,) bool."""
        return np.arange(self.positives + self.negatives) < self.positives

    def tested(self, strands: str = "forward") -> np.ndarray:
        """Return the scores of the bound test windows and their shuffles: (positives + negatives,)."""
        values: np.ndarray = getattr(self, strands)
        return values[: self.positives + self.negatives]

    def beside_genome(self, strands: str = "forward") -> tuple[np.ndarray, np.ndarray]:
        """Return labels and scores of the bound test windows and the unbound genomic ones; the latter may be none."""
        values: np.ndarray = getattr(self, strands)
        kept = np.r_[values[: self.positives], values[self.positives + self.negatives :]]
        return np.arange(len(kept)) < self.positives, kept


def read_scores(record: Record) -> Scores | None:
    """Read the scores of a cell, None where the file is not there.

    Raises RecordError on a damaged file, and on scores that are not those that the record counts.
    """
    path = record.scores_path
    cure = "remove it and its record, and `saresnet benchmark run` makes them again"
    try:
        with np.load(path) as held:
            forward, both = (held[name].astype(np.float64) for name in STRANDS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RecordError('it can\'t be read as arrays "forward" and "both"', path=path, cure=cure) from error
    positives, negatives = record.count("test_positives"), record.count("test_negatives")
    expected = positives + negatives + record.count("genomic_negatives")
    if forward.shape != (expected,) or both.shape != (expected,):
        raise RecordError(f"it has {forward.size:,} scores where its record counts {expected:,}", path=path, cure=cure)
    if np.isnan(forward).any() or np.isnan(both).any():
        raise RecordError("a score is not a number", path=path, cure=cure)
    return Scores(forward, both, positives, negatives)


def roc_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC curve to draw: false and true positive rates, at most `POINTS` of them."""
    bound, unbound = curve(labels, scores)
    false, true = np.r_[0, unbound / unbound[-1]], np.r_[0, bound / bound[-1]]
    at = np.searchsorted(false + true, np.linspace(0, 2, POINTS))  # evenly along the curve
    at = np.unique(np.clip(at, 0, len(true) - 1))
    return false[at], true[at]


def precision_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the precision-recall curve to draw: recalls and precisions, at most `POINTS` of them."""
    bound, unbound = curve(labels, scores)
    recall, precision = bound / bound[-1], bound / (bound + unbound)
    at = np.unique(np.clip(np.searchsorted(recall, np.linspace(0, 1, POINTS)), 0, len(recall) - 1))
    return recall[at], precision[at]


@dataclass(frozen=True)
class Reliability:
    """How often windows are bound that a method gives a probability. bins of equal width; those without windows are
    left out. probability, bound: means in a bin, (m,); windows: how many, (m,).
    """

    probability: np.ndarray
    bound: np.ndarray
    windows: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of the two, by windows."""
        return float(np.average(np.abs(self.probability - self.bound), weights=self.windows))


def reliability(labels: np.ndarray, scores: np.ndarray) -> Reliability:
    """Return the reliability curve of log-odds; labels: (n,) bool."""
    probability = expit(scores)
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    windows = np.bincount(place, minlength=BINS)
    filled = windows > 0
    sums = np.bincount(place, probability, BINS)[filled], np.bincount(place, labels, BINS)[filled]
    return Reliability(sums[0] / windows[filled], sums[1] / windows[filled], windows[filled])


def error_by_chance(scores: np.ndarray, draws: int = 20) -> float:
    """Return the calibration error that log-odds would show by chance if they were right: the mean over draws."""
    rng, probability = np.random.default_rng(1), expit(scores)
    return float(np.mean([reliability(rng.random(len(scores)) < probability, scores).error for _ in range(draws)]))


def pooled(records: Iterable[Record], strands: str = "forward") -> tuple[np.ndarray, np.ndarray, int]:
    """Put the test windows of cells together: labels, scores, and the number of cells that have kept their scores."""
    held = [scores for scores in map(read_scores, records) if scores is not None]
    labels = [scores.labels for scores in held]
    values = [scores.tested(strands) for scores in held]
    if not held:
        return np.zeros(0, bool), np.zeros(0), 0
    return np.concatenate(labels), np.concatenate(values), len(held)


def with_ensemble(records: Records) -> Records:
    """Add the mean over seeds of `transfer`'s scores as a method of its own, on the sets that have several seeds.

    A folder that holds records of an ensemble keeps those.
    """
    if ENSEMBLE in records.methods:
        return records
    cells = [cell for cell in records.of(MAIN).values() if len(cell) > 1]
    return records.with_records(each for cell in cells if (each := _ensemble(cell)) is not None)


def _ensemble(cell: tuple[Record, ...]) -> Record | None:
    held = [scores for scores in map(read_scores, cell) if scores is not None]
    if len(held) != len(cell):
        return None
    first = cell[0]
    shape = held[0].forward.shape
    if any(scores.forward.shape != shape for scores in held):
        raise RecordError("its scores are not of the windows of the other seeds", path=cell[-1].scores_path)
    mean = Scores(
        np.mean([scores.forward for scores in held], axis=0),
        np.mean([scores.both for scores in held], axis=0),
        held[0].positives,
        held[0].negatives,
    )
    calibrated = bool(first.content.get("calibrated", True))
    threshold = first.value("threshold") or 0.0
    genomic = first.count("genomic_negatives") > 0
    content = {
        **first.content,
        "method": ENSEMBLE,
        "metrics": {way: measure_scores(mean.labels, mean.tested(way), threshold, calibrated) for way in STRANDS},
        "genomic": {way: measure_scores(*mean.beside_genome(way), threshold, calibrated) for way in STRANDS}
        if genomic
        else None,
        "chr20": None,
        "validation": None,
        "parameters": sum(int(each.value("parameters") or 0) for each in cell),
        "seconds": {
            what: math.fsum(each.value("seconds", what) or 0.0 for each in cell) for what in ("training", "scoring")
        },
        "members": len(cell),
    }
    return Record(ENSEMBLE, first.set, 1, content, first.path.with_name(f"{ENSEMBLE}.json"))


@dataclass(frozen=True)
class Agreement:
    """How far the areas that the stored scores give are from those of the records: cells compared, cells without
    scores, the largest difference of AUROC and of AUPRC."""

    cells: int
    without: tuple[str, ...]
    auroc: float
    auprc: float


def agreement(records: Records) -> Agreement:
    """Compute the areas of every cell again from its scores, which are rounded to float16."""
    without: list[str] = []
    largest, cells = np.zeros(2), 0
    for record in records.all():
        if record.method == ENSEMBLE:
            continue
        scores = read_scores(record)
        if scores is None:
            without.append(f"{record.method}/{record.set}/seed{record.seed}")
            continue
        cells += 1
        for strands in STRANDS:
            values = scores.tested(strands)
            for at, (name, area) in enumerate((("auroc", auroc), ("auprc", auprc))):
                told = record.value("metrics", strands, name)
                if told is not None:
                    largest[at] = max(largest[at], abs(area(scores.labels, values) - told))
    return Agreement(cells, tuple(without), *largest.tolist())
