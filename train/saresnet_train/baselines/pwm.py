"""A PWM scan: the best hit of the factor's JASPAR matrix in a window, on either strand.

Nothing is trained but the choice of the matrix, where JASPAR has several, and the threshold. Values are log2 odds
against a uniform background, with a pseudocount of 0.25 for each letter of a column, as motif scanners have it
(Wasserman and Sandelin 2004, Nat Rev Genet 5:276).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_train.benchmark.task import CannotBeDone, Outcome, Task
from saresnet_train.codes import OTHER
from saresnet_train.metrics import auroc

RELEASE = "JASPAR2026"
PSEUDOCOUNT = 0.25
BACKGROUND = 0.25
HUMAN = "9606"

CHUNK = 5
"""Columns of a matrix that are looked up at once, by a table of the words of 5 letters."""

BLOCK = 2048
"""Windows scored at a time, which bounds memory and stays in the processor's cache."""


def train(task: Task) -> Outcome:
    """Choose the matrix of the factor and the threshold on the validation.

    Several matrices: the best AUROC, the first of equals. The threshold is the one of best accuracy, the lowest
    of equals. Raises CannotBeDone when JASPAR has no matrix for the factor, SaresnetError when pyjaspar is missing.
    """
    codes, labels = task.validation
    matrices = find_matrices(task.set.tf)
    values = [matrix.best_hits(codes) for matrix in matrices]
    aurocs = [auroc(labels, value) for value in values]
    best = int(np.argmax(aurocs))
    matrix = matrices[best]
    chosen = {
        "matrix": matrix.id, "name": matrix.name, "species": matrix.species, "release": RELEASE,
        "background": BACKGROUND, "pseudocount": PSEUDOCOUNT,
        "searched": {m.id: round(auroc, 4) for m, auroc in zip(matrices, aurocs, strict=True)},
        "budget": f"{len(matrices)} matrices",
    }  # fmt: skip
    threshold = best_threshold(labels, values[best])
    return Outcome(matrix.best_hits, 0, chosen, threshold=threshold, calibrated=False, symmetric=True)


@dataclass(frozen=True)
class Matrix:
    """A matrix of JASPAR: its id with version, name and species, and counts, (4, length) float64, rows A, C, G, T."""

    id: str
    name: str
    species: str
    counts: np.ndarray

    def log_odds(self) -> np.ndarray:
        """Return log2 of the odds against the background: (4, length) float64."""
        counts = self.counts + PSEUDOCOUNT
        return np.log2(counts / counts.sum(axis=0) / BACKGROUND)

    def best_hits(self, codes: np.ndarray) -> np.ndarray:
        """Return the log2 odds of the best hit on either strand: (n, length) uint8 codes -> (n,) float32.

        A letter other than A, C, G, T adds 0, the log-odds of a base that is not known.
        """
        odds = np.concatenate([self.log_odds(), np.zeros((1, self.counts.shape[1]))])
        other = odds[[3, 2, 1, 0, OTHER], ::-1]
        best = np.empty(len(codes), np.float32)
        for at in range(0, len(codes), BLOCK):
            part = codes[at : at + BLOCK]
            best[at : at + BLOCK] = np.maximum(slide(odds, part).max(axis=1), slide(other, part).max(axis=1))
        return best


def slide(odds: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Score a matrix at each place: (5, width), rows A, C, G, T, other; (n, length) -> (n, length - width + 1)."""
    width, base = odds.shape[1], len(odds)
    places = codes.shape[1] - width + 1
    scores = np.zeros((len(codes), places))
    for first in range(0, width, CHUNK):
        columns = odds[:, first : first + CHUNK]
        table, word = np.zeros(1), np.zeros((len(codes), places), np.int16)
        for column in range(columns.shape[1]):
            table = (table[:, None] + columns[:, column]).ravel()
            at = first + column
            word = word * np.int16(base) + codes[:, at : at + places]
        scores += table[word]
    return scores


def best_threshold(labels: np.ndarray, values: np.ndarray) -> float:
    """Return the threshold of best accuracy, halfway between two values: labels (n,) 0 or 1, values (n,) float32."""
    order = np.argsort(values, kind="stable")
    ranked, bound = values[order].astype(np.float64), labels[order].astype(np.int64)
    cuts = np.flatnonzero(np.diff(ranked) > 0)
    if not len(cuts):
        return float(ranked[0])
    # right when what is above the cut is called bound
    right = np.cumsum(1 - bound)[cuts] + bound.sum() - np.cumsum(bound)[cuts]
    cut = cuts[int(np.argmax(right))]
    return float((ranked[cut] + ranked[cut + 1]) / 2)


def find_matrices(tf: str) -> list[Matrix]:
    """Return the matrices of a factor in JASPAR CORE, vertebrates, every version, in the order of their ids.

    Names are compared in upper case. The factor's own matrices, of whatever species (`Gata3`); if there are none,
    human complexes that it is part of (`MAX::MYC`). Older versions count, since they are often longer and find more.
    Raises CannotBeDone where there is none, SaresnetError when pyjaspar is missing.
    """
    wanted = tf.upper()
    own: list[Matrix] = []
    complexes: list[Matrix] = []
    for matrix in read_jaspar():
        name = matrix.name.upper()
        if name == wanted:
            own.append(matrix)
        elif matrix.species == HUMAN and wanted in name.split("::"):
            complexes.append(matrix)
    if not own and not complexes:
        raise CannotBeDone(f"{RELEASE} CORE has no vertebrate matrix for {tf}")
    return own or complexes


@cache
def read_jaspar() -> tuple[Matrix, ...]:
    """Read the vertebrate matrices of JASPAR CORE, every version, by id; raises SaresnetError without pyjaspar."""
    try:
        from pyjaspar import jaspardb
    except ModuleNotFoundError as error:
        raise SaresnetError(
            "the PWM scan needs pyjaspar, which is not installed", cure="pip install 'saresnet[benchmark]'"
        ) from error
    database = jaspardb(release=RELEASE)
    try:
        motifs = database.fetch_motifs(collection="CORE", tax_group=["vertebrates"], all_versions=True)
    finally:
        database.conn.close()
    return tuple(
        Matrix(
            motif.matrix_id,
            motif.name,
            ",".join(motif.species),
            np.array([motif.counts[base] for base in "ACGT"], np.float64),
        )
        for motif in sorted(motifs, key=lambda motif: motif.matrix_id)
    )
