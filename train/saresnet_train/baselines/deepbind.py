"""DeepBind: 16 motif detectors of 24 bp, the best place of each, and a small network that weighs them.

Alipanahi, Delong, Weirauch and Frey 2015, Nature Biotechnology 33, 831-838, doi:10.1038/nbt.3300, as Zeng et al. 2016
(Bioinformatics 32, i121-i127) placed it among their convolutional networks.

window, one-hot (4 x 101) -> convolution, 16 kernels of 24 bp -> rectifier -> maximum over all places (16)
-> dense layer of 32 rectified units, or none -> dropout -> log-odds.

Published and followed: detectors, their width, the two forms of the network behind them, batches of 64, stochastic
gradient descent with Nesterov's momentum, and the ranges that random trials are drawn from: learning rate 0.0005 to
0.05, momentum 0.95 to 0.99, dropout of 0, 0.25 or 0.5, weight decay 1e-10 to 1e-3 (one for all layers).
Other than published: windows are filled up with zeros to one place a base, not with 23 unknown bases at each end;
weights start from Glorot's distribution, not from scales that are searched too; a training ends by its validation
loss, not at the best of five numbers of steps up to 20,000; there are 6 to 12 trials with one validation set each, not
30 with three; one strand is read, as by all networks here, not the better of two.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from saresnet_train.baselines.layers import Detectors, Head, Network
from saresnet_train.baselines.rival import Budget, Rival, Settings, search
from saresnet_train.benchmark.task import Outcome, Task


class DeepBind(Network):
    """x: (batch, 4, 101) one-hot -> (batch,) log-odds."""

    def __init__(self, hidden: int = 0, dropout: float = 0.25, kernels: int = 16, width: int = 24) -> None:
        super().__init__()
        self.detectors = Detectors(4, kernels, width)
        self.head = Head(kernels, hidden, dropout)

    def detect(self, x: Tensor) -> Tensor:
        return self.detectors(x).squeeze(2)  # (B, 16)

    def classify(self, found: Tensor) -> Tensor:
        return self.head(functional.relu(found))


def draw(rng: np.random.Generator) -> Settings:
    """Draw settings from the published ranges (supplementary table of hyper-parameters)."""
    return Settings(
        "sgd",
        learning_rate=float(10 ** rng.uniform(np.log10(5e-4), np.log10(5e-2))),
        batch_size=64,
        momentum=float(np.sqrt(rng.uniform(0.95**2, 0.99**2))),
        weight_decay=float(10 ** rng.uniform(-10, -3)),
        network={"hidden": int(rng.choice([0, 32])), "dropout": float(rng.choice([0.0, 0.25, 0.5]))},
    )


def budget(positives: int) -> Budget:
    """Return what is spent on a set of so many positives."""
    return Budget.of(positives, trials=(12, 8, 6), patience=4)


RIVAL = Rival(
    DeepBind,
    # no single setting is published: the middle of the ranges
    Settings("sgd", 5e-3, 64, momentum=0.97, weight_decay=1e-6, network={"hidden": 32, "dropout": 0.25}).both_ways(),
    draw,
    budget,
)


def train(task: Task) -> Outcome:
    """Train DeepBind on a task."""
    return search(RIVAL, task)
