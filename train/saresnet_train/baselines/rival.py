"""The rivals of neural kind: what their networks share, and how each is trained at its best.

A rival is trained several times on the same windows, first with its published settings on fixed shuffles and on fresh
ones, then with settings drawn at random from its published ranges, mostly on fresh ones. Each training ends early by
the loss on the validation windows of the task, and the one that reached the lowest loss counts, with the weights of its
best epoch. If the epochs that a trial has were its end, and not its loss, it is trained again with as many as it takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from saresnet_cli.errors import SaresnetError
from saresnet_train.baselines.layers import Network
from saresnet_train.benchmark.task import Outcome, Task
from saresnet_train.codes import reverse_complement
from saresnet_train.epochs import Epochs
from saresnet_train.hardware import Hardware
from saresnet_train.network import one_hot
from saresnet_train.recipe import Recipe

SCORED = 1024
"""Windows scored at a time; one number, so that a score does not hang on how many are asked for."""

_PLAIN = Recipe(shift=0, shifted=0.0, genomic=0.0, reverse_complement=False)


MOST = 100
"""Epochs at most of the one training that counts."""


@dataclass(frozen=True)
class Settings:
    """How one training goes; network: the arguments of the rival's network, such as its dropout."""

    optimizer: str  # sgd (with Nesterov's momentum), adam or adadelta
    learning_rate: float
    batch_size: int
    momentum: float = 0.0  # of sgd; rho of adadelta
    epsilon: float = 1e-8  # of adam and adadelta
    weight_decay: float = 0.0
    fresh: bool = False  # new shuffles and random strands each epoch; otherwise one set of shuffles, as published
    network: dict = field(default_factory=dict)

    def both_ways(self) -> tuple[Settings, Settings]:
        """Return the settings with fixed shuffles, as published, and with fresh ones."""
        return replace(self, fresh=False), replace(self, fresh=True)

    def optimise(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return the optimiser of a network's weights."""
        weights, rate, decay = network.parameters(), self.learning_rate, self.weight_decay
        if self.optimizer == "sgd":
            return torch.optim.SGD(weights, rate, self.momentum, weight_decay=decay, nesterov=True, fused=True)
        if self.optimizer == "adadelta":
            return torch.optim.Adadelta(weights, rate, self.momentum, self.epsilon, decay, foreach=True)
        return torch.optim.Adam(weights, rate, eps=self.epsilon, weight_decay=decay, fused=True)


@dataclass(frozen=True)
class Budget:
    """How much is spent on a set: trainings, epochs of each at most, and epochs without a lower loss before its end."""

    trials: int
    epochs: int
    patience: int

    @classmethod
    def of(cls, positives: int, trials: tuple[int, int, int], patience: int) -> Budget:
        """Return the budget of a set by its size.

        trials: of a set of less than 3,000 positives, of less than 10,000, and of a larger one; patience: the least.
        Epochs go with the inverse root of the size, from 80 for 500 positives to 10 for 30,000: a small set has few
        steps in an epoch, and may need many to leave the plateau that a search for motifs starts on.
        """
        epochs = max(10, min(80, round(80 * (500 / max(1, positives)) ** 0.5)))
        tried = trials[(positives >= 3_000) + (positives >= 10_000)]
        return cls(tried, epochs, max(patience, epochs // 5))


@dataclass(frozen=True)
class Rival:
    """A method to train.

    build: the network from `Settings.network`. first: the settings that are tried before all others, those that its
    authors used among them; draw: others from their ranges. budget: of so many positives.
    """

    build: Callable[..., Network]
    first: tuple[Settings, ...]
    draw: Callable[[np.random.Generator], Settings]
    budget: Callable[[int], Budget]

    def settings(self, trials: int, seed: int) -> list[Settings]:
        """Return the settings that are tried, the first ones and then random ones."""
        rng = np.random.default_rng((seed, 8))
        drawn = list(self.first)
        while len(drawn) < trials:
            drawn.append(replace(self.draw(rng), fresh=bool(rng.random() < FRESH)))
        return drawn[:trials]


FRESH = 0.8
"""Share of the random settings with fresh shuffles: the better choice in 11 of 12 searches on three sets."""


@dataclass
class Trial:
    """What came of one training: validation loss by epoch, and the weights of the best epoch."""

    settings: Settings
    losses: list[float]
    weights: dict[str, Tensor]

    @property
    def loss(self) -> float:
        """The lowest validation loss; infinite where the training ran away."""
        return min(self.losses, default=math.inf)

    @property
    def epoch(self) -> int:
        """The epoch of the lowest loss, from 1; 0 where there is none."""
        return self.losses.index(self.loss) + 1 if math.isfinite(self.loss) else 0


class Windows:
    """The training windows of a task, epoch by epoch: the same for every trial.

    Fresh shuffles are drawn once for all trials and kept: 202 bytes a positive and epoch.
    """

    def __init__(self, positives: np.ndarray, seed: int) -> None:
        self.seed = seed
        self.epochs = Epochs(positives, _PLAIN, seed)
        self.drawn: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def epoch(self, number: int, fresh: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows of an epoch in random order: (2 n, 101) codes, and labels, (2 n,) uint8."""
        shuffles = number if fresh else 0
        if shuffles not in self.drawn:
            self.drawn[shuffles] = self.epochs.windows(shuffles)
        codes, labels = self.drawn[shuffles]
        rng = np.random.default_rng((self.seed, number, 9))
        order = rng.permutation(len(codes))
        codes, labels = codes[order], labels[order]
        if fresh:
            turned = rng.random(len(codes)) < 0.5
            codes[turned] = reverse_complement(codes[turned])
        return codes, labels


def search(rival: Rival, task: Task) -> Outcome:
    """Train a rival with each of its settings and keep the one of the lowest validation loss.

    Raises SaresnetError when every training ran away.
    """
    hardware = Hardware.find(task.device.type, threads=task.threads)
    budget = rival.budget(len(task.positives))
    windows = Windows(task.positives, task.seed)
    trials = []
    # a seed of its own for each trial, and the caller's generator left as it was
    with torch.random.fork_rng():
        for number, settings in enumerate(rival.settings(budget.trials, task.seed)):
            torch.manual_seed(task.seed * 1_000_003 + number)
            trials.append(_train(rival, settings, task, windows, budget, hardware))
        best = min(range(len(trials)), key=lambda number: trials[number].loss)
        won, most = trials[best], budget.epochs
        if len(won.losses) == most < MOST:  # the same again, and then on
            most = MOST
            torch.manual_seed(task.seed * 1_000_003 + best)
            won = _train(rival, won.settings, task, windows, replace(budget, epochs=most), hardware)
        if not math.isfinite(won.loss):
            raise SaresnetError(f"no training of {task.set.name} converged", cure="try another seed")
        network = rival.build(**won.settings.network).to(hardware.device)
        network.load_state_dict(won.weights)

    def score(codes: np.ndarray) -> np.ndarray:
        return _predict(network, codes, hardware.device)

    chosen = {
        "settings": asdict(won.settings),
        "epochs": won.epoch,
        "trained": len(won.losses),
        "most": most,
        "search": {
            **asdict(budget),
            "chosen": best,
            "tried": [
                {
                    "settings": asdict(trial.settings),
                    "epochs": len(trial.losses),
                    "validation_loss": trial.loss if math.isfinite(trial.loss) else None,
                }
                for trial in trials
            ],
        },
    }
    return Outcome(score, count_parameters(network), chosen)


def count_parameters(network: nn.Module) -> int:
    """Return how many weights of a network are trained."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def _train(rival: Rival, settings: Settings, task: Task, windows: Windows, budget: Budget, hardware: Hardware) -> Trial:
    """Train once, until `budget.patience` epochs brought no lower validation loss."""
    network = rival.build(**settings.network).to(hardware.device)
    optimizer = settings.optimise(network)
    codes, labels = task.validation
    truth = torch.as_tensor(labels.astype(np.float64))
    trial = Trial(settings, [], {})
    for number in range(budget.epochs):
        network.train()
        for x, target in _batches(*windows.epoch(number, settings.fresh), settings.batch_size, hardware.device):
            logit = network(x, hardware.bfloat16)
            loss = functional.binary_cross_entropy_with_logits(logit, target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        logits = torch.as_tensor(_predict(network, codes, hardware.device))
        found = float(functional.binary_cross_entropy_with_logits(logits.double(), truth))
        if not math.isfinite(found):
            break
        if found < trial.loss:
            trial.weights = {name: weight.detach().clone() for name, weight in network.state_dict().items()}
        trial.losses.append(found)
        if len(trial.losses) - trial.epoch >= budget.patience:
            break
    return trial


def _batches(codes: np.ndarray, labels: np.ndarray, size: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    targets = torch.as_tensor(labels.astype(np.float32)).to(device)
    for at in range(0, len(codes), size):
        yield one_hot(codes[at : at + size]).to(device), targets[at : at + size]


@torch.inference_mode()
def _predict(network: Network, codes: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the log-odds of windows: (n, 101) codes -> (n,) float32."""
    network.eval()
    logits = np.empty(len(codes), np.float32)
    for at in range(0, len(codes), SCORED):
        x = one_hot(codes[at : at + SCORED]).to(device)
        logits[at : at + SCORED] = network(x).float().cpu().numpy()
    return logits
