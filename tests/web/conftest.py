"""`saresnet serve` as a process on a free port, and clients of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="pip install 'saresnet[serve,test]'")
pytest.importorskip("uvicorn", reason="pip install 'saresnet[serve,test]'")

MODEL = "CTCF_GM12878"
STARTS_WITHIN = 60


class Server:
    """A server that runs; url: where, without a slash at its end."""

    def __init__(self, arguments: list[object], log: Path) -> None:
        command = [sys.executable, "-W", "error", "-m", "saresnet_cli", "serve", *map(str, arguments), "--port", "0"]
        self._log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=log.parent)
        until = time.monotonic() + STARTS_WITHIN
        while self.process.poll() is None and time.monotonic() < until:
            found = re.search(r"serving on (http://\S+:\d+)/ until Ctrl-C\n", self.said)
            if found:
                self.url = found[1]
                return
            time.sleep(0.05)
        self.end(signal.SIGKILL)
        raise AssertionError(self.said)

    @property
    def said(self) -> str:
        """What it has written to standard error."""
        return self._log.read_text()

    def post(self, name: str, content: bytes | str = b"", **query: object) -> httpx.Response:
        """Ask for what /api/`name` does; a list in the query is given item by item."""
        headers = {"Content-Type": "application/octet-stream"}
        return httpx.post(f"{self.url}/api/{name}", params=query, content=content, headers=headers, timeout=60)

    def answers(self) -> bool:
        """Whether it still scores."""
        return self.post("scan", ">x\n" + "ACGTT" * 40, model=MODEL).status_code == 200

    def cpu_seconds(self) -> float:
        """What the process has computed so far."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self, name: str) -> int:
        """How many threads of this name the process has."""
        found = 0
        for path in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += (path / "comm").read_text().startswith(name)
        return found

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it by a signal: its exit code, and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        printed = self.process.communicate(timeout=60)[0]
        assert not printed
        return self.process.returncode, self.said


@pytest.fixture(scope="session")
def web(example_genome: Path) -> SimpleNamespace:
    """What tests share: the model, the genome, and 2 kb of it as FASTA."""
    bases = "".join(example_genome.read_text().split("\n")[1:])[13800:15800]
    fasta = ">site a CTCF site\n" + "\n".join(bases[i : i + 60] for i in range(0, 2000, 60)) + "\n"
    return SimpleNamespace(model=MODEL, genome=example_genome, fasta=fasta, bases=bases)


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the session: `serve("genome.fa", "--jobs", 1)`."""
    folder = tmp_path_factory.mktemp("serve")
    started: list[Server] = []

    def start(*arguments: object) -> Server:
        started.append(Server(list(arguments), folder / f"{len(started)}.log"))
        return started[-1]

    yield start
    for server in started:
        with contextlib.suppress(ValueError):  # a test has ended it
            server.end()


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server], web: SimpleNamespace) -> Server:
    """A server with the example genome and its usual limits."""
    return serve(web.genome)


@pytest.fixture
def saresnet(tmp_path: Path) -> Callable[..., bytes]:
    """What a command prints, as bytes: `saresnet("scan", ...)`."""

    def run(*arguments: object, stdin: str = "") -> bytes:
        command = [sys.executable, "-m", "saresnet_cli", *map(str, arguments), "--quiet"]
        done = subprocess.run(command, input=stdin.encode(), capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture(scope="session")
def refused() -> Callable[..., dict[str, Any]]:
    """Check a refusal, one line of JSON that names the cure: `refused(response, 413, "too_many_bases")`."""

    def check(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert response.content.endswith(b"}\n")
        assert response.content.count(b"\n") == 1
        problem: dict[str, Any] = response.json()
        assert (problem["code"], problem["status"]) == (code, status)
        assert problem["detail"]
        assert problem["cure"]
        return problem

    return check
