"""Pre-training: the global model, on the positives of all sets together (paper, "global learning")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from saresnet_cli.errors import SaresnetError
from saresnet_train.background import Background
from saresnet_train.data import distinct, read_windows
from saresnet_train.epochs import Epochs
from saresnet_train.fit import Labelled, fit
from saresnet_train.gc import gc_shares
from saresnet_train.hardware import Hardware
from saresnet_train.loci import split_by_locus
from saresnet_train.negatives import GenomicWindows, shuffle_dinucleotides
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.recipe import Recipe
from saresnet_train.run import Run, describe, say_line

VALIDATION = 0.1
"""Share of the positives that validates: global-VL of the paper."""

FEWEST = 10
"""Positives that a network is trained on at least."""

FEW = 100
"""Positives below which those that validate say little."""


def check_enough(id: str, count: int) -> None:
    """Raise SaresnetError when so many positives are too few to train on."""
    if count < FEWEST:
        raise SaresnetError(f"{id}: {count} positives are too few to train on", cure="give more peaks")


def pool(files: list[Path], seed: int = 0) -> np.ndarray:
    """Read windows of several FASTA files and drop exact duplicates: (n, 101) uint8 codes, in file order."""
    return distinct(np.concatenate([read_windows(path, seed=seed) for path in files]))


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


def pretrain(
    files: list[Path],
    out: Path,
    recipe: Recipe,
    *,
    background: Background | None = None,
    network: NetworkConfig | None = None,
    seed: int = 1,
    hardware: Hardware | None = None,
    save_every: float = 120.0,
    quiet: bool = False,
    say: Callable[[str], None] = say_line,
) -> dict:
    """Train the global model and return the state of its checkpoint, `out/checkpoint.pt`.

    files: FASTA files of bound windows, pooled without exact duplicates and
    split 90/10 by locus. save_every: seconds between checkpoints. Goes on where an
    earlier run in `out` stopped. Raises SaresnetError when too few windows are left to train on.
    """
    hardware = hardware or Hardware.find()
    positives = pool(files, seed)
    found = len(positives)
    if background is not None:
        positives = background.drop_held_out(positives)
    training, validating = split_by_locus(positives, VALIDATION, seed)
    check_enough("global", len(training))
    windows = background.windows(positives) if background is not None and recipe.genomic else None
    epochs = Epochs(positives[training], recipe, seed, windows)
    if hardware.lead and not quiet:
        say(
            f"{len(files)} files, {found} distinct positives, {found - len(positives)} held out, "
            f"{len(validating)} to validate; {describe(epochs, hardware)}"
        )
        if len(validating) < FEW:
            say(f"note: {len(validating)} positives to validate are few: the figures of each epoch say little")
    torch.manual_seed(seed)
    model = SAResNet(network or NetworkConfig(dropout=recipe.dropout))
    identity = {"id": "global", "tf": "any", "cell": "any", "source": f"{len(files)} sets pooled"}
    run = Run.of("pretrain", out, epochs, hardware, positives, identity, quiet=quiet, save_every=save_every)
    validated = validation_windows(positives[validating], windows, seed, match_gc=recipe.match_gc)
    return fit(model, epochs, validated, recipe, run, hardware, say)
