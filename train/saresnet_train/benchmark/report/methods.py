"""The methods of the benchmark as the report names and groups them."""

from __future__ import annotations

from saresnet_train.benchmark.titles import TITLES

MAIN = "transfer"
"""What is called SAResNet where one method stands for it, as in the paper's table 5."""

LEARNING = ("direct", "global", "transfer")
ATTENTION = ("transfer-32-no-attention", "transfer-32", "transfer-no-attention", "transfer")
FREEZING = ("transfer", "freeze-stem", "freeze-stage2", "freeze-head")
RIVALS = ("expectation-luo", "cnn-zeng", "deeptf", "deepbind", "gkmsvm", "pwm")
"""As in table 5 of the paper, and the PWM."""

OWN = ("transfer", "paper-transfer", "direct", "paper-direct", "global", "paper-global")
ENSEMBLE = "ensemble"
ABLATIONS = (*ATTENTION[:-1], "direct-no-attention", *FREEZING[1:])
EXPECTED = (*OWN, *ABLATIONS, *RIVALS)
"""Those without which a report is not complete."""

ONLY = {"direct-no-attention": "small"}
"""Methods that are asked of sets of one size: the ablation of the paper is of transfer, and this one is an addition."""

SPOKEN = {
    "direct": "SAResNet by direct learning",
    "global": "the global SAResNet",
    "transfer": "SAResNet with transfer",
}


def spoken(method: str) -> str:
    """Return what a sentence calls a method."""
    return SPOKEN.get(method, title(method))


def title(method: str) -> str:
    """Return what the report calls a method: its own name where it is not known."""
    return TITLES.get(method, method)


def ordered(methods: set[str] | frozenset[str]) -> list[str]:
    """Sort methods as the report shows them; those it does not know come last, by name."""
    place = {name: at for at, name in enumerate(TITLES)}
    return sorted(methods, key=lambda name: (place.get(name, len(place)), name))


def main_methods(methods: set[str] | frozenset[str]) -> list[str]:
    """Return those of some methods that are no ablations, in the order of the report."""
    return ordered(methods - set(ABLATIONS))


def remedies(methods: set[str] | frozenset[str]) -> list[str]:
    """Return those of some methods that are held against `transfer` as remedies: any that is in no other part."""
    return ordered(methods - set(EXPECTED))
