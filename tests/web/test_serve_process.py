"""The server as a process: how it starts, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from saresnet_cli.main import main


def failed(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "saresnet_cli", "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(serve: Callable[..., Any], web: SimpleNamespace, number: int) -> None:
    server = serve("--tf", "CTCF", "--cell", "GM12878", "--engine", "onnxruntime")
    assert server.post("scan", web.fasta, model=web.model).status_code == 200
    code, said = server.end(number)
    assert code == 0
    assert said.splitlines()[-1] == "saresnet: ended"
    assert "Traceback" not in said


def test_ctrl_c_stops_what_is_worked_on(serve: Callable[..., Any], web: SimpleNamespace) -> None:
    server = serve(web.genome, "--threads", 1, "--engine", "onnxruntime")
    assert server.post("scan", web.fasta, model=web.model).status_code == 200
    answers: list[httpx.Response] = []
    query = {"model": web.model, "stride": 1, "chrom": "chr20_part"}
    client = threading.Thread(target=lambda: answers.append(server.post("scan", **query)))
    client.start()
    time.sleep(1)
    begun = time.monotonic()
    code, said = server.end()
    client.join()
    assert (code, answers[0].status_code, answers[0].json()["code"]) == (0, 503, "ending"), said
    assert time.monotonic() - begun < 10


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = failed("--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert done.stderr.startswith("saresnet: error: can't listen on 127.0.0.1, port ")
    assert "in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_genome_that_is_missing_is_one_line(tmp_path: Path) -> None:
    done = failed(tmp_path / "none.fa", "--port", 0)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"saresnet: error: {tmp_path}/none.fa: No such file or directory\n"


@pytest.mark.parametrize("option", [["--jobs", 0], ["--max-bytes", "none"], ["--port", 70000], ["--tf", "NOPE"]])
def test_a_wrong_option_is_one_line(option: list[object]) -> None:
    done = failed("--port", 0, *option)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_the_extra_is_named(package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["serve", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"saresnet: error: `saresnet serve` needs {package}")
    assert said.endswith("which is not installed; pip install 'saresnet[serve]'\n")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from saresnet_cli.main import main; main(['serve', '--help']);"
        "print([m for m in ('numpy', 'starlette', 'uvicorn', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_model_of_ones_own_is_served(serve: Callable[..., Any], web: SimpleNamespace, tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes((resources.files("saresnet_models") / "CTCF_GM12878.onnx").read_bytes())
    server = serve("--model", mine, "--engine", "onnxruntime")
    assert server.post("scan", web.fasta, model=web.model).status_code == 200


def test_few_models_stay_open(serve: Callable[..., Any], web: SimpleNamespace) -> None:
    server = serve(
        "--engine", "onnxruntime", "--open-models", 1, "--tf", "CTCF,CTCFL,SRF", "--cell", "GM12878,K562,H1-hESC"
    )
    ids = [model["id"] for model in httpx.get(f"{server.url}/api/models").json()["models"]]
    assert len(ids) == 3
    together = server.post("scan", web.fasta, model=ids, format="bed").content
    assert together.count(b"\n") == 3 + 1 + 3 * 39
    assert server.post("scan", web.fasta, model=ids, format="bed").content == together


def test_a_damaged_model_fails_alone(
    serve: Callable[..., Any], web: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("registry.json", "CTCF_GM12878.onnx", "CTCFL_K562.onnx"):
        (folder / name).write_bytes((resources.files("saresnet_models") / name).read_bytes())
    damaged = folder / "CTCFL_K562.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1000] + bytes(1000))
    monkeypatch.setenv("SARESNET_MODELS", str(folder))
    server = serve("--engine", "onnxruntime")
    got = server.post("scan", web.fasta, model="CTCFL_K562")
    assert got.status_code == 500
    assert str(folder) not in got.text
    assert server.post("scan", web.fasta, model=web.model).status_code == 200
