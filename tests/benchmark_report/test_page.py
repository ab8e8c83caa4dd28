"""The page says what the records say, in tables, sentences, commands and pictures."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from saresnet_train.benchmark.report import (
    RecordError,
    build,
    holm,
    read_records,
    report,
    targets,
)
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.methods import RIVALS, title
from saresnet_train.benchmark.report.published import TABLE_5
from saresnet_train.benchmark.report.records import Records
from saresnet_train.benchmark.report.tables import Source, pvalue
from support.benchmark_results import SETS, table, told, write_results


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


def test_what_is_said_of_unseen_dna_follows_the_numbers(page: Path, results: Path, records: Records) -> None:
    text = (page / "benchmark.md").read_text()
    rows = table(text, "Genomic negatives that no network has seen")
    means = {}
    for method in ("transfer", "direct", "global", *RIVALS):
        areas: dict[str, list[float]] = {}
        for path in (results / method / "gm12878").glob("*/seed*.npz"):
            with np.load(path) as held:
                bound, unbound = held["forward"][:80], held["forward"][160:][np.arange(60) % 3 == 0]
            area = roc_auc_score(np.repeat([1, 0], [80, 20]), np.r_[bound, unbound])
            areas.setdefault(path.parent.name, []).append(area)
        means[method] = fmean(map(fmean, areas.values()))
        assert rows[title(method)][2].split()[0] == f"{means[method]:.3f}"
        everything = fmean(records.values(method, "genomic", "forward", "auroc").values())
        assert rows[title(method)][1].split()[0] == f"{everything:.3f}"
    own = means.pop("transfer")
    ahead = sum(mean > own for mean in means.values())
    said = "is ahead of all 8 others" if not ahead else f"{ahead} of 8 others are ahead of it"
    assert f"{own:.3f}" in text.split("## The methods")[0] and said in text.split("## The methods")[0]
    assert "seen 240 of the 360 (67%; 67% to 67% of a set)" in text


def test_what_is_said_of_real_dna_follows_the_numbers(results: Path, tmp_path: Path, text_only: None) -> None:
    shutil.copytree(results, tmp_path / "results")
    (tmp_path / "results" / "seen.json").unlink()
    records = read_records(tmp_path / "results")
    report(tmp_path / "results", tmp_path / "benchmark.md")
    text = (tmp_path / "benchmark.md").read_text()
    assert "`seen.json` is not there" in text
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


def test_frozen_layers_are_compared_in_the_same_numbers_too(results: Path, tmp_path: Path, text_only: None) -> None:
    for method in ("transfer", "freeze-stem", "freeze-head"):
        shutil.copytree(results / method, tmp_path / method)
    for path in sorted(tmp_path.glob("*/*/*/seed*.json")):
        other = "freeze-stem" in str(path) and "encode" in str(path)
        content = {**json.loads(path.read_text()), "chosen": {"precision": "bfloat16" if other else "float32"}}
        path.write_text(json.dumps(content))
    text = markdown(build(read_records(tmp_path)), "benchmark")
    own, stem = (fmean(told(tmp_path, m, "auroc", lambda n: n < 1100)) for m in ("transfer", "freeze-stem"))
    assert "On 7 sets one was trained in float32, the other in bfloat16. Stem frozen has a" in text
    said = f"{stem - own:+.4f}".replace("-", "−")
    assert f"over the 6 sets where both are in the same: {said}" in text
    assert text.count("sets one was trained in float32") == 1
    assert "float32" in table(text, "Seconds and parameters")["stem frozen"][-1]


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
    assert "The one that counts ran to its last epoch: DeepBind 4 of 13; " in text
    assert "of all trainings that a search compared, which have fewer epochs: DeepBind 4 of 26." in text
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
