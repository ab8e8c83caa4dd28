"""The documentation: every command in a ```console block prints what the block shows.

A page is run from top to bottom, in a folder that has a copy of `examples/`. Lines that begin with `saresnet: ` are of
standard error, which may say more. What a reader need not see stands in comments, in the page, before it is needed:

    <!-- run: needs PROGRAM... -->       without these the page is skipped
    <!-- run: before COMMAND -->         a command whose output is not shown
    <!-- run: env NAME=VALUE -->         holds for all commands from here on
    <!-- run: server PORT COMMAND -->    runs until the page has ended; PORT becomes one that is free
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "```console\n" in path.read_text())
STDERR = "saresnet: "


def steps(text: str) -> list[tuple[str, str, list[str]]]:
    """Return what a page does, in order: a kind, a command or its like, and the lines that it shows."""
    found: list[tuple[str, str, list[str]]] = []
    for kind, argument, block in re.findall(
        r"^<!-- run: (needs|before|env|server) (.*?) -->$|^```console\n(.*?)^```", text, re.M | re.S
    ):
        if kind:
            found.append((kind, argument, []))
        for command, shown in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            found.append(("show", command, shown.splitlines()))
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


class Shell:
    """Runs a page's commands in a folder, each in a bash of its own, and its servers beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.ports: dict[str, str] = {}
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(Path.home() / ".cache/matplotlib")),  # slow to make
            "no_proxy": "127.0.0.1",
            "COLUMNS": "120",
        }
        for name in ("SARESNET_CACHE", "XDG_CACHE_HOME"):
            self.environment.pop(name, None)
        self.home.mkdir()
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("*.fai"))

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; the folder that stands for the user's home is called /home/me in what it prints."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.with_ports(command)],
            capture_output=True, text=True, cwd=self.folder, env=self.environment,
        )  # fmt: skip
        done.stdout, done.stderr = (text.replace(str(self.home), "/home/me") for text in (done.stdout, done.stderr))
        return done

    def with_ports(self, text: str) -> str:
        """Put the ports that servers have in place of those that the page names."""
        return re.sub(r"\b\d{4,5}\b", lambda found: self.ports.get(found[0], found[0]), text)

    @contextlib.contextmanager
    def server(self, port: str, command: str) -> Iterator[None]:
        """Run a server until the end, once it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ports[port] = str(free.getsockname()[1])
        words = ["bash", "-c", f"exec {self.with_ports(command)}"]
        with subprocess.Popen(
            words, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                self._await(int(self.ports[port]), process)
                yield
            finally:
                process.terminate()

    @staticmethod
    def _await(port: int, process: subprocess.Popen[bytes]) -> None:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            assert process.poll() is None, "the server has ended"
            time.sleep(0.1)
        raise AssertionError("the server does not answer")


def check(command: str, shown: list[str], done: subprocess.CompletedProcess[str]) -> None:
    """Compare what a command printed with what the page shows."""
    fails = any(line.startswith(f"{STDERR}error: ") for line in shown)
    # 141: `head` has seen enough, and what writes to it ends by SIGPIPE
    assert done.returncode in ((1, 2) if fails else (0, 141)), f"{command}\n{done.stderr}"
    for line in (line for line in shown if line.startswith(STDERR)):
        assert any(same(line, said) for said in done.stderr.splitlines()), f"{command}\nshown: {line}\n{done.stderr}"
    shown = [line for line in shown if not line.startswith(STDERR)]
    printed = done.stdout.splitlines()
    if "..." in shown:  # what is left out in the middle
        cut = shown.index("...")
        tail = len(shown) - cut - 1
        printed = [*printed[:cut], "...", *printed[len(printed) - tail :]]
    assert len(printed) == len(shown), f"{command}\n{done.stdout}"
    for wanted, got in zip(shown, printed, strict=True):
        assert same(wanted, got), f"{command}\nshown: {wanted}\nprinted: {got}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    todo = steps(page.read_text())
    assert any(kind == "show" for kind, _, _ in todo)
    missing = [name for kind, names, _ in todo if kind == "needs" for name in names.split() if not shutil.which(name)]
    if missing:
        pytest.skip(f"its commands need {', '.join(missing)}")
    shell = Shell(tmp_path)
    with contextlib.ExitStack() as servers:
        for kind, argument, shown in todo:
            if kind == "server":
                servers.enter_context(shell.server(*argument.split(maxsplit=1)))
            elif kind == "env":
                name, value = argument.split("=", 1)
                shell.environment[name] = value
            elif kind == "before":
                check(argument, ["..."], shell.run(argument))
            elif kind == "show":
                check(argument, [shell.with_ports(line) for line in shown], shell.run(argument))


def test_lines_are_compared_by_number_and_by_word() -> None:
    assert same("chr1\t5\t0.50000", "chr1\t5\t0.50001")
    assert not same("chr1\t5\t0.5", "chr1\t6\t0.5")
    assert not same("chr1\t5\t0.5", "chr1\t5\t0.6")
    assert not same("a b", "a b c")


def test_comments_and_blocks_are_taken_in_the_order_of_the_page() -> None:
    text = "<!-- run: env A=b -->\n\n```console\n$ one \\\n    two\nout\n$ three\n```\n<!-- run: before four -->\n"
    assert steps(text) == [
        ("env", "A=b", []),
        ("show", "one \\\n    two", ["out"]),
        ("show", "three", []),
        ("before", "four", []),
    ]


def test_an_error_that_is_shown_has_to_happen() -> None:
    shown = [f"{STDERR}error: no", "a"]
    check("x", shown, subprocess.CompletedProcess("x", 1, "a\n", f"{STDERR}more\n{STDERR}error: no\n"))
    for code, said in ((0, shown[0]), (1, f"{STDERR}error: yes")):
        with pytest.raises(AssertionError):
            check("x", shown, subprocess.CompletedProcess("x", code, "a\n", said))
