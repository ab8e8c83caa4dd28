"""DeepTF: detectors of several widths side by side, read along the window by an LSTM.

Bao, Zhu and Yu 2019, IScIDE, Lecture Notes in Computer Science 11936, 126-138, doi:10.1007/978-3-030-36204-1_10.

Published, as far as it can be read without the paper's full text (its abstract): windows are encoded by
"multi-nucleotide one-hot", a one-hot vector for each run of adjacent bases; convolutions of several widths process
them, and a long short-term memory network recognises the binding site ("MCNN-LSTM"). No code is public, and the
SAResNet paper took scores that the authors of DeepTF sent. So these are our choices: runs of 2 bases; widths 8,
16 and 24, with 32 kernels each; rectifier; maximum over each 8 places; one LSTM of 32 or 64 units (searched) whose
last state goes through a dense layer of 32 rectified units with dropout; Adam.

window -> one-hot of each run of 2 bases (16 x 100) -> convolutions (96 x 100) -> rectifier
-> maximum over each 8 places (96 x 12) -> LSTM, last state -> dense layer of 32 -> dropout -> log-odds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from saresnet_train.baselines.layers import Detectors, Head, Network
from saresnet_train.baselines.rival import Budget, Rival, Settings, search
from saresnet_train.benchmark.task import Outcome, Task


def encode_runs(x: Tensor, k: int) -> Tensor:
    """Return the one-hot vector of each run of k bases: (batch, 4, L) one-hot -> (batch, 4^k, L - k + 1).

    A run with another letter than A, C, G and T is all zeros. Memory has channels last.
    """
    bases = x.transpose(1, 2)  # (B, L, 4)
    places = bases.shape[1] - k + 1
    runs = bases[:, :places]
    for at in range(1, k):
        runs = (runs.unsqueeze(3) * bases[:, at : at + places].unsqueeze(2)).flatten(2)
    return runs.transpose(1, 2)


class DeepTF(Network):
    """x: (batch, 4, 101) one-hot -> (batch,) log-odds."""

    def __init__(
        self,
        k: int = 2,
        units: int = 64,
        dropout: float = 0.3,
        kernels: int = 32,
        widths: tuple[int, ...] = (8, 16, 24),
        pool: int = 8,
        hidden: int = 32,
    ) -> None:
        super().__init__()
        self.k = k
        self.scales = nn.ModuleList(Detectors(4**k, kernels, width, pool) for width in widths)
        self.lstm = nn.LSTM(kernels * len(widths), units, batch_first=True)
        self.head = Head(units, hidden, dropout)

    def detect(self, x: Tensor) -> Tensor:
        runs = encode_runs(x, self.k)
        return torch.cat([scale(runs) for scale in self.scales], 1)  # (B, 96, 12)

    def classify(self, found: Tensor) -> Tensor:
        states, _ = self.lstm(functional.relu(found).transpose(1, 2))
        return self.head(states[:, -1])


def draw(rng: np.random.Generator) -> Settings:
    """Draw settings; none are published."""
    return Settings(
        "adam",
        learning_rate=float(10 ** rng.uniform(-3.3, -2.3)),
        batch_size=int(rng.choice([64, 128])),
        weight_decay=float(rng.choice([0.0, 1e-5])),
        network={
            "units": int(rng.choice([32, 64])),
            "dropout": float(rng.choice([0.2, 0.5])),
        },
    )


def budget(positives: int) -> Budget:
    """Return what is spent on a set of so many positives."""
    return Budget.of(positives, trials=(4, 3, 2), patience=4)


RIVAL = Rival(DeepTF, Settings("adam", 1e-3, 64, network={"units": 64, "dropout": 0.5}).both_ways(), draw, budget)


def train(task: Task) -> Outcome:
    """Train DeepTF on a task."""
    return search(RIVAL, task)
