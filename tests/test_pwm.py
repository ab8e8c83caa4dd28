"""The PWM scan: hits as lightmotif finds them, the right matrices, and a threshold from the validation alone."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("pyjaspar")

from saresnet_cli.errors import SaresnetError  # noqa: E402
from saresnet_train.baselines import pwm  # noqa: E402
from saresnet_train.benchmark.task import CannotBeDone, Task  # noqa: E402
from saresnet_train.codes import OTHER, decode, reverse_complement  # noqa: E402
from saresnet_train.data import find_set  # noqa: E402

DATA = Path(os.environ.get("SARESNET_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """REST in GM12878, 476 windows to train on."""
    if not (DATA / "manifest.tsv").exists():
        pytest.skip(f"no data in {DATA}")
    folder = tmp_path_factory.mktemp("rest")
    return Task.of(find_set(DATA, "gm12878/REST_GM12878"), 1, torch.device("cpu"), 1, folder, folder)


@pytest.mark.parametrize("tf", ["CTCF", "MAX", "REST"])
def test_best_hits_are_those_of_lightmotif(tf: str, real_windows: np.ndarray) -> None:
    lightmotif = pytest.importorskip("lightmotif")
    matrix = pwm.find_matrices(tf)[0]
    counts = {base: [int(count) for count in row] for base, row in zip("ACGT", matrix.counts, strict=True)}
    odds = lightmotif.CountMatrix(counts).normalize(pwm.PSEUDOCOUNT).log_odds()
    windows = real_windows[:200]
    expected = []
    for row in decode(windows):
        striped = lightmotif.stripe(bytes(row).decode())
        scores = [strand.calculate(striped) for strand in (odds, odds.reverse_complement())]
        # not .max(): it counts the padding of the striped scores, which is 0
        expected.append(max(hits[at] for hits in scores for at in range(101 - matrix.counts.shape[1] + 1)))
    np.testing.assert_allclose(matrix.best_hits(windows), expected, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 23), st.integers(23, 40))
def test_slide_adds_up_the_columns(seed: int, width: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    odds, codes = rng.normal(size=(5, width)), rng.integers(0, 5, (3, length)).astype(np.uint8)
    places = length - width + 1
    expected = [[sum(odds[row[at + i], i] for i in range(width)) for at in range(places)] for row in codes]
    np.testing.assert_allclose(pwm.slide(odds, codes), expected, atol=1e-12)


def test_both_strands_and_blocks_have_one_score(real_windows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = pwm.find_matrices("CTCF")[0]
    values = matrix.best_hits(real_windows)
    np.testing.assert_allclose(matrix.best_hits(reverse_complement(real_windows)), values, rtol=1e-6)
    monkeypatch.setattr(pwm, "BLOCK", 7)
    np.testing.assert_array_equal(matrix.best_hits(real_windows), values)


def test_a_base_that_is_not_known_adds_nothing() -> None:
    matrix = pwm.find_matrices("CTCF")[0]
    assert matrix.best_hits(np.full((1, 101), OTHER, np.uint8)) == 0
    site = np.full((1, 101), OTHER, np.uint8)
    consensus = matrix.counts.argmax(axis=0)
    site[0, 40 : 40 + len(consensus)] = consensus
    assert matrix.best_hits(site)[0] == pytest.approx(matrix.log_odds().max(axis=0).sum(), rel=1e-6)


@pytest.mark.parametrize(("tf", "names"), [("CTCF", {"CTCF"}), ("GATA3", {"Gata3", "GATA3"}), ("TBP", {"TBP"})])
def test_own_matrices_of_every_version_are_there(tf: str, names: set[str]) -> None:
    found = [matrix.id for matrix in pwm.find_matrices(tf)]
    assert {matrix.name for matrix in pwm.find_matrices(tf)} <= names
    assert found == sorted(found) and len(set(found)) == len(found)
    latest = pwm.read_jaspar()
    assert {matrix.id for matrix in latest if matrix.name.upper() == tf} == set(found)


def test_older_versions_count() -> None:
    found = [matrix.id for matrix in pwm.find_matrices("CTCF")]
    assert "MA0139.1" in found and "MA0139.2" in found


def test_complexes_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    every = pwm.read_jaspar()
    monkeypatch.setattr(pwm, "read_jaspar", lambda: tuple(m for m in every if m.name.upper() != "MYC"))
    assert [matrix.name for matrix in pwm.find_matrices("MYC")] == ["MAX::MYC"] * 2


@pytest.mark.parametrize("tf", ["SIN3A", "EZH2", "SUZ12", "TAF1", "TAF7", "SERBP1", "BCL3"])
def test_factors_without_a_matrix_are_named(tf: str) -> None:
    with pytest.raises(CannotBeDone, match=f"no vertebrate matrix for {tf}"):
        pwm.find_matrices(tf)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=30))
def test_threshold_has_the_best_accuracy(pairs: list[tuple[int, int]]) -> None:
    labels, values = np.array([p[0] for p in pairs], np.uint8), np.array([p[1] for p in pairs], np.float32)
    threshold = pwm.best_threshold(labels, values)
    cuts = np.arange(-2.5, 3)
    cuts = cuts[(cuts > values.min()) & (cuts < values.max())]
    best = max((((values > cut) == labels).mean() for cut in cuts), default=0)
    assert ((values > threshold) == labels).mean() >= best


def test_train_chooses_on_the_validation(rest: Task) -> None:
    outcome = pwm.train(rest)
    assert (outcome.calibrated, outcome.symmetric, outcome.parameters) == (False, True, 0)
    codes, labels = rest.validation
    values = outcome.score(codes)
    assert values.dtype == np.float32
    accuracy = ((values > outcome.threshold) == labels).mean()
    assert accuracy > 0.8  # most of the strongest REST peaks have its long motif; 0.5 is chance
    assert all(accuracy >= ((values > cut) == labels).mean() for cut in values)
    chosen = json.loads(json.dumps(outcome.chosen))
    assert chosen["matrix"] == max(chosen["searched"], key=chosen["searched"].get)


def test_of_several_matrices_the_best_is_taken(rest: Task) -> None:
    found = pwm.find_matrices("CTCF")
    ctcf = replace(rest, set=replace(rest.set, tf="CTCF"))
    site = found[2].counts.argmax(axis=0)
    assert len(found) > 2
    codes = np.random.default_rng(1).integers(0, 4, (200, 101)).astype(np.uint8)
    codes[:100, 30 : 30 + len(site)] = site
    labels = np.repeat(np.array([1, 0], np.uint8), 100)
    chosen = pwm.train(replace(ctcf, validation=(codes, labels))).chosen
    assert set(chosen["searched"]) == {matrix.id for matrix in found}
    assert chosen["searched"][chosen["matrix"]] == 1


def test_without_pyjaspar_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyjaspar", None)
    pwm.read_jaspar.cache_clear()
    with pytest.raises(SaresnetError, match=r"saresnet\[benchmark\]"):
        pwm.find_matrices("CTCF")
