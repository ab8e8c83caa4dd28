"""The statistics of the report: tests, corrections and intervals are those of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from saresnet_train.benchmark.report import (
    holm,
    mean_over_sets,
    paired,
)
from saresnet_train.benchmark.report.sentences import compared
from saresnet_train.benchmark.report.statistics import FEWEST

# Statistics


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, None, 0.02]) == [pytest.approx(0.02), None, pytest.approx(0.02)]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_none_and_bonferroni(pvalues: list[float]) -> None:
    corrected = np.array([value for value in holm(pvalues) if value is not None])
    raw = np.array(pvalues)
    assert (corrected >= raw).all() and (corrected <= np.minimum(1, raw * len(raw)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()


def test_paired_t_by_hand() -> None:
    result = paired([0, 0, 0, 0, 0], [1, 2, 3, 4, 5])
    # mean 3, standard deviation sqrt(2.5): t = 3 / sqrt(2.5 / 5), four degrees of freedom
    assert result.ttest == pytest.approx(2 * stats.t.sf(3 / math.sqrt(0.5), 4)) == pytest.approx(0.013236, abs=1e-6)
    assert result.wilcoxon == pytest.approx(2 / 2**5)  # the most extreme of 32 signs, both sides
    assert (result.wins, result.ties, result.losses, result.difference.mean) == (5, 0, 0, 3)


@pytest.mark.parametrize("seed", range(12))
def test_paired_tests_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(FEWEST, 60))
    first, second = np.round(rng.beta(9, 1, (2, n)), 1 if seed % 3 == 0 else 8)  # some with ties
    result = paired(first, second)
    assert result.ttest == pytest.approx(stats.ttest_rel(second, first).pvalue)
    apart = first != second
    assert result.wilcoxon == pytest.approx(stats.wilcoxon(second[apart], first[apart]).pvalue)
    counted = [int((second > first).sum()), int((second == first).sum()), int((second < first).sum())]
    assert [result.wins, result.ties, result.losses] == counted and result.n == n
    swapped = paired(second, first)
    assert swapped.difference.mean == pytest.approx(-result.difference.mean)
    assert (swapped.wins, swapped.losses) == (result.losses, result.wins)


@given(st.lists(st.integers(-4, 4), min_size=FEWEST, max_size=9))
@settings(max_examples=30)
def test_few_sets_with_ties_are_tested_as_by_scipy(sixteenths: list[int]) -> None:
    difference = np.array(sixteenths) / 16
    result = paired(np.zeros(len(difference)), difference)
    if np.ptp(difference) == 0 or not difference.any():
        assert result.wilcoxon is None
        return
    assert result.wilcoxon == pytest.approx(stats.wilcoxon(difference[difference != 0]).pvalue, abs=1e-12)


def test_no_test_without_a_difference_or_with_few_sets() -> None:
    same = paired([0.9] * 6, [0.9] * 6)
    assert (same.ttest, same.wilcoxon, same.ties) == (None, None, 6)
    few = paired([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.5, 0.6])
    assert (few.ttest, few.wilcoxon, few.difference.has_interval) == (None, None, False)
    assert math.isnan(mean_over_sets([]).mean)


@pytest.mark.parametrize(("n", "draw"), [(57, "normal"), (7, "normal"), (26, "beta")])
def test_intervals_cover_the_mean(n: int, draw: str) -> None:
    rng = np.random.default_rng(5)
    trials = 300
    samples = rng.normal(0.9, 0.05, (trials, n)) if draw == "normal" else rng.beta(9, 1, (trials, n))
    found = [mean_over_sets(sample) for sample in samples]
    covered = np.mean([interval.low <= 0.9 <= interval.high for interval in found])
    # 95 % within four standard errors of 300 trials; the plain percentile interval covers 86 % at n = 7
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / trials)), covered
    assert found[0] == mean_over_sets(samples[0])


# The report


def test_a_difference_is_settled_when_interval_and_test_agree() -> None:
    # one large difference among seven: the bootstrap leaves out 0, the t-test does not
    result = paired([0.0] * 7, [0.001, 0.002, 0.001, 0.002, 0.001, 0.05, 0.002])
    assert result.difference.low > 0 and result.ttest is not None and result.ttest > 0.05
    assert not result.settled
    assert "the t-test (P = 0.27) does not agree, so this is not settled" in compared("a", "b", result)
    assert paired([0.0] * 7, [0.01, 0.02, 0.01, 0.02, 0.01, 0.03, 0.02]).settled
