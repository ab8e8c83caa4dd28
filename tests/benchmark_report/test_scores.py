"""Areas and curves from the scores of each window, also of real results."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from saresnet_train.benchmark.report import (
    build,
    read_records,
)
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.methods import title
from saresnet_train.benchmark.report.records import Records, Set
from saresnet_train.benchmark.report.scores import (
    agreement,
    error_by_chance,
    precision_points,
    read_scores,
    reliability,
    roc_points,
    with_ensemble,
)
from saresnet_train.metrics import auprc, auroc, measure, measure_scores
from support.benchmark_results import SETS, table, write_cell

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SARESNET_DATA", ROOT.parent / "shared" / "data"))
RESULTS = ROOT / "benchmarks" / "methods"

# Scores


@given(st.integers(0, 10**6), st.integers(2, 60), st.booleans())
def test_areas_are_those_of_scikit_learn(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) < max(1, n // 3)
    scores = rng.normal(size=n) + labels
    scores = np.round(scores, 0 if ties else 6)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert auprc(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    ours, theirs = measure_scores(labels, scores, 0.2, True), measure(labels, scores, 0.2)
    for name, value in theirs.items():
        assert ours[name] == (None if math.isnan(value) else pytest.approx(value)), name


def test_curves_that_are_drawn_have_the_areas_that_are_told() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(40_000) < 20_000
    scores = rng.normal(size=40_000) + 1.5 * labels
    false, true = roc_points(labels, scores)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(auroc(labels, scores), abs=1e-3)
    recall, precision = precision_points(labels, scores)
    assert len(recall) <= 200 and recall[-1] == 1
    assert np.trapezoid(precision, recall) == pytest.approx(auprc(labels, scores), abs=0.01)


def test_reliability_by_hand() -> None:
    probability = np.array([0.05, 0.05, 0.95, 0.95, 0.95, 1.0])
    labels = np.array([0, 1, 1, 1, 0, 1], bool)
    scores = np.r_[np.log(probability[:5] / (1 - probability[:5])), 40.0]
    found = reliability(labels, scores)
    assert found.windows.tolist() == [2, 4]
    assert found.bound == pytest.approx([0.5, 0.75])
    assert found.probability == pytest.approx([0.05, (3 * 0.95 + 1) / 4])
    assert found.error == pytest.approx((2 * 0.45 + 4 * (0.9625 - 0.75)) / 6)


def test_what_is_by_chance_is_what_a_calibrated_method_shows() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 1.5, 200)
    shown = [reliability(rng.random(200) < 1 / (1 + np.exp(-scores)), scores).error for _ in range(300)]
    assert error_by_chance(scores, 300) == pytest.approx(np.mean(shown), rel=0.05)
    assert error_by_chance(np.tile(scores, 100)) < 0.2 * np.mean(shown)
    assert error_by_chance(np.full(200, 30.0)) < 1e-9
    assert error_by_chance(scores) == error_by_chance(scores)


def test_scores_give_the_areas_of_the_records(records: Records) -> None:
    found = agreement(records)
    assert found.cells == len(records.all()) and not found.without
    assert found.auroc < 1e-3 and found.auprc < 3e-3  # float16


def test_the_ensemble_is_the_mean_of_the_seeds(records: Records, results: Path, page: Path) -> None:
    both = with_ensemble(records)
    assert sorted(each.name for each in both.of("ensemble")) == sorted(name for _, name, _ in SETS[1::2])
    tier, name, _ = SETS[1]
    held = [np.load(results / "transfer" / tier / name / f"seed{seed}.npz")["both"] for seed in (1, 2, 3)]
    mean = np.mean([scores.astype(float) for scores in held], axis=0)
    told = both.metric("ensemble", "auroc", "both")[Set(tier, name)]
    assert told == pytest.approx(roc_auc_score(np.repeat([1, 0], 80), mean[:160]))
    text = (page / "benchmark.md").read_text()
    assert table(text, "Remedies, AUROC")[title("ensemble")][0].endswith(f"[{len(SETS[1::2])}]")


# Real results


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data sets in $SARESNET_DATA")
def test_a_record_of_a_real_model(tmp_path: Path) -> None:
    from saresnet_cli.model import load_model
    from saresnet_cli.runtime import Runtime
    from saresnet_train.codes import decode
    from saresnet_train.data import read_windows

    folder = DATA / "encode" / "EZH2_Dnd41"
    bound, shuffled = read_windows(folder / "test.positive.fa.gz"), read_windows(folder / "test.negative.fa.gz")
    windows = decode(np.concatenate([bound, shuffled]))
    with Runtime(engine="onnxruntime", threads=1).open([load_model("EZH2_Dnd41"), load_model("global")]) as scorer:
        logits = scorer.logits(windows)
    for column, method in enumerate(("transfer", "global")):
        write_cell(tmp_path, method, "encode", "EZH2_Dnd41", 1314, logits[:, column], logits[:, column], len(bound))
    found = agreement(read_records(tmp_path))
    assert found.cells == 2 and found.auroc < 2e-4 and found.auprc < 2e-4
    text = markdown(build(read_records(tmp_path)), "benchmark")
    labels = np.repeat([1, 0], len(bound))
    row = table(text, "AUROC of each set")["encode/EZH2_Dnd41"]
    assert row == ["2,628", "small", *[f"{roc_auc_score(labels, logits[:, column]):.3f}" for column in (0, 1)]]


@pytest.mark.skipif(not any(RESULTS.glob("*/*/*/seed*.npz")), reason="needs benchmarks/methods")
def test_stored_scores_give_the_areas_of_their_records() -> None:
    every = [record for record in read_records(RESULTS).all() if record.scores_path.exists()]
    for record in every[:: max(1, len(every) // 60)]:
        scores = read_scores(record)
        assert scores is not None
        for way in ("forward", "both"):
            for name, area in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
                again = area(scores.labels, scores.tested(way))
                assert again == pytest.approx(record.value("metrics", way, name), abs=2e-3), (record.path, way, name)
