"""Fine-tuning: the transfer of the global model to one experiment (paper, "transfer learning")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from saresnet_cli.errors import SaresnetError
from saresnet_train.background import Background
from saresnet_train.checkpoint import load_network
from saresnet_train.data import fingerprint
from saresnet_train.epochs import Epochs
from saresnet_train.fit import Hardware, Run, fit
from saresnet_train.loci import split_by_locus
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.pretrain import VALIDATION, say_line, validation_windows
from saresnet_train.recipe import Recipe

FREEZE = ("none", "stem", "stage2", "head-only")
"""What can be frozen (supplementary table S2): nothing; the stem; stem and stage 2; all but the dense layers."""


@dataclass(frozen=True)
class Experiment:
    """One experiment: who it is and its bound windows, (n, 101) uint8 codes; `negatives` in place of shuffles."""

    id: str
    tf: str
    cell: str
    positives: np.ndarray
    negatives: np.ndarray | None = None
    source: str = ""


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
    start: Path | None = None,
    background: Background | None = None,
    network: NetworkConfig | None = None,
    frozen: str = "none",
    validation: float = VALIDATION,
    seed: int = 1,
    hardware: Hardware | None = None,
    save_every: float = 120.0,
    quiet: bool = False,
    say: Callable[[str], None] = say_line,
) -> dict:
    """Train on one experiment and return the state of its checkpoint, `out/checkpoint.pt`.

    start: checkpoint of the global model; without it the network learns from
    scratch (the paper's direct learning). validation: share of the positives,
    by locus, that validates. Goes on where an earlier run in `out` stopped.
    Raises SaresnetError when too few windows are left to train on.
    """
    hardware = hardware or Hardware.find()
    positives = experiment.positives
    if background is not None:
        positives = background.drop_held_out(positives)
    training, validating = split_by_locus(positives, validation, seed)
    if len(training) < 10:
        raise SaresnetError(
            f"{experiment.id}: {len(training)} positives are too few to train on", cure="give more peaks"
        )
    windows = background.windows(positives) if background is not None else None
    own, judged = None, None
    if experiment.negatives is not None:
        kept, held = split_by_locus(experiment.negatives, validation, seed)
        own, judged = experiment.negatives[kept], experiment.negatives[held]
    torch.manual_seed(seed)
    if start is None:
        model = SAResNet(network or NetworkConfig(dropout=recipe.dropout))
    else:
        model = load_network(start)
        model.drop1.p = model.drop2.p = recipe.dropout
    freeze(model, frozen)
    epochs = Epochs(positives[training], recipe, seed, windows, own)
    counts = {"positives": len(training), "shuffled": epochs.shuffled, "genomic": epochs.genomic}
    if own is not None:
        counts["given"] = len(own)
    if hardware.rank == 0 and not quiet:
        say(
            f"{experiment.id}: {len(training)} positives, {len(validating)} to validate, "
            f"{len(experiment.positives) - len(positives)} held out; an epoch has {epochs.size} windows in "
            f"{epochs.steps} batches; {hardware.device.type}, "
            f"{'bfloat16' if hardware.bfloat16 else 'float32'}, seed {seed}"
        )
    run = Run(
        folder=out,
        seed=seed,
        arguments={
            "command": "finetune",
            "recipe": recipe.as_dict(),
            "positives": fingerprint(positives),
            "negatives": None if own is None else fingerprint(own),
            "background": windows.fingerprint if windows is not None else None,
            "start": None if start is None else _weights_of(model),
            "frozen": frozen,
            "validation": validation,
            "bfloat16": hardware.bfloat16,
            "processes": hardware.world,
        },
        identity={"id": experiment.id, "tf": experiment.tf, "cell": experiment.cell, "source": experiment.source},
        counts=counts,
        quiet=quiet,
        save_every=save_every,
    )
    validated = validation_windows(positives[validating], windows, seed, judged)
    return fit(model, epochs, validated, recipe, run, hardware, say)


def _weights_of(model: SAResNet) -> str:
    """Return a digest of a network's weights: 16 hexadecimal digits."""
    flat = torch.cat([value.double().ravel() for value in model.state_dict().values()])
    return fingerprint(flat.numpy().view(np.uint8))
