"""SAResNet as the benchmark's methods: direct, global and transfer learning, and the variations of each."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from saresnet_train.benchmark.task import Outcome, Task
from saresnet_train.checkpoint import load_network, network_of
from saresnet_train.evaluate import Scorer
from saresnet_train.finetune import freeze, transfer
from saresnet_train.hardware import Hardware
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.predict import predict
from saresnet_train.recipe import FINETUNE, PRETRAIN, Recipe, passes
from saresnet_train.training_set import TrainingSet

OWN = FINETUNE["default"].changed(genomic=0.0, shifted=0.0, shuffles=1.0)
"""Our recipe, on the paper's protocol: as many shuffles as positives, and no genome."""

OWN_DIRECT = OWN.changed(learning_rate=2e-3)
"""Our recipe for a network that begins from nothing."""

MOST, MOST_DIRECT = 20, 40
"""Passes over a small set at most, from the global model and from nothing: by the validation windows of small sets."""

FEW, FEW_BATCH = 2_000, 32
"""Learning from nothing from fewer positives than that has batches of so many windows: with 128 such a set has too few
steps (validation AUROC 0.834 against 0.814, mean of SERBP1, EZH2, BATF and EBF1)."""

PAPER = FINETUNE["paper"]
"""The paper's recipe of transfer."""

PAPER_DIRECT = PAPER.changed(learning_rate=PRETRAIN["paper"].learning_rate, epochs=100, patience=5)
"""Its recipe of direct learning: the learning rate of a network that begins from nothing. It ends sooner than the
authors' program does, since its records are older than our knowledge of that."""


@dataclass(frozen=True)
class Learning:
    """How SAResNet learns a set.

    start: name of the global model to start from, None to start from nothing. recipe: of the training;
    most: passes over a small set, a large one has fewer; None: as many as the recipe says.
    few_batch: batch size for fewer positives than `FEW`, None: that of the recipe.
    frozen: layers that keep the global weights.
    """

    recipe: Recipe = OWN
    start: str | None = None
    frozen: str = "none"
    channels: int = 64
    attention: bool = True
    most: int | None = MOST
    few_batch: int | None = None

    def recipe_for(self, positives: int) -> Recipe:
        """Return the recipe for a set of so many positives."""
        epochs = None if self.most is None else passes(positives, self.most)
        return self.recipe.changed(epochs=epochs, batch_size=self.few_batch if positives < FEW else None)

    def __call__(self, task: Task) -> Outcome:
        """Learn a task; the state of the training is in the task's folder, and goes on from there."""
        recipe = self.recipe_for(len(task.positives))
        chosen = TrainingSet(task.positives, task.validating, {"shuffled": task.validation})
        identity = {"id": task.set.name, "tf": task.set.tf, "cell": task.set.cell, "source": task.set.source}
        hardware = Hardware.find(task.device.type, "auto", task.threads)
        state = transfer(
            chosen,
            task.folder,
            recipe,
            identity,
            start=None if self.start is None else task.models / f"{self.start}.pt",
            network=NetworkConfig(channels=self.channels, attention=self.attention, dropout=recipe.dropout),
            frozen=self.frozen,
            seed=task.seed,
            hardware=hardware,
            quiet=True,
        )
        model = network_of(state).to(task.device)
        found = {"recipe": recipe.as_dict(), "frozen": self.frozen, "start": self.start, "epochs": state["epoch"]}
        return outcome(model, found, hardware, trained=_trainable(model, self.frozen))


@dataclass(frozen=True)
class Global:
    """One model for all sets, as it comes from pre-training."""

    start: str

    def __call__(self, task: Task) -> Outcome:
        """Load the global model; nothing is learnt from the task."""
        return self.load(task.models, Hardware.find(task.device.type, "auto", task.threads))

    def load(self, models: Path, hardware: Hardware) -> Outcome:
        """Load the global model from the folder of the pre-trained ones; raises ModelError when it is not there."""
        model = load_network(models / f"{self.start}.pt").to(hardware.device)
        return outcome(model, {"start": self.start}, hardware, trained=_trainable(model, "none"))


def outcome(model: SAResNet, chosen: dict, hardware: Hardware, trained: int) -> Outcome:
    """Return a network as an outcome; its logits are those of one strand, in float32."""

    def score(codes: np.ndarray) -> np.ndarray:
        return predict(model, codes, "forward")

    def open_scan() -> AbstractContextManager[Scorer]:
        from saresnet_export.scoring import open_network

        return open_network(model, threads=torch.get_num_threads())

    precision = "bfloat16" if hardware.bfloat16 else "float32"
    return Outcome(score, trained, {**chosen, "precision": precision}, open_scan=open_scan)


def _trainable(model: SAResNet, frozen: str) -> int:
    freeze(model, frozen)
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    model.requires_grad_(True)
    return count
