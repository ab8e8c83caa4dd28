"""The page quotes what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_results_give(script: Callable[[str], ModuleType]) -> None:
    page = script("tests/hard/page.py")
    assert page.render(page.PAGE.read_text()) == page.PAGE.read_text()
    results = json.loads((page.RESULTS / "hard.json").read_text())
    runs = [run for entry in results.values() for run in entry.values() if isinstance(run, dict)]
    assert {run["exit"] for run in runs} == {0}


def test_the_costs_are_what_the_rates_give() -> None:
    command = [sys.executable, "clusters.py", "--check"]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
