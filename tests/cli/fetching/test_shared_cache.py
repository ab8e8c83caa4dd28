"""A cache that several processes fetch into at once, and disks that are full or know no locks."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from saresnet_cli.errors import OutputError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Registry, transfer
from support.faulty_server import Handler, Server, cut, trickle
from support.fetching import fetch, files

Command = Callable[..., subprocess.CompletedProcess[str]]


# Several at once


@pytest.fixture
def start(server: Server) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start to fetch in a process of its own; what a test leaves running is ended."""
    running = []

    def begin(*ids: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "saresnet_cli", "models", "fetch", *ids, "--from", server.url]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield begin
    for process in running:
        with process:
            process.kill()


def test_several_processes_fetch_each_file_once(
    server: Server, start: Callable[..., subprocess.Popen[str]], remote: Path, home: Path
) -> None:
    server.faults = {"XYZ1_pan.onnx": [trickle], "XYZ2_pan.onnx": [trickle]}
    processes = [start("XYZ1_pan", "XYZ2_pan") for _ in range(4)]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert len({out for out, _ in said}) == 1
    assert sorted(name for name, _ in server.asked) == ["XYZ1_pan.onnx", "XYZ2_pan.onnx", *["registry.json"] * 4]
    assert any("another process is fetching" in err for _, err in said)
    for id in ("XYZ1_pan", "XYZ2_pan"):
        assert load_model(id).data == (remote / f"{id}.onnx").read_bytes()
    assert not list(home.glob(".*"))


def test_one_that_was_killed_leaves_its_part_to_the_next(
    server: Server, start: Callable[..., subprocess.Popen[str]], remote: Path, home: Path
) -> None:
    hold, arrived = threading.Event(), threading.Event()

    def stuck(handler: Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:1000])
        handler.wfile.flush()
        arrived.set()
        hold.wait(60)

    server.faults["XYZ1_pan.onnx"] = [stuck]
    first = start("XYZ1_pan")
    assert arrived.wait(60)
    second = start("XYZ1_pan")
    line = second.stderr.readline()  # type: ignore[union-attr]
    while "waiting for it" not in line:
        line = second.stderr.readline()  # type: ignore[union-attr]
    assert "another process is fetching XYZ1_pan: waiting for it" in line
    deadline = time.monotonic() + 30
    while not any(part.stat().st_size == 1000 for part in home.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    out, err = second.communicate(timeout=60)
    hold.set()
    assert second.returncode == 0, err
    assert Path(out.rstrip("\n").split("\t")[1]).read_bytes() == (remote / "XYZ1_pan.onnx").read_bytes()
    assert [wanted for name, wanted in server.asked if name == "XYZ1_pan.onnx"] == [None, "bytes=1000-"]


def test_a_file_system_without_locks(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(transfer.fcntl, "flock", refuse)
    server.faults["XYZ1_pan.onnx"] = [cut(900)]
    assert fetch(server.url)
    assert {name.rsplit(".", 1)[-1] for name in files(home)} == {"json", "onnx"}


# Disks


def test_a_file_that_may_not_grow(server: Server, saresnet: Command, home: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = saresnet("models", "fetch", "XYZ1_pan", "--from", server.url, "-q", preexec_fn=limit)
    assert done.returncode == 1
    assert "can't be written (File too large); make room, or set SARESNET_CACHE to a folder that can be" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert files(home) == {"index.json"}


def test_a_full_disk(server: Server, remote: Path, home: Path) -> None:
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", home]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs to be root, and to be let mount a file system")
    try:
        filler = home / "filler"
        filler.write_bytes(b"x" * 24_000)
        with pytest.raises(OutputError, match=r"can't be written \(No space left on device\); make room"):
            fetch(server.url)
        assert files(home) <= {"filler", "index.json"}
        filler.unlink()
        assert fetch(server.url) == (remote / "XYZ1_pan.onnx").read_bytes()
    finally:
        subprocess.run(["umount", home], check=True)


def test_a_cache_that_can_not_be(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SARESNET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="set SARESNET_CACHE to a folder that can be"):
        fetch(remote)
    assert len(Registry.read().entries) == 4
