"""The global models of the benchmark, trained on the positives of all sets once and shared by the cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from saresnet_train.benchmark.cells import Results
from saresnet_train.checkpoint import strip_checkpoint
from saresnet_train.data import read_manifest
from saresnet_train.hardware import Hardware
from saresnet_train.network import NetworkConfig
from saresnet_train.pretrain import pretrain
from saresnet_train.recipe import PRETRAIN, Recipe

PASSES = 4
"""Passes over the million positives of all sets: an hour on one core."""

_OWN = PRETRAIN["default"].changed(genomic=0.0, shifted=0.0, epochs=PASSES)


@dataclass(frozen=True)
class Pretraining:
    """How a global model is trained: from shuffles alone, as in the paper, by a recipe."""

    recipe: Recipe
    channels: int = 64
    attention: bool = True

    @property
    def network(self) -> NetworkConfig:
        """The network that is trained."""
        return NetworkConfig(channels=self.channels, attention=self.attention, dropout=self.recipe.dropout)


GLOBALS = {
    "own": Pretraining(_OWN),
    "own-no-attention": Pretraining(_OWN, attention=False),
    "own-32": Pretraining(_OWN, channels=32),
    "own-32-no-attention": Pretraining(_OWN, channels=32, attention=False),
    # the paper trains to an early stop; the passes are bounded by what the others have
    "paper": Pretraining(PRETRAIN["paper"].changed(epochs=PASSES, patience=5)),
}
"""The global models by name: table 4's four networks by our recipe, and the paper's by its own."""


def provide(name: str, data: Path, results: Results, hardware: Hardware, say: Callable[[str], None]) -> Path:
    """Return the checkpoint of a global model, training it first if it is not there.

    A run that was killed goes on. When another process trains it, this one waits.
    """
    output = results.models / f"{name}.pt"
    with results.claim(f"global-{name}", wait=True):
        if output.exists():
            return output
        chosen = GLOBALS[name]
        files = [each.train_positive for each in read_manifest(data)]
        folder = results.scratch(f"global-{name}")
        pretrain(files, folder, chosen.recipe, network=chosen.network, hardware=hardware, say=say)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.with_suffix(".tsv").write_bytes((folder / "history.tsv").read_bytes())
        strip_checkpoint(folder / "checkpoint.pt", output)  # last: it is what says that all is there
    return output
