"""Fine-tuning: the transfer of the global model to one experiment (paper, "transfer learning")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from saresnet_train.background import Background
from saresnet_train.checkpoint import load_network
from saresnet_train.data import fingerprint
from saresnet_train.epochs import Epochs
from saresnet_train.fit import fit
from saresnet_train.hardware import Hardware
from saresnet_train.loci import split_by_locus
from saresnet_train.lowrank import adapt
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.recipe import Recipe
from saresnet_train.run import Run, describe, say_line
from saresnet_train.training_set import VALIDATION, Experiment, TrainingSet, check_enough, validation_windows

FREEZE = ("none", "stem", "stage2", "head-only")
"""What can be frozen (supplementary table S2): nothing; the stem; stem and stage 2; all but the dense layers."""


def freeze(model: SAResNet, what: str) -> None:
    """Stop the gradient of a part of the network, one of `FREEZE`; raises ValueError on another word."""
    if what not in FREEZE:
        raise ValueError(f"{what!r} is none of {', '.join(FREEZE)}")
    stem: list[nn.Module] = [model.stem]
    second: list[nn.Module] = [model.attentions[0], model.stages[0]]
    rest: list[nn.Module] = [*model.attentions[1:], *model.stages[1:]]
    parts = {"none": [], "stem": stem, "stage2": stem + second, "head-only": stem + second + rest}[what]
    for part in parts:
        part.requires_grad_(False)


def finetune(
    experiment: Experiment,
    out: Path,
    recipe: Recipe,
    *,
    background: Background | None = None,
    validation: float = VALIDATION,
    seed: int = 1,
    **options: Any,
) -> dict:
    """Train on one experiment and return the state of its checkpoint, `out/checkpoint.pt`.

    validation: share of the positives, by locus, that validates. options: those of `transfer`.
    Goes on where an earlier run in `out` stopped. Raises SaresnetError when too few windows are left to train on.
    """
    positives = experiment.positives
    if background is not None:
        positives = background.drop_held_out(positives)
    training, validating = split_by_locus(positives, validation, seed)
    check_enough(experiment.id, len(training))
    windows = background.windows(positives) if background is not None else None
    own, judged = None, None
    if experiment.negatives is not None:
        kept, held = split_by_locus(experiment.negatives, validation, seed)
        own, judged = experiment.negatives[kept], experiment.negatives[held]
    chosen = TrainingSet(
        positives[training],
        positives[validating],
        validation_windows(positives[validating], windows, seed, judged, recipe.match_gc),
        windows,
        negatives=own,
        held_out=f"{len(experiment.positives) - len(positives)} held out",
    )
    identity = {"id": experiment.id, "tf": experiment.tf, "cell": experiment.cell, "source": experiment.source}
    arguments = {"positives": fingerprint(positives), "validation": validation}
    return transfer(chosen, out, recipe, identity, arguments=arguments, seed=seed, **options)


def transfer(
    chosen: TrainingSet,
    out: Path,
    recipe: Recipe,
    identity: dict,
    *,
    start: Path | None = None,
    network: NetworkConfig | None = None,
    frozen: str = "none",
    rank: int = 0,
    arguments: dict | None = None,
    seed: int = 1,
    hardware: Hardware | None = None,
    save_every: float = 120.0,
    quiet: bool = False,
    say: Callable[[str], None] = say_line,
) -> dict:
    """Train on windows that were chosen and return the state of the checkpoint, `out/checkpoint.pt`.

    identity: id, tf, cell and source, for the checkpoint. start: checkpoint of the global model; without it the
    network learns from scratch (the paper's direct learning). frozen: one of `FREEZE`. rank: of the matrices that
    convolutions learn in place of all their weights (`lowrank`); 0: they learn all. arguments: what decides the
    weights beside all this. Goes on where an earlier run in `out` stopped.
    """
    hardware = hardware or Hardware.find()
    torch.manual_seed(seed)
    if start is None:
        model = SAResNet(network or NetworkConfig(dropout=recipe.dropout))
    else:
        model = load_network(start)
        model.drop1.p = model.drop2.p = recipe.dropout
    freeze(model, frozen)
    started = None if start is None else _weights_of(model)
    if rank:
        adapt(model, rank)
    epochs = Epochs(chosen.positives, recipe, seed, chosen.background, chosen.negatives, chosen.flanks)
    if hardware.lead and not quiet:
        say(
            f"{identity['id']}: {len(chosen.positives)} positives, {len(chosen.validating)} to validate, "
            f"{chosen.held_out}; {describe(epochs, hardware)}"
        )
    decisive = {
        "negatives": None if chosen.negatives is None else fingerprint(chosen.negatives),
        "start": started,
        "frozen": frozen,
        **({"rank": rank} if rank else {}),
        **(arguments or {}),
    }
    both = np.concatenate([chosen.positives, chosen.validating])
    run = Run.of("finetune", out, epochs, hardware, both, identity, decisive, quiet=quiet, save_every=save_every)
    return fit(model, epochs, chosen.validation, recipe, run, hardware, say)


def _weights_of(model: SAResNet) -> str:
    """Return a digest of a network's weights: 16 hexadecimal digits."""
    flat = torch.cat([value.double().ravel() for value in model.state_dict().values()])
    return fingerprint(flat.numpy().view(np.uint8))
