"""The report of the benchmark: its statistics, what it reads, and that its text says what the records say."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from saresnet_cli.errors import OutputError
from saresnet_train.benchmark.report import (
    RecordError,
    build,
    holm,
    mean_over_sets,
    paired,
    read_records,
    report,
    style,
    targets,
    write,
)
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.methods import EXPECTED, RIVALS, title
from saresnet_train.benchmark.report.published import TABLE_5
from saresnet_train.benchmark.report.records import LARGE, SMALL, Records, Set
from saresnet_train.benchmark.report.scores import (
    agreement,
    precision_points,
    read_scores,
    reliability,
    roc_points,
    with_ensemble,
)
from saresnet_train.benchmark.report.sentences import compared
from saresnet_train.benchmark.report.statistics import FEWEST
from saresnet_train.benchmark.report.tables import Source, pvalue
from saresnet_train.metrics import auprc, auroc, measure, measure_scores

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SARESNET_DATA", ROOT.parent / "shared" / "data"))
RESULTS = ROOT / "benchmarks" / "methods"

SETS = [
    *[("encode", f"E{at}_K562", training) for at, training in enumerate((700, 2000, 5000, 9000, 14000, 20000, 30000))],
    *[("gm12878", f"G{at}_GM12878", 540 + at) for at in range(6)],
]
SHIFT = {
    "transfer": 2.4, "direct": 1.9, "global": 1.7, "paper-transfer": 2.2, "paper-direct": 1.2, "paper-global": 1.6,
    "transfer-no-attention": 2.35, "transfer-32": 2.2, "transfer-32-no-attention": 2.15, "direct-no-attention": 1.8,
    "freeze-stem": 2.3, "freeze-stage2": 2.2, "freeze-head": 1.9, "transfer-averaged": 2.45, "pwm": 0.9,
    "expectation-luo": 1.75, "cnn-zeng": 1.7, "deeptf": 1.5, "deepbind": 1.4, "gkmsvm": 1.6,
}  # fmt: skip
"""How far apart each method puts bound and unbound windows."""


def figures(labels: np.ndarray, values: np.ndarray, calibrated: bool) -> dict[str, float | None]:
    """Metrics as the benchmark writes them."""
    found = dict(measure(labels, values))
    found["brier"] = float(((1 / (1 + np.exp(-values.astype(float))) - labels) ** 2).mean())
    if not calibrated:
        found["loss"] = found["brier"] = math.nan
    return {key: None if math.isnan(value) else value for key, value in found.items()}


def write_cell(
    folder: Path, method: str, tier: str, name: str, training: int, forward: np.ndarray, both: np.ndarray,
    bound: int, genomic: int = 0, seed: int = 1, chr20: float | None = None,
) -> Path:  # fmt: skip
    """Write a record and its scores: `bound` windows, as many shuffles, and genomic ones."""
    path = folder / method / tier / name / f"seed{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    calibrated = method not in ("pwm", "gkmsvm")
    labels, beside = np.repeat([1, 0], bound), np.repeat([1, 0], [bound, genomic])
    real = np.r_[np.arange(bound), np.arange(2 * bound, 2 * bound + genomic)]
    ways = {"forward": forward, "both": both}
    tf, cell = [*name.split("_"), ""][:2]
    record = {
        "format": "saresnet-benchmark-1", "method": method, "tier": tier, "set": name, "tf": tf, "cell": cell,
        "seed": seed,
        "counts": {"train_positives": training, "training": training - training // 10, "validating": training // 10,
                   "test_positives": bound, "test_negatives": bound, "genomic_negatives": genomic},
        "metrics": {way: figures(labels, values[: 2 * bound], calibrated) for way, values in ways.items()},
        "genomic": {way: figures(beside, values[real], calibrated) for way, values in ways.items()} if genomic else {},
        "chr20": None if chr20 is None else {"auroc": 0.9, "auprc": chr20, "positives": 20, "negatives": 9980},
        "validation": {"auroc": 0.9}, "seconds": {"training": 3.0, "scoring": 0.5}, "parameters": 443333,
        "threshold": 0.0, "calibrated": calibrated, "symmetric": method == "pwm", "chosen": {}, "device": "cpu",
        "threads": 1, "versions": {"saresnet": "0.1.0"}, "command": "saresnet benchmark run",
    }  # fmt: skip
    path.write_text(json.dumps(record, indent=1))
    np.savez_compressed(path.with_suffix(".npz"), **{way: values.astype(np.float16) for way, values in ways.items()})
    return path


def write_results(folder: Path, methods: Sequence[str] = tuple(SHIFT), bound: int = 80) -> Path:
    """Write results of two-normal scores; a set is as hard for every method, and the methods differ by `SHIFT`."""
    for at, (tier, name, training) in enumerate(SETS):
        genomic = 60 if tier == "gm12878" else 0
        rng = np.random.default_rng(at)
        shared, hardness = rng.normal(size=2 * bound + genomic), rng.uniform(0.8, 1.2)
        centre = np.r_[np.ones(bound), np.zeros(bound), np.full(genomic, 0.3)] - 0.5
        for method in methods:
            if method == "pwm" and name == "E3_K562":
                path = folder / method / tier / name / "seed1.json"
                path.parent.mkdir(parents=True)
                head = {"format": "saresnet-benchmark-1", "method": method, "tier": tier, "set": name, "seed": 1}
                path.write_text(json.dumps({**head, "skipped": "no JASPAR matrix for E3"}))
                continue
            for seed in (1, 2, 3) if method == "transfer" and at % 2 else (1,):
                noise = np.random.default_rng((at, sum(map(ord, method)), seed)).normal(size=len(shared))
                forward = SHIFT[method] * hardness * centre + 0.8 * shared + 0.5 * noise
                both = forward + 0.1 * centre
                chr20 = 0.1 * SHIFT[method] if name in ("E1_K562", "E2_K562") else None
                write_cell(folder, method, tier, name, training, forward, both, bound, genomic, seed, chr20)
    for method in {"global", "paper-global"} & set(methods):
        rng = np.random.default_rng(9)
        values = np.r_[rng.normal(1, 1, 300), rng.normal(-1, 1, 300)]
        write_cell(folder, method, "pool", "validation", 10**6, values, values, 300)
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def records(results: Path) -> Records:
    return read_records(results)


@pytest.fixture(scope="module")
def page(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of all results: `benchmark.md`, `benchmark/*.svg` and `page.html`."""
    folder = tmp_path_factory.mktemp("report")
    report(results, folder / "benchmark.md", folder / "page.html")
    return folder


