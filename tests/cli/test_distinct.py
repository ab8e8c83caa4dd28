"""Windows that coincide are recognised, for as long as was promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saresnet_cli import distinct
from saresnet_cli.distinct import Distinct, Recent


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=9), max_size=12), st.integers(1, 30))
def test_every_row_gets_the_value_of_its_own_key(chunks: list[list[int]], remembered: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "REMEMBERED", remembered)
        seen, recent = Distinct(), Recent(9, 2)
        for chunk in chunks:
            keys = np.array(chunk, dtype=np.int64)
            new, places = seen.add(keys)
            computed = np.stack([keys[new], -keys[new]], axis=1).astype(np.float32)
            recent.add(computed)
            found = computed if places is None else recent.get(places)
            assert found[:, 0].tolist() == chunk
            assert found[:, 1].tolist() == [-key for key in chunk]
            assert len(set(keys[new].tolist())) == len(new)
            assert (np.diff(new) > 0).all()


def test_what_was_seen_lately_is_not_new() -> None:
    seen = Distinct()
    assert seen.add(np.array([5, 3, 9]))[0].tolist() == [0, 1, 2]
    new, places = seen.add(np.array([9, 9, 4, 5]))
    assert new.tolist() == [2]
    assert places is not None
    assert places.tolist() == [2, 2, 3, 0]
    for start in range(100, 100 + 40 * 1000, 1000):
        assert seen.add(np.arange(start, start + 1000))[1] is None
    assert seen.add(np.array([5]))[0].tolist() == [0]  # forgotten, so that memory stays bounded
