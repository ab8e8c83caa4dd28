"""Windows become sites: merged, split and numbered as promised."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from support.called_windows import Window, expected_sites, find, window_lists


@given(window_lists(), st.sampled_from([1, 30, 101, 250]), st.integers(1, 30))
def test_sites_are_those_of_a_plain_search(windows: list[Window], min_distance: int, batch: int) -> None:
    found = find(windows, min_distance, batch)
    wanted = expected_sites(windows, min_distance)
    assert [(site.sequence, site.start, site.end, site.logit) for site in found] == [site[:4] for site in wanted]
    for site, (*_, summit) in zip(found, wanted, strict=True):
        assert abs(site.summit - summit) <= 0.5 + 1e-6


@given(window_lists(), st.sampled_from([1, 30, 101, 250]))
def test_sites_are_apart_and_hold_their_summits(windows: list[Window], min_distance: int) -> None:
    found = find(windows, min_distance)
    for site in found:
        assert site.start <= site.summit < site.end
    for left, right in pairwise(found):
        assert left.sequence < right.sequence or left.end <= right.start
    for sequence, start, _ in windows:  # every window that passed is in a site, or lies across a cut
        assert any(s.sequence == sequence and s.start < start + 101 and start < s.end for s in found)


def test_close_maxima_are_one_site() -> None:
    heights = [(0, 0, 2.0), (0, 50, 1.0), (0, 100, 3.0), (0, 150, 2.5), (0, 200, 2.75)]
    bounds = {distance: [(site.start, site.end) for site in find(heights, distance)] for distance in (100, 101)}
    assert bounds == {100: [(0, 100), (100, 200), (200, 301)], 101: [(0, 301)]}
    # A window above a site's best, between it and a higher site, belongs to the higher one.
    heights = [(0, 0, 9.0), (0, 20, 4.0), (0, 60, 8.0), (0, 90, 5.0), (0, 130, 7.0)]
    assert [(site.start, site.end, site.logit) for site in find(heights)] == [(0, 140, 9.0), (140, 231, 7.0)]


def test_a_summit_is_where_the_odds_are() -> None:
    (site,) = find([(0, 20, 1.0), (0, 40, 1.0 + math.log(2)), (0, 60, 1.0 + math.log(2)), (0, 80, 1.0)])
    assert site.summit == 50 + 50  # (20 + 2 * 40 + 2 * 60 + 80) / 6
    (site,) = find([(0, 0, 1.0), (0, 100, 1.0 + math.log(3))])
    assert site.summit == 75 + 50
    (site,) = find([(0, 0, 2.0), (0, 99, 0.0), (0, 101, 0.0)])  # the last does not overlap the best
    assert site.summit == round(99 * math.exp(-2) / (1 + math.exp(-2))) + 50
