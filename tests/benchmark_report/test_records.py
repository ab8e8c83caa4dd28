"""What the report reads, and what it says of records that are wrong or missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from saresnet_cli.errors import OutputError
from saresnet_train.benchmark.report import (
    RecordError,
    build,
    read_records,
    report,
    write,
)
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.methods import EXPECTED
from saresnet_train.benchmark.report.records import LARGE, SMALL, Set
from saresnet_train.benchmark.report.scores import (
    read_scores,
)
from support.benchmark_results import table, told_methods, write_results

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


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path, text_only: None) -> None:
    blocks = build(read_records(write_results(tmp_path / "r", ("transfer",), bound=10)))
    with pytest.raises(OutputError, match="make the one above it"):
        write(blocks, tmp_path / "absent" / "benchmark.md")
    with pytest.raises(OutputError, match=r"ends in \.md"):
        write(blocks, tmp_path / "benchmark")
    command = [sys.executable, "-m", "saresnet_cli", "benchmark", "report", str(tmp_path / "absent")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
