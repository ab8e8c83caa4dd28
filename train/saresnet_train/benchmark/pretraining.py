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
"""Passes over the million positives: what an hour of one core per quarter of a million buys."""

_OWN = PRETRAIN["default"].changed(genomic=0.0, shifted=0.0, epochs=PASSES)


@dataclass(frozen=True)
class Global:
    """How a global model is trained: from shuffles alone, as in the paper, by a recipe."""

    recipe: Recipe
    channels: int = 64
    attention: bool = True

    @property
    def network(self) -> NetworkConfig:
        """The network that is trained."""
        return NetworkConfig(channels=self.channels, attention=self.attention, dropout=self.recipe.dropout)


GLOBALS = {
    "own": Global(_OWN),
    "own-no-attention": Global(_OWN, attention=False),
    "own-32": Global(_OWN, channels=32),
    "own-32-no-attention": Global(_OWN, channels=32, attention=False),
    # the paper trains to an early stop; the passes are bounded by what the others have
    "paper": Global(PRETRAIN["paper"].changed(epochs=PASSES)),
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
        strip_checkpoint(folder / "checkpoint.pt", output)
        history = (folder / "history.tsv").read_bytes()
        output.with_suffix(".tsv").write_bytes(history)
    return output
