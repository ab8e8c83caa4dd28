"""Pre-training: the global model, on the positives of all sets together (paper, "global learning")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from saresnet_train.background import Background
from saresnet_train.data import distinct, read_windows
from saresnet_train.epochs import Epochs
from saresnet_train.fit import fit
from saresnet_train.hardware import Hardware
from saresnet_train.loci import split_by_locus
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.recipe import Recipe
from saresnet_train.run import Run, describe, say_line
from saresnet_train.training_set import VALIDATION, check_enough, validation_windows

FEW = 100
"""Positives below which those that validate say little."""


def pool(files: list[Path], seed: int = 0) -> np.ndarray:
    """Read windows of several FASTA files and drop exact duplicates: (n, 101) uint8 codes, in file order."""
    return distinct(np.concatenate([read_windows(path, seed=seed) for path in files]))


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
