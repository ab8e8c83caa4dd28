"""Which windows a region gives (architecture: coordinates and windows)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli.windows import WindowPlan, count_unknown, cut, window_starts


@pytest.mark.parametrize(
    ("start", "end", "length", "stride", "expected"),
    [
        (0, 101, 101, 50, [0]),  # just one window
        (0, 102, 102, 50, [0, 1]),  # one base more: flush with the end
        (10, 211, 1000, 50, [10, 60, 110]),  # the last fits exactly: no second flush
        (10, 212, 1000, 50, [10, 60, 110, 111]),
        (0, 500, 500, 400, [0, 399]),  # stride over a window: the end is still covered
        (500, 501, 1000, 50, [450]),  # one base, in the middle of its window
        (500, 510, 1000, 50, [455]),
        (500, 600, 1000, 50, [500]),  # 100 bp: centred on 550
        (5, 15, 1000, 50, [0]),  # moved inside, left
        (990, 1000, 1000, 50, [899]),  # moved inside, right
        (0, 100, 100, 50, []),  # sequence shorter than a window
        (20, 30, 100, 50, []),
    ],
)
def test_examples(start: int, end: int, length: int, stride: int, expected: list[int]) -> None:
    assert window_starts(start, end, length, stride).tolist() == expected


@st.composite
def regions(draw: st.DrawFn) -> tuple[int, int, int]:
    length = draw(st.integers(1, 2000))
    start = draw(st.integers(0, length - 1))
    return start, draw(st.integers(start + 1, length)), length


@given(regions(), st.integers(1, 300))
def test_every_rule_holds(region: tuple[int, int, int], stride: int) -> None:
    start, end, length = region
    starts = window_starts(start, end, length, stride)
    if length < 101:
        assert len(starts) == 0
        return
    assert starts.min() >= 0
    assert starts.max() + 101 <= length
    if end - start < 101:
        assert len(starts) == 1
        middle, wanted = (start + end) // 2, starts[0] + 50
        assert wanted == middle or starts[0] in (0, length - 101)
        return
    assert starts[0] == start
    assert starts[-1] + 101 == end
    steps = np.diff(starts)
    assert (steps[:-1] == stride).all()
    assert (steps > 0).all()
    assert (steps <= stride).all()


@given(st.lists(regions(), min_size=1, max_size=8), st.integers(1, 120), st.integers(1, 50))
def test_a_plan_in_pieces_is_the_regions_one_by_one(
    several: list[tuple[int, int, int]], stride: int, piece: int
) -> None:
    plan = WindowPlan.of(*(np.array(column) for column in zip(*several, strict=True)), stride)
    pieces = [plan.windows(i, min(i + piece, plan.total)) for i in range(0, plan.total, piece)]
    found = [(int(r), int(s)) for region, start in pieces for r, s in zip(region, start, strict=True)]
    assert found == [(i, int(s)) for i, region in enumerate(several) for s in window_starts(*region, stride)]


@given(st.text("ACGTNRacgtn", min_size=101, max_size=300))
def test_windows_and_their_unknown_letters_match_slices(text: str) -> None:
    bases = np.frombuffer(text.encode(), np.uint8)
    starts = np.arange(len(text) - 100)
    slices = [text[s : s + 101] for s in starts]
    assert [bytes(w).decode() for w in cut(bases, starts)] == slices
    assert count_unknown(bases, starts).tolist() == [sum(c not in "ACGTacgt" for c in s) for s in slices]


def test_a_stride_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match="stride 0"):
        window_starts(0, 200, 1000, 0)
