"""The documentation: every command in a ```console block prints what the block shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "```console\n" in path.read_text())


def blocks(page: Path) -> list[tuple[str, list[str]]]:
    """Return the commands of a page, each with the lines that it shows."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.M | re.S):
        for command, shown in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            found.append((command, shown.splitlines()))
    return found


def same(wanted: str, got: str) -> bool:
    """Compare two lines; processors and engines round numbers with a fraction differently in the last digits."""
    words = [re.split(r"([\s,;:=|]+)", line) for line in (wanted, got)]
    return len(words[0]) == len(words[1]) and all(
        a == b or (is_fraction(a) and is_fraction(b) and float(a) == pytest.approx(float(b), rel=0.02, abs=5e-4))
        for a, b in zip(*words, strict=True)
    )


def is_fraction(word: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", word) is not None and ("." in word or "e" in word)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    for path in (ROOT / "examples").iterdir():
        (tmp_path / "examples" / path.name).write_bytes(path.read_bytes())
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = blocks(page)
    assert commands
    for command, shown in commands:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        # 141: `head` has seen enough, and what writes to it ends by SIGPIPE
        assert done.returncode in (0, 141), f"{command}\n{done.stderr}"
        printed = done.stdout.splitlines()
        if "..." in shown:  # what is left out in the middle
            cut = shown.index("...")
            tail = len(shown) - cut - 1
            printed = [*printed[:cut], "...", *printed[len(printed) - tail :]]
        assert len(printed) == len(shown), f"{command}\n{done.stdout}"
        for wanted, got in zip(shown, printed, strict=True):
            assert same(wanted, got), f"{command}\nshown: {wanted}\nprinted: {got}"


def test_lines_are_compared_by_number_and_by_word() -> None:
    assert same("chr1\t5\t0.50000", "chr1\t5\t0.50001")
    assert not same("chr1\t5\t0.5", "chr1\t6\t0.5")
    assert not same("chr1\t5\t0.5", "chr1\t5\t0.6")
    assert not same("a b", "a b c")
