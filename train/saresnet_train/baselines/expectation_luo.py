"""Expectation-Luo: motif detectors whose places are weighed by their own strength, not by the maximum alone.

Luo, Tu, Ding, Gao and Deng 2020, Bioinformatics 36, 1405-1412, doi:10.1093/bioinformatics/btz768; details and settings
as in their code, gao-lab/ePooling, which the SAResNet paper ran.

window, one-hot (4 x 101) -> convolution, filled up to 101 places -> rectifier with slope 0.5 below 0 and a ceiling
at 10 -> maximum over each 5 places (20) -> expectation pooling -> log-odds.

Expectation pooling of the values v at the places of a window: sum_i p_i v_i, with p_i proportional to exp(m v_i)
(structure 1), or p_i the same over those places alone where v_i is above the mean (structure 2).
m is 1, or learnt from there on: at m = 0 it is the mean, and for a large m the maximum.

Published and followed: all of that; 128 kernels, the most they tried, of 15 bp; Adam at a rate of 0.01; batches of 32.
Other than published: an end after 3 to 16 epochs without a lower validation loss, by the size of the set, not 10. The
search also tries the network of Zeng et al. with expectation pooling in place of the maximum (24 bp and a dense layer
of 32 units with dropout), a learning rate of 0.003, batches of 128, 64 kernels, and m learnt.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from saresnet_train.baselines.layers import Detectors, Head, Network
from saresnet_train.baselines.rival import Budget, Rival, Settings, search
from saresnet_train.benchmark.task import Outcome, Task


class ExpectationPooling(nn.Module):
    """The expectation of the values along the last axis, weighed by exp(m value): (…, places) -> (…).

    structure: 1 over all places, 2 over those above the mean. learnt: whether m is a parameter.
    """

    def __init__(self, m: float = 1.0, structure: int = 1, learnt: bool = False) -> None:
        super().__init__()
        self.structure = structure
        self.m = nn.Parameter(torch.tensor(m), requires_grad=learnt)

    def forward(self, x: Tensor) -> Tensor:
        weighed = self.m * x
        if self.structure == 2:
            # the highest is kept, whatever rounding makes of the mean of equal values
            above = (x > x.mean(-1, keepdim=True)) | (x == x.amax(-1, keepdim=True))
            weighed = weighed.masked_fill(~above, -torch.inf)
        return (torch.softmax(weighed, -1) * x).sum(-1)


class ExpectationLuo(Network):
    """x: (batch, 4, 101) one-hot -> (batch,) log-odds."""

    def __init__(
        self,
        kernels: int = 128,
        width: int = 15,
        hidden: int = 0,
        dropout: float = 0.0,
        structure: int = 1,
        learnt: bool = False,
        local: int = 5,
    ) -> None:
        super().__init__()
        self.detectors = Detectors(4, kernels, width, local)
        self.pool = ExpectationPooling(1.0, structure, learnt)
        self.head = Head(kernels, hidden, dropout)

    def detect(self, x: Tensor) -> Tensor:
        return self.detectors(x)  # (B, kernels, 20)

    def classify(self, found: Tensor) -> Tensor:
        return self.head(self.pool(functional.leaky_relu(found, 0.5).clamp(max=10)))


def draw(rng: np.random.Generator) -> Settings:
    """Draw settings around the published ones."""
    hidden = int(rng.choice([0, 32]))
    return Settings(
        "adam",
        learning_rate=float(rng.choice([1e-2, 3e-3])),
        batch_size=int(rng.choice([32, 128])),
        network={
            "kernels": int(rng.choice([64, 128])),
            "width": int(rng.choice([15, 24])),
            "hidden": hidden,
            "dropout": float(rng.choice([0.1, 0.5])) if hidden else 0.0,
            "structure": int(rng.choice([1, 2])),
            "learnt": bool(rng.random() < 0.5),
        },
    )


def budget(positives: int) -> Budget:
    """Return what is spent on a set of so many positives."""
    return Budget.of(positives, trials=(5, 3, 3), patience=3)


RIVAL = Rival(
    ExpectationLuo,
    (
        *Settings("adam", 1e-2, 32, network={"kernels": 128, "width": 15}).both_ways(),
        Settings("adam", 3e-3, 32, fresh=True, network={"kernels": 128, "width": 24, "hidden": 32, "dropout": 0.1}),
    ),
    draw,
    budget,
)


def train(task: Task) -> Outcome:
    """Train Expectation-Luo on a task."""
    return search(RIVAL, task)
