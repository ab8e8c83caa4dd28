"""A short run of the fuzzer; `python tests/hard/fuzz.py --seconds 3600` is the long one."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

SECONDS = 4.0


@pytest.fixture(scope="module")
def fuzzer(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("tests/hard/fuzz.py")


@pytest.mark.parametrize("parser", ["bed", "fasta", "fai", "vcf", "card", "model"])
def test_a_parser_ends_in_a_result_or_a_clean_error(fuzzer: ModuleType, parser: str) -> None:
    assert fuzzer.fuzz([parser], SECONDS, seed=7)[parser] > 10


def test_the_fuzzer_would_see_it(fuzzer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzer.Card, "from_json", lambda *_: {}["x"])
    with pytest.raises(KeyError):
        fuzzer.fuzz(["card"], 5.0, seed=7)
