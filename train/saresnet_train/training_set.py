"""What a network is trained and validated on: made without torch, so that what is wrong with it is told at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_train.gc import gc_shares
from saresnet_train.negatives import GenomicWindows, shuffle_dinucleotides

VALIDATION = 0.1
"""Share of the positives that validates: global-VL of the paper."""

FEWEST = 10
"""Positives that a network is trained on at least."""

Labelled = tuple[np.ndarray, np.ndarray]
"""Windows, (n, 101) uint8 codes, and their labels, (n,)."""


@dataclass(frozen=True)
class Experiment:
    """One experiment: who it is and its bound windows, (n, 101) uint8 codes; `negatives` in place of shuffles."""

    id: str
    tf: str
    cell: str
    positives: np.ndarray
    negatives: np.ndarray | None = None
    source: str = ""


@dataclass(frozen=True)
class TrainingSet:
    """What a network is fine-tuned on.

    positives: (n, 101) uint8 codes; validating: (m, 101), bound windows that validate, none of them
    trained on; validation: labelled windows by name, the first decides. background, flanks: where negatives come
    from; negatives: (k, 101), in place of shuffles. held_out: how many positives were left out, or why, in words.
    """

    positives: np.ndarray
    validating: np.ndarray
    validation: dict[str, Labelled]
    background: GenomicWindows | None = None
    flanks: GenomicWindows | None = None
    negatives: np.ndarray | None = None
    held_out: str = "0 held out"


def check_enough(id: str, count: int) -> None:
    """Raise SaresnetError when so many positives are too few to train on."""
    if count < FEWEST:
        raise SaresnetError(f"{id}: {count} positives are too few to train on", cure="give more peaks")


def validation_windows(
    positives: np.ndarray,
    background: GenomicWindows | None,
    seed: int,
    negatives: np.ndarray | None = None,
    match_gc: bool = False,
) -> dict[str, Labelled]:
    """Return validation windows by kind of negative: "shuffled" (or "given") and "genomic", balanced."""
    labels = np.repeat(np.array([1, 0], np.uint8), len(positives))
    made: dict[str, Labelled] = {}
    if negatives is not None:
        both = np.concatenate([positives, negatives])
        made["given"] = (both, np.repeat(np.array([1, 0], np.uint8), [len(positives), len(negatives)]))
    else:
        made["shuffled"] = (np.concatenate([positives, shuffle_dinucleotides(positives, (seed, 5))]), labels)
    if background is not None:
        gc = gc_shares(positives) if match_gc else None
        genomic = background.draw(len(positives), np.random.default_rng((seed, 6)), gc)
        made["genomic"] = (np.concatenate([positives, genomic]), labels)
    return made
