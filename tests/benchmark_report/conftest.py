"""A folder of results and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from saresnet_train.benchmark.report import (
    read_records,
    report,
    style,
)
from saresnet_train.benchmark.report.records import Records
from support.benchmark_results import write_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def records(results: Path) -> Records:
    return read_records(results)


@pytest.fixture(scope="session")
def page(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of all results: `benchmark.md`, `benchmark/*.svg` and `page.html`."""
    folder = tmp_path_factory.mktemp("report")
    report(results, folder / "benchmark.md", folder / "page.html")
    return folder


@pytest.fixture
def text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing, where only the text is looked at: pictures take most of the time."""
    monkeypatch.setattr(style, "svg", lambda *_: b"<svg/>")
