"""A short run of the fuzzer; `python tests/hard/fuzz.py --seconds 3600` is the long one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SECONDS = 4.0


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("parser", ["bed", "fasta", "fai", "vcf", "card", "model"])
def test_a_parser_ends_in_a_result_or_a_clean_error(fuzzer: ModuleType, parser: str) -> None:
    assert fuzzer.fuzz([parser], SECONDS, seed=7)[parser] > 10


def test_the_fuzzer_would_see_it(fuzzer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzer.Card, "from_json", lambda *_: {}["x"])
    with pytest.raises(KeyError):
        fuzzer.fuzz(["card"], 5.0, seed=7)
