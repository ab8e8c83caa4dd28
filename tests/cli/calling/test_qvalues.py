"""q-values are those of their definition, and count numbers as they are printed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli.calling.qvalues import PValueCounts
from saresnet_cli.printed import three_digits


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=60), st.integers(1, 7))
def test_q_values_are_those_of_the_definition(pvalues: list[float], batch: int) -> None:
    counts = PValueCounts()
    for begin in range(0, len(pvalues), batch):
        counts.add(np.array(pvalues[begin : begin + batch]))
    values, qvalues = counts.qvalues()
    assert values.tolist() == sorted(set(pvalues))
    count = len(pvalues)
    for p, q in zip(values.tolist(), qvalues.tolist(), strict=True):
        ratios = [other * count / sum(x <= other for x in pvalues) for other in pvalues if other >= p]
        assert q == pytest.approx(min(1.0, *ratios), rel=1e-12)
        assert q >= p


def test_counting_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pvalues = three_digits(np.random.default_rng(2).beta(0.3, 1, 5000))
    whole, parts = PValueCounts(), PValueCounts()
    whole.add(pvalues)
    monkeypatch.setattr("saresnet_cli.calling.qvalues._HELD", 100)
    for part in np.array_split(pvalues, 77):
        parts.add(part)
    assert [column.tolist() for column in parts.qvalues()] == [column.tolist() for column in whole.qvalues()]


@given(st.lists(st.one_of(st.floats(1e-12, 1.0), st.integers(1, 99_999).map(lambda n: n / 1e5)), max_size=20))
def test_three_digits_are_what_is_printed(pvalues: list[float]) -> None:
    assert three_digits(np.array(pvalues)).tolist() == [float(f"{p:.3g}") for p in pvalues]


def test_halves_are_rounded_as_they_are_printed() -> None:
    halves = np.arange(1005, 10_000, 10) / np.array([[1e4], [1e6], [1e9]])  # 0.1005 is a little more than that
    for pvalues in halves:
        assert three_digits(pvalues).tolist() == [float(f"{p:.3g}") for p in pvalues.tolist()]


@given(st.floats(-60, 60, width=32))
def test_logits_count_as_they_are_printed(logit: float) -> None:
    rounded = np.round(np.array([logit], dtype=np.float32).astype(np.float64), 4)
    assert rounded.tolist() == [float(f"{logit:.4f}")]
