"""What every engine does, and the check that a file is one that engines can run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import ModelError

CPU_BATCH = 32
"""Measured (docs/performance.md): what a batch holds fits the cache of a core; 64 is a little slower, 256 a fifth."""


class Engine(ABC):
    """One model, ready to compute batches of windows.

    name: of the engine, as `--engine` has it; precision: what it computes in;
    batch_size: windows in a batch.
    """

    name: str
    precision: str
    batch_size: int

    @abstractmethod
    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII, n <= batch_size -> (n,) float32; called from several threads.

        Raises DeviceError when the device fails.
        """


def check_interface(path: Path, inputs: list[tuple[str, str, int]], outputs: list[tuple[str, str, int]]) -> None:
    """Raise ModelError unless a file maps `sequence`, (batch, 101) uint8, to `logit`, (batch,) float32.

    inputs: (name, type, width), where the width is -1 if the shape is not (batch, width); outputs:
    (name, type, number of axes).
    """
    if inputs != [("sequence", "uint8", WINDOW)] or ("logit", "float32", 1) not in outputs:
        raise ModelError(
            f"is not a saresnet model: it reads {inputs} and gives {outputs}", path=path, cure="export it again"
        )


def fill_up(windows: np.ndarray, size: int) -> np.ndarray:
    """Return windows, (n, 101) uint8, followed by as many of N as make a batch of `size` (n <= size)."""
    missing = np.full((size - len(windows), WINDOW), ord("N"), np.uint8)
    return np.concatenate([windows, missing]) if len(missing) else windows


def first_line(error: Exception) -> str:
    """Return the first line of an engine's error, cut at 200 characters."""
    return str(error).strip().split("\n")[0][:200]
