"""Means over sets with bootstrap intervals, and paired tests with Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

SEED = 1
RESAMPLES = 10_000
LEVEL = 0.95
FEWEST = 5
"""Sets below which there is no interval and no test."""


@dataclass(frozen=True)
class Mean:
    """A mean over n sets and the interval around it; NaN where n is 0, or below `FEWEST` for the interval."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def has_interval(self) -> bool:
        """Whether there were enough sets."""
        return not math.isnan(self.low)


@dataclass(frozen=True)
class Paired:
    """One method against another over the n sets that both have: second minus first.

    wins, ties, losses: sets where the second is higher, equal, lower. ttest, wilcoxon: two-sided P-values, None where
    there are too few sets or all differences are the same.
    """

    difference: Mean
    wins: int
    ties: int
    losses: int
    ttest: float | None
    wilcoxon: float | None

    @property
    def n(self) -> int:
        """Sets that both have."""
        return self.difference.n

    @property
    def settled(self) -> bool:
        """Whether the interval of the mean difference leaves out 0, and the t-test says the same."""
        apart = self.difference.has_interval and not self.difference.low <= 0 <= self.difference.high
        return apart and self.ttest is not None and self.ttest < 1 - LEVEL


def mean_over_sets(values: Sequence[float] | np.ndarray) -> Mean:
    """Return the mean of one value a set and its 95 % interval by a seeded bootstrap over sets.

    values: (n,). The interval is the expanded percentile interval (Hesterberg, The American Statistician 2015), whose
    levels are those of the t-distribution, since the plain one is too narrow for a few sets.
    """
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0:
        return Mean(math.nan, math.nan, math.nan, 0)
    mean = math.fsum(values) / n
    if n < FEWEST:
        return Mean(mean, math.nan, math.nan, n)
    tail = stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf((1 - LEVEL) / 2, n - 1))
    low, high = np.quantile(values[_resamples(n)].mean(axis=1), [tail, 1 - tail])
    return Mean(mean, float(low), float(high), n)


@lru_cache(maxsize=32)
def _resamples(n: int) -> np.ndarray:
    return np.random.default_rng((SEED, n)).integers(0, n, (RESAMPLES, n), dtype=np.int32)


def paired(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> Paired:
    """Compare two methods on the same sets, both (n,) in the same order: the difference is second minus first.

    The tests are the paired t-test, as in the paper, and Wilcoxon's signed-rank test, where sets without a difference
    are left out.
    """
    difference = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    ttest = wilcoxon = None
    if len(difference) >= FEWEST and np.ptp(difference) > 1e-12:
        ttest = float(stats.ttest_1samp(difference, 0.0).pvalue)
        if wins + losses:
            wilcoxon = _signed_rank(difference[difference != 0])
    return Paired(mean_over_sets(difference), wins, len(difference) - wins - losses, losses, ttest, wilcoxon)


def _signed_rank(difference: np.ndarray) -> float:
    """Return the two-sided P-value of the signed-rank test of differences that are not 0, as SciPy does.

    Of few differences with ties SciPy goes through all signs one by one, for seconds; their ranks' sums are counted.
    """
    ranks = stats.rankdata(np.abs(difference))
    # with ties SciPy is exact up to 13 differences; of more it takes the normal distribution
    if len(ranks) > 13 or len(np.unique(ranks)) == len(ranks):
        return float(stats.wilcoxon(difference).pvalue)
    twice = (2 * ranks).astype(int)  # ranks of ties end in a half
    share = np.ones(1)  # of all signs, by the sum of the ranks that are positive
    for rank in twice:
        share = (np.pad(share, (0, rank)) + np.pad(share, (rank, 0))) / 2
    positive = int(twice[difference > 0].sum())
    return min(1.0, 2 * float(min(share[: positive + 1].sum(), share[positive:].sum())))


def holm(pvalues: Sequence[float | None]) -> list[float | None]:
    """Correct P-values of one family by Holm's step-down method, in the same order; None stays and is not counted."""
    known = sorted((p, at) for at, p in enumerate(pvalues) if p is not None)
    corrected: list[float | None] = [None] * len(pvalues)
    largest = 0.0
    for rank, (p, at) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        corrected[at] = largest
    return corrected
