"""A genome with windows that the toy likes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def sequences(toy: SimpleNamespace) -> dict[str, str]:
    """A genome that holds windows the toy likes, more and less, at multiples of 420: of 7, 20 and 60."""
    rng = np.random.default_rng(11)
    like = [
        "ACGT"[int(np.argmax([toy.logit("N" * i + base + "N" * (100 - i)) for base in "ACGT"]))] for i in range(101)
    ]

    def bases(length: int, planted: dict[int, int]) -> str:
        letters = rng.choice(list("ACGT"), length)
        for start, count in planted.items():
            for i in rng.choice(101, count, replace=False).tolist():
                letters[start + i] = like[i]
        return "".join(letters)

    one = bases(6000, {420: 101, 840: 90, 1680: 70, 1740: 60, 2100: 50, 2940: 45, 4200: 40, 5460: 60})
    return {
        "chr1": one[:3200] + "N" * 300 + one[3500:],
        "chr2": bases(101, {0: 55}),
        "tiny": bases(60, {}),
        "chrM": bases(777, {420: 65}),
    }
