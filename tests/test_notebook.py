"""The notebook: run anew, it prints what is stored in it, and has its pictures."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def outputs(notebook: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """Return of each code cell what it put out: text as it is, of a picture that there is one."""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            put = [output for output in cell["outputs"] if output.get("name") != "stderr"]
            pictures = ["image/png" in output.get("data", {}) for output in put]
            found.append(
                [
                    ("picture", "") if picture else ("text", text_of(output))
                    for picture, output in zip(pictures, put, strict=True)
                ]
            )
    return found


def text_of(output: dict[str, Any]) -> str:
    assert output["output_type"] != "error", output
    return "".join(output.get("text", output.get("data", {}).get("text/plain", "")))


def alike(wanted: str, got: str) -> bool:
    """Compare word by word; numbers with a fraction may differ as processors and engines round."""
    pairs = [(line.split(), other.split()) for line, other in zip(wanted.splitlines(), got.splitlines(), strict=True)]
    return all(len(a) == len(b) and all(map(alike_word, a, b)) for a, b in pairs)


def alike_word(wanted: str, got: str) -> bool:
    try:
        return wanted == got or ("." in wanted and float(wanted) == pytest.approx(float(got), rel=0.02, abs=0.011))
    except ValueError:
        return False


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_shows_what_it_computes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="needs nbclient")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.fai"))
    stored = nbformat.read(path, as_version=4)
    notebook = copy.deepcopy(stored)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    wanted, got = outputs(stored), outputs(notebook)
    assert sum(kind == "picture" for cell in wanted for kind, _ in cell) == 2
    for cell, other in zip(wanted, got, strict=True):
        assert [kind for kind, _ in cell] == [kind for kind, _ in other]
        for (_, shown), (_, printed) in zip(cell, other, strict=True):
            assert alike(shown, printed), f"stored:\n{shown}\nnow:\n{printed}"


def test_outputs_are_compared_by_number_and_by_word() -> None:
    assert alike("3026  chr20  10.93", "3026 chr20 10.931")
    assert not alike("3026  chr20  10.93", "3027 chr20 10.93")
    assert not alike("3026  chr20  10.93", "3026 chr20 12.93")
    assert not alike("47 windows", "46 windows")


def test_a_cell_that_fails_is_no_output() -> None:
    cell = {"cell_type": "code", "outputs": [{"output_type": "error", "ename": "ValueError"}]}
    with pytest.raises(AssertionError):
        outputs({"cells": [cell]})
