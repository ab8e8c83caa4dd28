"""The README's first screen: its command prints what it shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    recipe = re.search(r"^example:.*\n\t(?:\$\(VENV\)/bin/)?(saresnet .*)$", (ROOT / "Makefile").read_text(), re.M)
    assert recipe is not None
    words = shlex.split(recipe[1])[1:]
    (tmp_path / "examples").mkdir()
    for name in words:
        if name.startswith("examples/"):
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "saresnet_cli", *words, "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    shown = re.search(r"```\n\$ make example\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert shown is not None
    for wanted, got in zip(shown[1].splitlines(), done.stdout.splitlines(), strict=True):
        if wanted.startswith("#"):
            assert got == wanted
            continue
        # processors round differently in the last digit
        *window, score, strand, logit, pvalue = wanted.split("\t")
        assert got.split("\t")[:4] == window
        assert got.split("\t")[5] == strand
        assert float(got.split("\t")[4]) == pytest.approx(float(score), abs=2e-5)
        assert float(got.split("\t")[6]) == pytest.approx(float(logit), abs=2e-4)
        assert float(got.split("\t")[7]) == pytest.approx(float(pvalue), rel=0.02)
