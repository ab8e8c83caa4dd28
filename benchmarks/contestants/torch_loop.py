"""The network in torch, both strands, encoded in torch: what the torch contestants run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

Network = Callable[[Tensor], Tensor]


def letters_table(device: str = "cpu") -> Tensor:
    """Return the one-hot columns of ASCII letters: (256, 4) float32, rows of other letters zero."""
    table = torch.zeros(256, 4)
    for row, letter in enumerate("ACGT"):
        table[ord(letter), row] = 1
    return table.to(device)


def score(network: Network, windows: Tensor, batch: int, table: Tensor) -> Tensor:
    """Return the mean logit of both strands: (n, 101) uint8 ASCII -> (n,) float32, on the device of the windows.

    A last batch is filled up with A, so that the network meets one shape only.
    """
    parts = []
    for at in range(0, len(windows), batch):
        part = windows[at : at + batch]
        missing = batch - len(part)
        if missing:
            part = torch.cat([part, part.new_full((missing, part.shape[1]), ord("A"))])
        forward = table[part.int()].transpose(1, 2)  # (batch, 4, 101)
        z = network(torch.cat([forward, forward.flip(1, 2)]))  # A, C, G, T backwards are their complements
        logit = (z[:, 1] - z[:, 0]).view(2, batch).mean(0)
        parts.append(logit[: batch - missing])
    return torch.cat(parts)


def fastest(choices: Mapping[str, tuple[Network, int]], windows: Tensor, table: Tensor) -> str:
    """Return which (network, batch) scores these windows fastest, the better of two tries each."""
    seconds = dict.fromkeys(choices, np.inf)
    for _ in range(3):  # the first warms up
        for name, (network, batch) in choices.items():
            begun = time.perf_counter()
            score(network, windows, batch, table)
            seconds[name] = min(seconds[name], time.perf_counter() - begun)
    return min(seconds, key=lambda name: seconds[name])
