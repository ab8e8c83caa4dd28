"""Runs: a set of numbers kept as intervals behaves as a set."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from saresnet_train.runs import Runs

intervals = st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 12)).map(lambda t: (t[0], t[0] + t[1])), max_size=8)


def _runs(pairs: list[tuple[int, int]]) -> Runs:
    return Runs.union([low for low, _ in pairs], [high for _, high in pairs])


def _set(pairs: list[tuple[int, int]]) -> set[int]:
    return {number for low, high in pairs for number in range(low, high)}


def _numbers(runs: Runs) -> list[int]:
    return runs[np.arange(len(runs))].tolist()


@given(intervals, intervals)
def test_runs_behave_as_sets(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    a, b = _runs(first), _runs(second)
    assert _numbers(a) == sorted(_set(first))
    assert _numbers(a.common(b)) == sorted(_set(first) & _set(second))
    assert _numbers(a.without(b)) == sorted(_set(first) - _set(second))
    for runs in (a, a.common(b), a.without(b)):  # neither overlap nor touch
        assert (runs.low < runs.high).all()
        assert (runs.low[1:] > runs.high[:-1]).all()


@given(intervals, st.integers(1, 9))
def test_membership_and_multiples(pairs: list[tuple[int, int]], stride: int) -> None:
    runs, expected = _runs(pairs), _set(pairs)
    numbers = np.arange(-10, 80)
    assert runs.has(numbers).tolist() == [number in expected for number in numbers.tolist()]
    assert runs.every(stride).tolist() == sorted(number for number in expected if number % stride == 0)
