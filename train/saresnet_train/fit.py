"""The training loop: resumable, seeded, on a CPU, a GPU, or several processes of torchrun."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from saresnet_cli.errors import SaresnetError
from saresnet_cli.output import whole_file
from saresnet_train.adam import Adam
from saresnet_train.checkpoint import read_checkpoint, save_checkpoint
from saresnet_train.epochs import Epochs
from saresnet_train.hardware import Hardware
from saresnet_train.lowrank import is_adapted
from saresnet_train.metrics import measure
from saresnet_train.network import SAResNet, one_hot
from saresnet_train.predict import predict
from saresnet_train.recipe import Recipe
from saresnet_train.run import Run, say_line
from saresnet_train.training_set import Labelled

MINING_STRIDE = 100
"""Bases between the background windows among which the hardest are looked for."""

MINED = 200_000
"""Background windows among which they are looked for, at most: a human genome has a hundred times as many."""

HARDEST = 0.03
"""Share of them that is the hardest."""


def learning_rate(recipe: Recipe, progress: float) -> float:
    """Return the rate at a share (0 to 1) of all steps: constant, or one cycle (Smith and Topin 2017)."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warm = 0.1
    if progress < warm:
        return recipe.learning_rate * (0.04 + 0.96 * progress / warm)
    return recipe.learning_rate * max(1e-3, 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))))


def fit(
    model: SAResNet,
    epochs: Epochs,
    validation: dict[str, Labelled],
    recipe: Recipe,
    run: Run,
    hardware: Hardware,
    say: Callable[[str], None] = say_line,
) -> dict:
    """Train a network and return the state of its checkpoint.

    validation: labelled windows by name; the first decides the early stop. A
    run whose checkpoint is in `run.folder` goes on from it, with the same
    batches, and ends in the same weights. Raises SaresnetError when the folder
    holds another run.
    """
    model.to(hardware.device).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = Adam(trained, recipe.learning_rate, recipe.weight_decay, decoupled=recipe.optimizer == "adamw")
    state = _begin(model, optimizer, run)
    if state["done"]:
        if hardware.lead and not run.quiet:
            say(f"{run.checkpoint}: already trained, epoch {state['epoch']}, step {state['step']}")
        return state
    network: nn.Module = model
    if hardware.world > 1:
        ids = [hardware.device.index] if hardware.device.type == "cuda" else None
        network = DistributedDataParallel(model, device_ids=ids)
    total = recipe.epochs * epochs.steps
    lead = hardware.lead
    saved = time.monotonic()
    while not state["done"]:
        epoch, first = state["epoch"], state["step"] - state["epoch"] * epochs.steps
        began = time.monotonic()
        if recipe.hard and 2 * epoch >= recipe.epochs:
            epochs.hard = _hardest(state, model, epochs, recipe, hardware)
        bar = tqdm(
            total=epochs.steps, initial=first, unit="batch", desc=f"epoch {epoch + 1}/{recipe.epochs}", leave=False,
            disable=run.quiet or not lead or not sys.stderr.isatty(),
        )  # fmt: skip
        for step, codes, labels in epochs.batches(epoch, first):
            optimizer.rate = learning_rate(recipe, (epoch * epochs.steps + step) / total)
            loss = _step(network, optimizer, codes, labels, recipe, run.seed, state["step"], hardware)
            if not math.isfinite(loss):
                raise SaresnetError(
                    f"the training diverged: the loss of step {state['step'] + 1} is not a number",
                    path=run.folder, cure="choose a lower --learning-rate",
                )  # fmt: skip
            state["step"] += 1
            state["loss_sum"] += loss * len(labels)
            state["loss_count"] += len(labels)
            bar.update()
            if lead and time.monotonic() - saved > run.save_every:
                saved = time.monotonic()
                save_checkpoint(run.checkpoint, _snapshot(state, model, optimizer))
                if bar.disable and not run.quiet:
                    rate = (step + 1 - first) * recipe.batch_size / (time.monotonic() - began)
                    say(
                        f"epoch {epoch + 1}/{recipe.epochs} batch {step + 1}/{epochs.steps} "
                        f"loss {state['loss_sum'] / state['loss_count']:.4f} {rate:.0f} windows/s"
                    )
        bar.close()
        if lead:
            _judge(state, model, validation, recipe, epochs, time.monotonic() - began)
        _share(state, hardware)
        if lead:
            save_checkpoint(run.checkpoint, _snapshot(state, model, optimizer))
            _write_history(run.folder / "history.tsv", state["history"])
            if not run.quiet:
                say(
                    "  ".join(
                        f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in state["history"][-1].items()
                    )
                )
    return _snapshot(state, model, optimizer)


def _begin(model: SAResNet, optimizer: Adam, run: Run) -> dict:
    """Return the state of a new run, or that of the checkpoint in its folder."""
    fresh = {
        "config": model.config.as_dict(), "arguments": run.arguments, "seed": run.seed, "set": run.identity,
        "training": run.counts, "epoch": 0, "step": 0, "done": False, "best": None, "best_model": None,
        "history": [], "loss_sum": 0.0, "loss_count": 0,
    }  # fmt: skip
    if not run.checkpoint.exists():
        return fresh
    state = read_checkpoint(run.checkpoint)
    # a checkpoint of an older version lacks the settings that came later, and had their defaults
    before = {key: state["arguments"].get(key) for key in run.arguments}
    before["recipe"] = {**Recipe().as_dict(), **before["recipe"]}
    for key, value in (("arguments", before), ("seed", state["seed"]), ("config", state["config"])):
        if value != fresh[key]:
            raise SaresnetError(
                "another run is in this folder", path=run.checkpoint, cure="choose another folder, or remove it"
            )
    model.load_state_dict(state.pop("model"))
    optimizer.load_state_dict(state.pop("optimizer"))
    return state


