"""What a training run is, by which its folder knows it again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saresnet_train.data import fingerprint
from saresnet_train.epochs import Epochs

if TYPE_CHECKING:
    from saresnet_train.hardware import Hardware  # which loads torch, and is only named here


def say_line(line: str) -> None:
    """Print a line to stderr at once."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Run:
    """What a run is: written into its checkpoint, and compared when it goes on.

    arguments: all that decides the weights (data, recipe, seed). identity: id,
    tf, cell and source of the model. counts: windows trained on.
    """

    folder: Path
    seed: int
    arguments: dict
    identity: dict = field(default_factory=dict)
    counts: dict = field(default_factory=dict)
    quiet: bool = False
    save_every: float = 120.0  # seconds

    @classmethod
    def of(
        cls,
        command: str,
        folder: Path,
        epochs: Epochs,
        hardware: Hardware,
        positives: np.ndarray,
        identity: dict,
        arguments: dict | None = None,
        *,
        quiet: bool = False,
        save_every: float = 120.0,
    ) -> Run:
        """Describe a run on the windows of `epochs`.

        positives: (n, 101) uint8 codes, those that validate included. arguments: what
        decides the weights beside these, the recipe, the background and the hardware.
        """
        background = epochs.background
        decisive = {
            "command": command,
            "recipe": epochs.recipe.as_dict(),
            "positives": fingerprint(positives),
            "background": background.fingerprint if background is not None else None,
            "bfloat16": hardware.bfloat16,
            "processes": hardware.world,
        }
        decisive |= {"compiled": True} if hardware.compiled else {}
        decisive |= arguments or {}
        return cls(folder, epochs.seed, decisive, identity, epochs.counts, quiet, save_every)

    @property
    def checkpoint(self) -> Path:
        """The file that holds the run's state and, at its end, the trained network."""
        return self.folder / "checkpoint.pt"


def describe(epochs: Epochs, hardware: Hardware) -> str:
    """Say in words what an epoch is and where it is computed: the end of a command's first line."""
    return f"an epoch has {epochs.size} windows in {epochs.steps} batches; {hardware}, seed {epochs.seed}"
