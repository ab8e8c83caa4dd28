"""The methods of the benchmark, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

from saresnet_train.benchmark.networks import FEW_BATCH, MOST_DIRECT, OWN_DIRECT, PAPER, PAPER_DIRECT, Global, Learning
from saresnet_train.benchmark.task import Outcome, Task, Train
from saresnet_train.benchmark.titles import TITLES

SHEN = "Shen et al. 2021, Briefings in Bioinformatics"


@dataclass(frozen=True)
class Method:
    """A method: its name, where it comes from, and how it learns a task.

    pretrained: the global model that it starts from, if any. cost: core-seconds for a thousand training windows,
    roughly, by which the time left is told. scanned: whether it is tried on a whole chromosome too.
    """

    name: str
    source: str
    train: Train
    pretrained: str | None = None
    cost: float = 1.0
    scanned: bool = False

    @property
    def title(self) -> str:
        """What a reader calls it."""
        return TITLES[self.name]


def _late(module: str) -> Train:
    """Return the training function of a rival, imported when it is called."""

    def train(task: Task) -> Outcome:
        function: Callable[[Task], Outcome] = import_module(f"saresnet_train.baselines.{module}").train
        return function(task)

    return train


def _learning(name: str, learning: Learning, cost: float, scanned: bool = False) -> Method:
    return Method(name, SHEN, learning, learning.start, cost, scanned)


_DIRECT = Learning(OWN_DIRECT, most=MOST_DIRECT, few_batch=FEW_BATCH)

_ALL = (
    Method("pwm", "JASPAR 2026", _late("pwm"), cost=0.05, scanned=True),
    Method("gkmsvm", "Ghandi et al. 2014; Lee 2016", _late("gkmsvm"), cost=10),
    Method("deepbind", "Alipanahi et al. 2015", _late("deepbind"), cost=2),
    Method("cnn-zeng", "Zeng et al. 2016", _late("cnn_zeng"), cost=2, scanned=True),
    Method("expectation-luo", "Luo et al. 2020", _late("expectation_luo"), cost=2),
    Method("deeptf", "Bao et al. 2019", _late("deeptf"), cost=5),
    _learning("direct", _DIRECT, 4),
    Method("global", SHEN, Global("own"), "own", 0.2),
    _learning("transfer", Learning(start="own"), 3, scanned=True),
    _learning("direct-no-attention", replace(_DIRECT, attention=False), 3),
    _learning("transfer-no-attention", Learning(start="own-no-attention"), 2.5),
    _learning("transfer-32", Learning(start="own-32"), 2),
    _learning("transfer-32-no-attention", Learning(start="own-32-no-attention"), 2),
    _learning("freeze-stem", Learning(start="own", frozen="stem"), 3),
    _learning("freeze-stage2", Learning(start="own", frozen="stage2"), 2.5),
    _learning("freeze-head", Learning(start="own", frozen="head-only"), 1.5),
    _learning("paper-direct", Learning(PAPER_DIRECT, most=None), 15),
    Method("paper-global", SHEN, Global("paper"), "paper", 0.2),
    _learning("paper-transfer", Learning(PAPER, "paper", most=None), 15),
)

METHODS = {method.name: method for method in _ALL}
"""Every method by its name, in the order of the report."""