@pytest.fixture
def text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing, where only the text is looked at: pictures take most of the time."""
    monkeypatch.setattr(style, "svg", lambda *_: b"<svg/>")


def table(text: str, caption: str) -> dict[str, list[str]]:
    """The rows of the table below a caption, by their first cell; "" is the head."""
    part = text.split(f"**{caption}", 1)[1].split("|", 1)[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in f"|{part}".splitlines()]
    return {row[0]: row[1:] for row in rows if set(row[1]) != {"-", ":"}}


def told(folder: Path, method: str, metric: str, size: Callable[[int], bool] = lambda _: True) -> list[float]:
    """A metric of each set straight from the JSON files, the mean over seeds."""
    sets: dict[str, list[float]] = {}
    for path in (folder / method).glob("[eg]*/*/seed*.json"):
        content = json.loads(path.read_text())
        if "skipped" not in content and size(2 * content["counts"]["train_positives"]):
            sets.setdefault(str(path.parent), []).append(content["metrics"]["forward"][metric])
    return [fmean(values) for _, values in sorted(sets.items())]


# Statistics


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, None, 0.02]) == [pytest.approx(0.02), None, pytest.approx(0.02)]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_none_and_bonferroni(pvalues: list[float]) -> None:
    corrected = np.array([value for value in holm(pvalues) if value is not None])
    raw = np.array(pvalues)
    assert (corrected >= raw).all() and (corrected <= np.minimum(1, raw * len(raw)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()


def test_paired_t_by_hand() -> None:
    result = paired([0, 0, 0, 0, 0], [1, 2, 3, 4, 5])
    # mean 3, standard deviation sqrt(2.5): t = 3 / sqrt(2.5 / 5), four degrees of freedom
    assert result.ttest == pytest.approx(2 * stats.t.sf(3 / math.sqrt(0.5), 4)) == pytest.approx(0.013236, abs=1e-6)
    assert result.wilcoxon == pytest.approx(2 / 2**5)  # the most extreme of 32 signs, both sides
    assert (result.wins, result.ties, result.losses, result.difference.mean) == (5, 0, 0, 3)


@pytest.mark.parametrize("seed", range(12))
def test_paired_tests_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(FEWEST, 60))
    first, second = np.round(rng.beta(9, 1, (2, n)), 1 if seed % 3 == 0 else 8)  # some with ties
    result = paired(first, second)
    assert result.ttest == pytest.approx(stats.ttest_rel(second, first).pvalue)
    apart = first != second
    assert result.wilcoxon == pytest.approx(stats.wilcoxon(second[apart], first[apart]).pvalue)
    counted = [int((second > first).sum()), int((second == first).sum()), int((second < first).sum())]
    assert [result.wins, result.ties, result.losses] == counted and result.n == n
    swapped = paired(second, first)
    assert swapped.difference.mean == pytest.approx(-result.difference.mean)
    assert (swapped.wins, swapped.losses) == (result.losses, result.wins)


@given(st.lists(st.integers(-4, 4), min_size=FEWEST, max_size=9))
@settings(max_examples=30)
def test_few_sets_with_ties_are_tested_as_by_scipy(sixteenths: list[int]) -> None:
    difference = np.array(sixteenths) / 16
    result = paired(np.zeros(len(difference)), difference)
    if np.ptp(difference) == 0 or not difference.any():
        assert result.wilcoxon is None
        return
    assert result.wilcoxon == pytest.approx(stats.wilcoxon(difference[difference != 0]).pvalue, abs=1e-12)


def test_no_test_without_a_difference_or_with_few_sets() -> None:
    same = paired([0.9] * 6, [0.9] * 6)
    assert (same.ttest, same.wilcoxon, same.ties) == (None, None, 6)
    few = paired([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.5, 0.6])
    assert (few.ttest, few.wilcoxon, few.difference.has_interval) == (None, None, False)
    assert math.isnan(mean_over_sets([]).mean)


@pytest.mark.parametrize(("n", "draw"), [(57, "normal"), (7, "normal"), (26, "beta")])
def test_intervals_cover_the_mean(n: int, draw: str) -> None:
    rng = np.random.default_rng(5)
    trials = 300
    samples = rng.normal(0.9, 0.05, (trials, n)) if draw == "normal" else rng.beta(9, 1, (trials, n))
    found = [mean_over_sets(sample) for sample in samples]
    covered = np.mean([interval.low <= 0.9 <= interval.high for interval in found])
    # 95 % within four standard errors of 300 trials; the plain percentile interval covers 86 % at n = 7
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / trials)), covered
    assert found[0] == mean_over_sets(samples[0])


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


# Records


def test_sizes_are_those_of_the_paper() -> None:
    assert SMALL == 3_000 and LARGE == 30_000
    sizes = {n: Set("encode", "x", n).size for n in (1499, 1500, 15_000, 15_001)}
    assert list(sizes.values()) == ["small", "medium", "medium", "large"]


def test_bad_results_are_named(tmp_path: Path, text_only: None) -> None:
    with pytest.raises(RecordError, match="saresnet benchmark run"):
        read_records(tmp_path)
    write_results(tmp_path, ("transfer", "direct"), bound=10)
    record = tmp_path / "transfer" / "encode" / "E1_K562" / "seed1.json"
    good = json.loads(record.read_text())
    counts = {**good["counts"], "test_positives": 9}
    for bad, message in (
        ("{", "JSON"),
        (json.dumps({**good, "format": "other"}), "not a record"),
        (json.dumps({**good, "set": "E2_K562"}), "another cell"),
        (json.dumps({**good, "metrics": None}), "no metrics"),
        (json.dumps({**good, "counts": counts}), "test windows"),
    ):
        record.write_text(bad)
        with pytest.raises(RecordError, match=message) as error:
            read_records(tmp_path)
        assert str(record.parent) in str(error.value) and "\n" not in str(error.value)
    record.write_text(json.dumps(good))
    scores = record.with_suffix(".npz")
    np.savez_compressed(scores, forward=np.zeros(7, np.float16), both=np.zeros(7, np.float16))
    with pytest.raises(RecordError, match="7 scores where its record counts 20"):
        build(read_records(tmp_path))
    scores.write_bytes(b"PK")
    with pytest.raises(RecordError, match=re.escape(str(scores))):
        build(read_records(tmp_path))


def test_scores_that_are_not_there_are_named(tmp_path: Path, text_only: None) -> None:
    write_results(tmp_path, ("transfer", "direct"), bound=10)
    (tmp_path / "direct" / "encode" / "E2_K562" / "seed1.npz").unlink()
    found = read_records(tmp_path)
    assert sum(read_scores(record) is None for record in found.all()) == 1
    assert "Without scores: direct/encode/E2_K562/seed1" in markdown(build(found), "benchmark")


# The report


def test_tables_hold_the_numbers_of_the_records(page: Path, results: Path) -> None:
    text = (page / "benchmark.md").read_text()
    everything = table(text, "Tables 2 and 3, all sets")
    for method in ("direct", "global", "transfer", "paper-transfer"):
        n, *cells = everything[title(method)]
        assert int(n) == len(SETS)
        for metric, cell in zip(("accuracy", "precision", "recall", "f1", "auroc", "auprc"), cells, strict=True):
            assert cell.split()[0] == f"{fmean(told(results, method, metric)):.3f}", (method, metric)
    areas = table(text, "Table 5, AUROC")
    assert areas[""] == ["all (n = 13)", "encode (n = 7)", "gm12878 (n = 6)", "small (n = 7)", "medium (n = 4)",
                         "large (n = 2)"]  # fmt: skip
    for method in ("transfer", "deepbind", "pwm"):
        row = areas[title(method)]
        assert row[0].split()[0] == f"{fmean(told(results, method, 'auroc')):.3f}"
        assert row[3].split()[0] == f"{fmean(told(results, method, 'auroc', lambda n: n < 3000)):.3f}"
        assert row[5].split()[0] == f"{fmean(told(results, method, 'auroc', lambda n: n > 30000)):.3f}"
    assert areas["paper: DeepBind"] == ["0.830", "–", "–", "0.785", "0.809", "0.896"]
    assert areas[title("pwm")][0].endswith("[12]") and "[" not in areas[title("deepbind")][0]
    every = table(text, "AUROC of each set")
    at = every[""].index("`deepbind`")
    assert [every[f"{tier}/{name}"][at] for tier, name, _ in sorted(SETS)] == [
        f"{value:.3f}" for value in told(results, "deepbind", "auroc")
    ]


def test_comparisons_are_over_the_sets_that_both_have(page: Path, results: Path) -> None:
    text = (page / "benchmark.md").read_text()
    part = text.split("− each rival, AUROC")[1].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()[2:]]
    assert len(rows) == 6 * len(RIVALS)
    raw = {}
    for rival in RIVALS:
        own, other = (
            {path.parent: path for path in sorted((results / method).glob("*/*/seed1.npz"))}
            for method in ("transfer", rival)
        )
        shared = len({each.name for each in own} & {each.name for each in other})
        row = next(row for row in rows if row[0].endswith(f"− {title(rival)}") and row[1] == "all")
        assert int(row[2]) == shared == (12 if rival == "pwm" else 13)
        if rival != "pwm":
            ours, theirs = told(results, "transfer", "auroc"), told(results, rival, "auroc")
            assert row[3].split()[0] == f"{fmean(ours) - fmean(theirs):+.4f}".replace("-", "−")
            raw[rival] = stats.ttest_rel(ours, theirs).pvalue
            assert row[5] == pvalue(raw[rival])
    assert {row[5] for row in rows if row[1] in ("medium", "large")} == {"–"}  # fewer than five sets
    for group in ("all", "encode", "gm12878", "small"):
        tests, corrected = zip(*[(float(row[5]), float(row[6])) for row in rows if row[1] == group], strict=True)
        assert len(tests) == len(RIVALS)
        assert corrected == pytest.approx([float(pvalue(p)) for p in holm(tests)], rel=0.1)


def test_sentences_follow_the_numbers(tmp_path: Path, text_only: None) -> None:
    methods = ("transfer", "direct", "deepbind")
    text = markdown(build(read_records(write_results(tmp_path / "a", methods))), "benchmark")
    assert "SAResNet with transfer is first in mean AUROC over all sets" in text
    assert "next is DeepBind" in text and "Not compared: Expectation-Luo" in text
    assert "DeepBind has a lower mean AUPRC than SAResNet with transfer on chr20: −0.1000" in text
    write_results(tmp_path / "b", methods)
    for old, new in (("deepbind", "x"), ("transfer", "deepbind"), ("x", "transfer")):  # the other way round
        (tmp_path / "b" / old).rename(tmp_path / "b" / new)
    for path in (tmp_path / "b").glob("*/*/*/seed*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "method": path.relative_to(tmp_path / "b").parts[0]}))
    text = markdown(build(read_records(tmp_path / "b")), "benchmark")
    assert "SAResNet with transfer is not first in mean AUROC over all sets" in text
    assert "is first in mean AUROC" not in text
    assert "DeepBind has a higher mean AUPRC than SAResNet with transfer on chr20: +0.1000" in text
    assert "SAResNet with transfer has a lower mean AUROC than SAResNet by direct learning over all sets: −" in text


def test_the_paper_is_beside_ours(page: Path) -> None:
    text = (page / "benchmark.md").read_text()
    for value in ("0.790", "0.878", "0.920", "0.911", "0.912", "95.1%", "93.5%", "0.889", "0.892", "509", "688"):
        assert value in text, value
    for method, figures in TABLE_5.items():
        row = table(text, "Table 5, AUROC")[f"paper: {title(method)}"]
        assert [row[0], *row[3:]] == [f"{figures[size]:.3f}" for size in ("all", "small", "medium", "large")]


def test_what_was_asked_is_met_only_by_all_sets(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(records, "r")
    assert {row[-1] for row in targets.targets(source).rows} == {"incomplete"}
    monkeypatch.setattr(targets, "TIERS", {"encode": 7, "gm12878": 6})
    rows = {row[0]: row for row in targets.targets(source).rows}
    for tier, asked in targets.MEANS.items():
        values = [value for each, value in records.metric("transfer", "auroc").items() if each.tier == tier]
        row = rows[f"mean AUROC of `transfer`, tier {tier}"]
        assert row[2] == f"{fmean(values):.3f}, n = {len(values)}"
        assert row[3] == ("met" if fmean(values) >= asked else "**not met**")
    assert rows["mean AUROC above every rival, all sets"][3] == "met"


def test_each_table_has_the_command_that_reruns_it(page: Path) -> None:
    text = (page / "benchmark.md").read_text()
    for section in text.split("\n## ")[1:]:
        if "| --- |" in section and not section.startswith(("In short", "The methods", "What was run")):
            assert "saresnet benchmark run --data DATA --out " in section, section[:80]
    odd = ",".join(f"{tier}/{name}" for tier, name, _ in sorted(SETS[1::2]))  # those that have three seeds
    assert f"--methods transfer --sets {odd} --seeds 2,3\n" in text
    assert re.search(r"--methods \S*\bpwm\S* --sets encode/E1_K562,encode/E2_K562 --genome 20.fa.gz\n", text)


def test_the_commands_make_the_cells_that_are_there_and_no_others(page: Path, records: Records) -> None:
    text = (page / "benchmark.md").read_text()
    made = set()
    for line in re.findall(r"^saresnet benchmark run .*$", text, re.MULTILINE):
        given = dict(zip(line.split()[3::2], line.split()[4::2], strict=True))
        if "--genome" in given:  # cells that are there already, scanned as well
            continue
        sets = given.get("--sets", "encode,gm12878").split(",")
        for method in given["--methods"].split(","):
            for tier, name, _ in SETS:
                if tier in sets or f"{tier}/{name}" in sets:
                    made |= {(method, f"{tier}/{name}", int(seed)) for seed in given.get("--seeds", "1").split(",")}
    there = {(record.method, str(record.set), record.seed) for record in records.all()}
    assert made == there | {(method, where, 1) for method, where in records.skipped}


def test_a_difference_is_settled_when_interval_and_test_agree() -> None:
    # one large difference among seven: the bootstrap leaves out 0, the t-test does not
    result = paired([0.0] * 7, [0.001, 0.002, 0.001, 0.002, 0.001, 0.05, 0.002])
    assert result.difference.low > 0 and result.ttest is not None and result.ttest > 0.05
    assert not result.settled
    assert "the t-test (P = 0.27) does not agree, so this is not settled" in compared("a", "b", result)
    assert paired([0.0] * 7, [0.01, 0.02, 0.01, 0.02, 0.01, 0.03, 0.02]).settled


def test_what_is_said_of_real_dna_follows_the_numbers(page: Path, records: Records) -> None:
    text = (page / "benchmark.md").read_text()
    rows = table(text, "Shuffled and genomic negatives")
    means = {
        method: fmean(records.values(method, "genomic", "forward", "auroc").values())
        for method in ("transfer", "direct", "global", *RIVALS)
    }
    for method, mean in means.items():
        assert rows[title(method)][2].split()[0] == f"{mean:.3f}"
    own = means.pop("transfer")
    ahead = sum(mean > own for mean in means.values())
    said = "is ahead of all 8 others" if not ahead else f"{ahead} of 8 others are ahead of it"
    assert said in text.split("## The methods")[0]
    assert rows["always the same score"][5] == f"{80 / 140:.3f}"


def test_how_searches_and_pretraining_ended_is_told(results: Path, tmp_path: Path, text_only: None) -> None:
    for method in ("transfer", "deepbind"):
        shutil.copytree(results / method, tmp_path / method)
    for at, path in enumerate(sorted((tmp_path / "deepbind").glob("*/*/seed1.json"))):
        tried = [{"epochs": 12}, {"epochs": 20 if at < 4 else 9}]
        content = {**json.loads(path.read_text()), "chosen": {"search": {"epochs": 20, "chosen": 1, "tried": tried}}}
        path.write_text(json.dumps(content))
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / "own.tsv").write_text("epoch\tseconds\n1\t1000.5\n2\t799.5\n")
    text = markdown(build(read_records(tmp_path)), "benchmark")
    assert "The one that counts ran to its last epoch: DeepBind 4 of 13." in text
    assert table(text, "Seconds and parameters")["pre-training of `own`"][3] == "1800.0"
    (tmp_path / "pretrained" / "own.tsv").write_text("epoch\n1\n")
    with pytest.raises(RecordError, match=r"own\.tsv: it is not the history"):
        read_records(tmp_path)


def test_when_the_paper_s_recipe_ended_is_told(results: Path, tmp_path: Path, text_only: None) -> None:
    shutil.copytree(results / "paper-direct", tmp_path / "paper-direct")
    for at, path in enumerate(sorted((tmp_path / "paper-direct").glob("*/*/seed1.json"))):
        chosen = {"epochs": 7 + at, "recipe": {"epochs": 100, "patience": 5}}
        path.write_text(json.dumps({**json.loads(path.read_text()), "chosen": chosen}))
    text = markdown(build(read_records(tmp_path)), "benchmark")
    assert "paper's recipe, ended after 7 to 19 passes (median 13, n = 13) of 100 that it may have: " in text
    assert "not fallen for 5" in text


def test_the_same_results_give_the_same_bytes(page: Path, results: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "saresnet_cli", "benchmark", "report", str(results)]
    done = subprocess.run(
        [*command, "-o", "benchmark.md", "--html", "page.html"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and "page.html" in done.stderr
    files = sorted(path.relative_to(page) for path in page.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for path in files:
        assert (page / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_html_stands_alone_and_says_the_same(page: Path) -> None:
    content = (page / "page.html").read_text()
    tree = ElementTree.fromstring(content)
    for element in tree.iter():
        assert element.tag not in ("script", "link", "iframe", "object", "video", "form"), element.tag
        for name in ("src", "href", "srcset", "data", "action"):
            value = element.get(name)
            assert value is None or value.startswith("data:image/svg+xml;base64,"), value
    assert "http" not in re.sub(r"base64,[^\"]*", "", content) and "url(" not in re.sub(r"base64,[^\"]*", "", content)
    images = [element.get("src", "").split(",")[1] for element in tree.iter("img")]
    assert sorted(map(base64.b64decode, images)) == sorted(path.read_bytes() for path in page.glob("benchmark/*.svg"))
    assert all(element.get("alt") for element in tree.iter("img"))
    text = (page / "benchmark.md").read_text()
    cells = [cell.text or "" for cell in tree.iter("td") if cell.text]
    assert len(cells) > 500 and all(f" {cell} " in text for cell in cells if re.fullmatch(r"[\d.–() ]+", cell))
    assert "@media print" in content


def test_pictures_are_small_and_whole(page: Path) -> None:
    text = (page / "benchmark.md").read_text()
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert sorted(shown) == sorted(f"benchmark/{path.name}" for path in page.glob("benchmark/*.svg"))
    names = {Path(each).stem for each in shown}
    assert names == {"figure3", "figure3-paper", "transfer-pays", "figure4", "figure5", "figure6", "figure7",
                     "calibration"}  # fmt: skip
    for each in shown:
        content = (page / each).read_bytes()
        words = " ".join(ElementTree.fromstring(content).itertext())
        assert len(content) < 60_000, each
        assert re.search(r"n = \d+", words), each


@pytest.mark.parametrize("seed", range(5))
def test_results_in_part_give_a_report_that_names_what_is_missing(results: Path, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    paths = sorted(results.glob("*/*/*/seed*.json"))
    kept = rng.permutation(len(paths))[: (1, 4, 12, 40, 150)[seed]]
    for at in kept:
        source = paths[at]
        if "skipped" in source.read_text() or "/pool/" in str(source):
            source = paths[-60]
        target = tmp_path / "part" / source.relative_to(results)
        target.parent.mkdir(parents=True, exist_ok=True)
        for suffix in (".json", ".npz"):
            target.with_suffix(suffix).write_bytes(source.with_suffix(suffix).read_bytes())
    found = read_records(tmp_path / "part")
    report(tmp_path / "part", tmp_path / "benchmark.md", tmp_path / "page.html")
    text = (tmp_path / "benchmark.md").read_text()
    ElementTree.fromstring((tmp_path / "page.html").read_text())
    assert not re.search(r"\bnan\b|\binf\b|None", text)
    missing = text.split("Missing:")[1].split("\n## ")[0]
    for method in set(EXPECTED) - found.methods:
        assert f"`{method}`" in missing
        assert method not in told_methods(text)
    for method in found.methods:
        for each in found.sets:
            named = re.search(rf"`{method}` lacks [^\n]*\b{re.escape(each.name)}\b", missing)
            asked = method != "direct-no-attention" or each.size == "small"
            assert bool(named) == (asked and each not in found.of(method)), (method, each)
    asked = table(text, "What was asked")
    assert {row[-1] for name, row in asked.items() if name} == {"incomplete"}
    for name in re.findall(r"\((benchmark/[^)]+)\)", text):
        ElementTree.fromstring((tmp_path / name).read_bytes())


def told_methods(text: str) -> set[str]:
    """The methods that the table of every set has."""
    return {name.strip("`") for name in table(text, "AUROC of each set")[""]}


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path, text_only: None) -> None:
    blocks = build(read_records(write_results(tmp_path / "r", ("transfer",), bound=10)))
    with pytest.raises(OutputError, match="make the one above it"):
        write(blocks, tmp_path / "absent" / "benchmark.md")
    with pytest.raises(OutputError, match=r"ends in \.md"):
        write(blocks, tmp_path / "benchmark")
    command = [sys.executable, "-m", "saresnet_cli", "benchmark", "report", str(tmp_path / "absent")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


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
