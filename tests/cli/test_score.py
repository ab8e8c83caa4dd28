"""Scoring sequences as wholes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saresnet_cli import load_model, pipeline, score, scoring
from saresnet_cli.runtime import Runtime
from saresnet_cli.sequences import Sequence
from saresnet_cli.windows import window_starts

Row = tuple[str, int, int, int, float, float]


def scored(model: object, sequences: dict[str, str], **options: object) -> tuple[list[Row], dict[str, int]]:
    records = [Sequence(name, "", np.frombuffer(text.encode(), np.uint8)) for name, text in sequences.items()]
    stride = options.pop("stride", 1)
    run = score(model, iter(records), stride=stride, runtime=Runtime(device="cpu", **options))  # type: ignore[arg-type]
    found = []
    for b in run:
        columns = (b.name, b.length, b.windows, b.start[:, 0], b.logit[:, 0], b.mean[:, 0])
        found += list(zip(*(column.tolist() for column in columns), strict=True))
    return found, run.summary.skipped


def expected(sequences: dict[str, str], stride: int, logit: Callable[[str], float]) -> list[Row]:
    found = []
    for name, text in sequences.items():
        starts = window_starts(0, len(text), len(text), stride).tolist()
        windows = {s: text[s : s + 101] for s in starts}
        logits = {s: logit(w) for s, w in windows.items() if sum(c not in "ACGT" for c in w) <= 10}
        best = max(logits, key=logits.__getitem__, default=-1)
        top = logits.get(best, float("nan"))
        mean = sum(logits.values()) / len(logits) if logits else float("nan")
        close = [pytest.approx(value, abs=1e-4, nan_ok=True) for value in (top, mean)]
        found.append((name, len(text), len(logits), best, *close))
    return found


@pytest.mark.parametrize("stride", [1, 40])
def test_best_window_and_mean(model: Path, sequences: dict[str, str], toy: SimpleNamespace, stride: int) -> None:
    found, skipped = scored(model, sequences, stride=stride)
    assert found == expected(sequences, stride, toy.logit)
    assert skipped["sequences shorter than 101 bp"] == 1
    assert skipped["sequences where every window has more than 10% N"] == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 260), min_size=1, max_size=9),
    st.integers(1, 60),
    st.integers(1, 9),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_groups_and_chunks_do_not_show(
    model: Path, toy: SimpleNamespace, lengths: list[int], stride: int, chunk: int, group: int, random: object
) -> None:
    sequences = {
        f"s{i}": "".join(random.choices("ACGTN", [9, 9, 9, 9, 2], k=length))  # type: ignore[attr-defined]
        for i, length in enumerate(lengths)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "CHUNK_WINDOWS", chunk)
        patch.setattr(scoring, "_SEQUENCES_AT_ONCE", group)
        found, _ = scored(load_model(model), sequences, stride=stride, batch_size=2, threads=2)
    assert found == expected(sequences, stride, toy.logit)


def test_of_equal_windows_the_first_is_the_best(model: Path) -> None:
    found, _ = scored(model, {"x": "ACG" * 60})
    text = "ACG" * 60
    assert found[0][3] < 3
    assert text[found[0][3] :].startswith(text[found[0][3] : found[0][3] + 3])


def test_a_fasta_file_is_read(model: Path, genome: Path, sequences: dict[str, str]) -> None:
    names = [name for block in score(model, genome, runtime=Runtime(device="cpu")) for name in block.name]
    assert names == list(sequences)