def _hardest(state: dict, model: SAResNet, epochs: Epochs, recipe: Recipe, hardware: Hardware) -> np.ndarray:
    """Return the starts of the background windows that score highest, found half-way and at three quarters."""
    found = state.get("hard")
    last = -(-3 * recipe.epochs // 4)
    if found is None or (state["epoch"] >= last > found["epoch"]):
        background = epochs.background
        if background is None:
            raise ValueError("hard windows need a background")
        wider = -(-len(background.free) // (MINING_STRIDE * MINED))
        starts = background.every(MINING_STRIDE * max(1, wider))
        told: list[torch.Tensor | None] = [None]
        if hardware.lead:  # the others have batch norm statistics of their own
            logits = _forward_logits(model, background.take(starts), hardware)
            highest = np.sort(np.argsort(-logits, kind="stable")[: max(1, round(HARDEST * len(starts)))])
            told = [torch.as_tensor(starts[highest])]
        if hardware.world > 1:
            dist.broadcast_object_list(told)
        found = state["hard"] = {"epoch": state["epoch"], "starts": told[0]}
    hardest: np.ndarray = found["starts"].numpy()
    return hardest


def _forward_logits(model: SAResNet, codes: np.ndarray, hardware: Hardware) -> np.ndarray:
    """Score windows, one strand of each, on a CPU by the engine that scans: it takes half the time."""
    if hardware.device.type != "cpu" or hardware.bfloat16 or is_adapted(model.state_dict()):
        return predict(model, codes, "forward", bfloat16=hardware.bfloat16)
    from saresnet_export.scoring import open_network

    with open_network(model, "forward", torch.get_num_threads()) as score:
        return score(codes)


def _step(
    network: nn.Module,
    optimizer: Adam,
    codes: np.ndarray,
    labels: np.ndarray,
    recipe: Recipe,
    seed: int,
    number: int,
    hardware: Hardware,
) -> float:
    """Take one step on a batch and return its loss; each process takes its share of the batch."""
    # a seed a step, not a running generator, so that a resumed run drops the same units
    torch.manual_seed((seed * 1_000_003 + number) * 64 + hardware.rank)
    if hardware.world > 1:
        share = max(1, len(codes) // hardware.world)
        part = slice(hardware.rank * share, (hardware.rank + 1) * share)
        part = part if part.start < len(codes) else slice(0, share)
        codes, labels = codes[part], labels[part]
    x = one_hot(codes).to(hardware.device)
    target = torch.as_tensor(labels.astype(np.int64)).to(hardware.device)
    with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bfloat16):
        # a batch that is not full has another shape, for which all would be compiled again
        z = _compiled()(network, x) if hardware.compiled and len(x) == recipe.batch_size else network(x)
    loss = nn.functional.cross_entropy(z.float(), target, label_smoothing=recipe.label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


@cache
def _compiled() -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    """Return what computes a network's output, compiled at its first batch: for all networks of the process."""
    return torch.compile(lambda network, x: network(x))


def _judge(
    state: dict, model: SAResNet, validation: dict[str, Labelled], recipe: Recipe, epochs: Epochs, seconds: float
) -> None:
    """Close an epoch: measure, remember the best weights, decide whether the run is done."""
    state["epoch"] += 1
    row: dict[str, float | int] = {
        "epoch": state["epoch"],
        "step": state["step"],
        "train_loss": state["loss_sum"] / max(1, state["loss_count"]),
    }
    state["loss_sum"], state["loss_count"] = 0.0, 0
    for name, (codes, labels) in validation.items():
        figures = measure(labels, predict(model, codes, strands="forward"))
        row |= {f"{name}_{key}": figures[key] for key in ("loss", "accuracy", "auroc", "auprc")}
    row["seconds"] = round(seconds, 1)
    state["history"].append(row)
    decisive = next((f"{name}_loss" for name in validation), "train_loss")
    if state["best"] is None or row[decisive] < state["best"][decisive]:
        state["best"] = row
        if recipe.keep == "best":
            state["best_model"] = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
    waited = state["epoch"] - state["best"]["epoch"]
    state["done"] = state["epoch"] >= recipe.epochs or bool(recipe.patience and waited >= recipe.patience)


def _share(state: dict, hardware: Hardware) -> None:
    """Tell the other processes what the first one decided."""
    if hardware.world > 1:
        told = [{key: state[key] for key in ("epoch", "done", "best", "history", "loss_sum", "loss_count")}]
        dist.broadcast_object_list(told)
        state.update(told[0])


def _snapshot(state: dict, model: SAResNet, optimizer: Adam) -> dict:
    return {**state, "model": model.state_dict(), "optimizer": optimizer.state_dict()}


def _write_history(path: Path, history: list[dict]) -> None:
    lines = ["\t".join(history[0])]
    lines += ["\t".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in row.values()) for row in history]
    with whole_file(path, ".tsv") as part:
        part.write_text("\n".join(lines) + "\n")
