"""The pages that quote the benchmark say what the committed results give."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest

from saresnet_cli.errors import OutputError
from saresnet_train.benchmark.methods import METHODS
from saresnet_train.benchmark.networks import Learning
from saresnet_train.benchmark.report import build, read_records
from saresnet_train.benchmark.report.excerpt import BEGIN, END, quote, quoted
from saresnet_train.benchmark.report.learning import DIRECT_AT_ITS_BEST
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.records import Records
from saresnet_train.benchmark.report.tables import Source

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "benchmarks/methods"


@pytest.fixture(scope="module")
def records() -> Records:
    return read_records(ROOT / FOLDER)


def test_the_report_is_that_of_the_results(records: Records) -> None:
    assert (ROOT / "docs" / "benchmark.md").read_text() == markdown(build(records, FOLDER), "benchmark")


def test_the_page_of_the_speed_is_that_of_the_results() -> None:
    code = subprocess.run([sys.executable, ROOT / "benchmarks" / "table.py", "--check"], check=False).returncode
    assert code == 0
    measured = json.loads((ROOT / "benchmarks/results/speed.json").read_text())["machine"]["versions"]
    page = (ROOT / "docs" / "performance.md").read_text()
    engines = [f"{name} {version}" for name, version in measured.items() if re.match("onnxruntime|openvino", name)]
    assert len(engines) == 2
    assert all(engine in page for engine in engines)


def test_what_is_said_of_direct_learning_was_measured() -> None:
    found = json.loads((ROOT / "benchmarks/results/direct_recipe.json").read_text())
    small = {name: tried for name, tried in found.items() if tried["32"]["positives"] < 2_000}
    medium = {name: tried for name, tried in found.items() if name not in small}
    assert (len(small), len(medium)) == (4, 2)

    def gain(sets: dict, before: str, after: str, what: str = "test_auroc") -> float:
        return fmean(tried[after][what] - tried[before][what] for tried in sets.values())

    assert f"gained {gain(medium, '128', '32, twice'):.3f} AUROC on two medium sets" in DIRECT_AT_ITS_BEST
    assert f"twice the passes gained {gain(small, '32', '32, twice'):.3f} (" in DIRECT_AT_ITS_BEST
    for more in ("32, four times", "16, twice"):
        assert gain(medium, "32, twice", more, "validation_auroc") < 0


def test_each_cell_has_the_recipe_of_its_method(records: Records) -> None:
    other = {}
    for name, method in METHODS.items():
        if isinstance(method.train, Learning):
            for record in (record for cell in records.of(name).values() for record in cell):
                recipe = method.train.recipe_for(record.count("training")).as_dict()
                if record.content["chosen"]["recipe"] != recipe:
                    other.setdefault(name, []).append(str(record.set))
    assert other == {}


def test_the_readme_quotes_them(records: Records) -> None:
    readme = (ROOT / "README.md").read_text()
    assert quoted(readme, Source(records, FOLDER)) == readme


def test_what_stands_around_the_table_stays(records: Records, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    quote(page, Source(records, FOLDER))
    first, *table, last = page.read_text().splitlines()
    assert (first, last) == ("before", "after")
    (own,) = (line for line in table if line.startswith("| SAResNet, transfer |"))
    values = list(records.metric("transfer", "auroc").values())
    assert own.split(" | ")[1] == f"{sum(values) / len(values):.3f}"


@pytest.mark.parametrize("text", ["no marks\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n" * 2])
def test_a_page_without_its_marks_is_left_as_it_is(records: Records, tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(OutputError, match="benchmark:begin"):
        quote(page, Source(records, FOLDER))
    assert page.read_text() == text
