"""Models that are fetched: from a folder and from a real server that breaks, lies, and is asked by several at once."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import pty
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saresnet_cli.errors import ModelError, OutputError, SaresnetError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, Registry, cache, transfer
from saresnet_cli.registry.sources import _Redirects, open_source

IDS = ["XYZ1_pan", "XYZ2_pan", "MAX_K562"]  # the last one is installed
Command = Callable[..., subprocess.CompletedProcess[str]]
Fault = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Serves the files of a folder with ranges; the faults that a test has set for a file come first."""

    server: Server

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked.append((name, self.headers.get("Range")))
        path = self.server.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        faults = self.server.faults.get(name, [])
        (faults.pop(0) if faults else ranged)(self, path.read_bytes())

    def answer(self, code: int, body: bytes, sent: int | None = None, **headers: object) -> None:
        """Answer, and close after `sent` bytes of the body."""
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body[:sent])
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on this machine; asked: (file, Range) of each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.faults, self.asked = folder, dict[str, list[Fault]](), list[tuple[str, str | None]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/models"

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no error."""


def ranged(handler: Handler, body: bytes) -> None:
    wanted = handler.headers.get("Range")
    if wanted is None:
        handler.answer(200, body)
        return
    start = int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(body):
        handler.send_error(416)
        return
    handler.answer(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")


def whole(handler: Handler, body: bytes) -> None:
    handler.answer(200, body)  # knows no ranges


def cut(count: int) -> Fault:
    """Break the connection after so many bytes, from wherever the client goes on."""

    def fault(handler: Handler, body: bytes) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start:
            handler.answer(206, body[start:], count, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            handler.answer(200, body, count)

    return fault


def status(code: int) -> Fault:
    return lambda handler, _: handler.send_error(code)


def past_the_end(handler: Handler, body: bytes) -> None:
    handler.send_error(416) if handler.headers.get("Range") else handler.answer(200, body)


def redirect(to: str) -> Fault:
    return lambda handler, _: handler.answer(302, b"", Location=to)


def slow(seconds: float) -> Fault:
    def fault(handler: Handler, body: bytes) -> None:
        time.sleep(seconds)
        ranged(handler, body)

    return fault


def trickle(handler: Handler, body: bytes) -> None:
    """Send a file in a second and a half."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for at in range(15):
        handler.wfile.write(body[len(body) * at // 15 : len(body) * (at + 1) // 15])
        handler.wfile.flush()
        time.sleep(0.1)


def endless(handler: Handler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(2000):
        handler.wfile.write(body)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, toy: SimpleNamespace) -> Path:
    """A folder of models as a release uploads it."""
    folder: Path = toy.registry(tmp_path_factory.mktemp("remote") / "models", IDS)
    return folder


@pytest.fixture
def remote(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "remote"))


@pytest.fixture
def server(remote: Path) -> Iterator[Server]:
    """A server of that folder."""
    with Server(remote) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def home(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test; no waiting between attempts."""
    monkeypatch.setenv("SARESNET_MODELS", str(registry))
    monkeypatch.setenv("SARESNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SARESNET_MODELS_URL", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transfer, "WAITS", (0, 0, 0, 0))
    return tmp_path / "cache"


def fetch(source: object, id: str = "XYZ1_pan", timeout: float = 10, **options: Any) -> bytes:
    """Fetch a model and return the bytes of the file that is loaded from then on."""
    offer = Offer(str(source), timeout=timeout, **options)
    offer.fetch([offer.registry.get(id)])
    return load_model(id).data


def wrong(source: object, **options: Any) -> str:
    """Return what a fetch that fails says; nothing of it may stay but what can be gone on with."""
    with pytest.raises(SaresnetError) as caught:
        fetch(source, **options)
    assert "XYZ1_pan" not in {entry.id for entry in Registry.read().entries}
    return str(caught.value)


def respell(remote: Path, **changes: object) -> None:
    """Change the first model of the index."""
    content = json.loads((remote / "registry.json").read_text())
    content["models"][0] |= changes
    (remote / "registry.json").write_text(json.dumps(content))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if not path.is_dir()}


# From a folder and from a server


def test_a_fetched_model_is_found_without_a_network(
    server: Server, remote: Path, genome: Path, saresnet: Command
) -> None:
    before = saresnet("scan", genome, "--tf", "XYZ1")
    assert "no model of 'XYZ1'" in before.stderr
    done = saresnet("models", "fetch", "xyz1_pan", env={"SARESNET_MODELS_URL": server.url})
    assert done.returncode == 0, done.stderr
    id, path = done.stdout.rstrip("\n").split("\t")
    assert (id, Path(path).read_bytes()) == ("XYZ1_pan", (remote / "XYZ1_pan.onnx").read_bytes())
    assert "1 of 1 models fetched" in done.stderr
    server.shutdown()
    server.server_close()
    shutil.rmtree(remote)
    listed = [line.split("\t")[0] for line in saresnet("models", "list").stdout.splitlines()[1:]]
    assert listed == ["CTCF_GM12878", "CTCF_K562", "MAX_K562", "REST_H1-hESC", "XYZ1_pan"]
    assert saresnet("models", "verify").stdout.count("\tok\n") == 5
    scanned = saresnet("scan", genome, "--tf", "XYZ1", "--cell", "pan")
    assert scanned.returncode == 0, scanned.stderr
    assert scanned.stdout == saresnet("scan", genome, "--model", "XYZ1_pan").stdout
    assert scanned.stdout.count("\tXYZ1_pan\t") > 50
    # what the source had is remembered, and said
    missing = saresnet("scan", genome, "--tf", "xyz2")
    assert missing.returncode == 1
    cure = f"no model of xyz2 is here; get it: `saresnet models fetch XYZ2_pan --from {server.url}`\n"
    assert missing.stderr.endswith(cure)
    assert saresnet("scan", genome, "--model", "xyz2_pan").stderr.endswith(cure.replace("of xyz2", "'xyz2_pan'"))
    available = saresnet("models", "list", "--available").stdout.splitlines()
    assert "XYZ2_pan" in {line.split("\t")[0] for line in available}
    again = saresnet("models", "fetch", "XYZ1_pan", env={"SARESNET_MODELS_URL": server.url})
    assert again.returncode == 1
    assert again.stderr.startswith(f"saresnet: error: {server.url}/registry.json: it can't be reached")
    assert len(again.stderr.splitlines()) == 1


def test_models_by_factor_and_all_from_a_folder(remote: Path, saresnet: Command, home: Path) -> None:
    done = saresnet("models", "fetch", "--tf", "XYZ2,XYZ1", "--cell", "pan", "--from", "remote", "-q")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["XYZ2_pan", "XYZ1_pan"]
    assert json.loads((home / "index.json").read_text())["source"] == str(remote)  # from wherever it is named later
    done = saresnet("models", "fetch", "--all", "--from", remote)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == IDS
    assert "0 of 3 models fetched, 0.0 MB; the others were here" in done.stderr
    assert len(files(home)) == 5  # two models, what describes them, and the index


def test_a_command_line_that_says_too_little_or_too_much(saresnet: Command) -> None:
    for words in (["-q"], ["X", "--all"], ["--all", "--tf", "X"], ["X", "--cell", "pan"]):
        assert saresnet("models", "fetch", *words).returncode == 2
    done = saresnet("models", "fetch", "X")
    assert done.returncode == 1
    assert "nothing says where models are fetched from; give --from FOLDER_OR_URL, or set SARESNET_MODELS_URL" in (
        done.stderr
    )
    assert saresnet("models", "fetch").returncode == 2


def test_what_is_installed_comes_first(remote: Path, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    respell(remote, id="CTCF_K562")
    offer = Offer(str(remote))
    with caplog.at_level(logging.WARNING, "saresnet"):
        fetched = offer.fetch(offer.registry.entries[:1])
    assert not fetched[0].new
    assert files(home) == {"index.json"}
    assert "another version of CTCF_K562 is installed, and comes first" in caplog.text


def test_what_is_installed_later_comes_first_too(
    remote: Path, registry: Path, tmp_path: Path, toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARESNET_MODELS", str(toy.registry(tmp_path / "few", ["CTCF_K562"])))
    fetch(remote, "MAX_K562")
    assert load_model(tf="MAX").path.parent == tmp_path / "cache"
    monkeypatch.setenv("SARESNET_MODELS", str(registry))
    assert load_model(tf="MAX").path.parent == registry
    assert [entry.id for entry in Registry.read().entries].count("MAX_K562") == 1


def test_a_terminal_sees_how_far_it_is(server: Server, registry: Path, home: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "saresnet_cli", "models", "fetch", "--all", "--from", server.url]
    server.faults["XYZ2_pan.onnx"] = [trickle]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True, timeout=60)
    assert b" MB " in os.read(ours, 100_000)
    os.close(ours)
    os.close(theirs)


# Connections that break


def test_a_broken_connection_goes_on_where_it_broke(server: Server, remote: Path) -> None:
    server.faults["XYZ1_pan.onnx"] = [cut(1000), cut(500), status(503), slow(0.6)]
    told: list[tuple[int, int]] = []
    offer = Offer(server.url, timeout=0.3)
    offer.fetch([offer.registry.get("XYZ1_pan")], lambda done, total: told.append((done, total)))
    size = (remote / "XYZ1_pan.onnx").stat().st_size
    assert [asked for asked in server.asked if asked[0] != "registry.json"] == [
        ("XYZ1_pan.onnx", wanted) for wanted in (None, "bytes=1000-", "bytes=1500-", "bytes=1500-", "bytes=1500-")
    ]
    assert told[0] == (1000, size)
    assert told[-1] == (size, size)
    assert load_model("XYZ1_pan").data == (remote / "XYZ1_pan.onnx").read_bytes()


def test_the_next_run_goes_on_too(server: Server, remote: Path, home: Path) -> None:
    server.faults["XYZ1_pan.onnx"] = [cut(700)] + [cut(0)] * 4
    message = wrong(server.url)
    size = (remote / "XYZ1_pan.onnx").stat().st_size
    assert f"XYZ1_pan.onnx: the connection broke after 700 of {size:,} bytes; try again" in message
    (part,) = home.glob(".*.part")
    assert part.stat().st_size == 700
    server.asked.clear()
    assert fetch(server.url) == (remote / "XYZ1_pan.onnx").read_bytes()
    assert server.asked[1:] == [("XYZ1_pan.onnx", "bytes=700-")]
    assert not list(home.glob(".*"))


def test_nothing_stays_of_a_server_that_is_not_there(server: Server, home: Path) -> None:
    server.faults["XYZ1_pan.onnx"] = [status(500)] * 5
    assert "the server says 500" in wrong(server.url)
    assert files(home) == {"index.json"}


@pytest.mark.parametrize("answer", [whole, past_the_end, ranged], ids=["no ranges", "416", "ranges"])
def test_a_part_of_another_version_is_started_over(server: Server, remote: Path, home: Path, answer: Fault) -> None:
    entry = Offer(server.url).registry.get("XYZ1_pan")
    home.mkdir()
    part = transfer.Path(cache.path(entry)).with_name(f".{cache.path(entry).name}.part")
    for length in (100, entry.bytes, entry.bytes + 10):
        part.write_bytes(b"x" * length)
        server.faults["XYZ1_pan.onnx"] = [answer]
        assert fetch(server.url) == (remote / "XYZ1_pan.onnx").read_bytes()
        cache.path(entry).unlink()


def test_a_file_that_changes_while_it_is_fetched(server: Server, remote: Path) -> None:
    new = (remote / "XYZ1_pan.onnx").read_bytes()
    old = bytes(reversed(new))

    def begin(handler: Handler, body: bytes) -> None:
        handler.answer(200, old, 2000)

    server.faults["XYZ1_pan.onnx"] = [begin]
    assert fetch(server.url) == new
    assert [wanted for name, wanted in server.asked if name != "registry.json"] == [None, "bytes=2000-", None]


def test_a_server_that_breaks_for_ever_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PROGRESS", 1)
    server.faults["XYZ1_pan.onnx"] = [cut(1)] * 200
    assert "the connection broke after 50 of" in wrong(server.url)
    server.faults["registry.json"] = [cut(10)] * 200
    assert "registry.json: the connection broke after 10 of" in wrong(server.url)


# Servers that lie


def test_a_wrong_checksum_is_not_kept(server: Server, remote: Path, home: Path) -> None:
    data = bytearray((remote / "XYZ1_pan.onnx").read_bytes())
    data[1234] ^= 1
    (remote / "XYZ1_pan.onnx").write_bytes(data)
    for source in (server.url, remote):
        message = wrong(source)
        assert f"{source}/XYZ1_pan.onnx: its sha256 is {hashlib.sha256(data).hexdigest()[:12]}…, the index" in message
        assert files(home) == {"index.json"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (status(404), "the server says 404"),
        (status(403), "the server says 403"),
        (lambda handler, body: handler.answer(200, body[:-1]), "bytes, the index says"),
        (lambda handler, body: handler.answer(200, body + b"x"), "bytes, the index says"),
        (lambda handler, body: handler.answer(200, body + b"x", Content_Length=None), "has more than the"),
        (endless, "has more than the"),
        (lambda handler, body: handler.answer(200, body, Content_Encoding="gzip"), "comes compressed"),
        (lambda handler, body: handler.answer(206, body, Content_Range="bytes 7-9/10"), "another part of the file"),
        (redirect("file:///etc/passwd"), "Redirection to url 'file:///etc/passwd' is not allowed"),
        (redirect("ftp://127.0.0.1/x"), "which is not safe"),
        (redirect("XYZ1_pan.onnx"), "the server says 302"),
    ],
)
def test_a_lie_is_one_line_and_leaves_nothing(server: Server, home: Path, fault: Fault, message: str) -> None:
    server.faults["XYZ1_pan.onnx"] = [fault] * 20
    assert message in wrong(server.url)
    assert files(home) == {"index.json"}


def test_a_redirect_is_followed(server: Server, remote: Path) -> None:
    shutil.copy(remote / "XYZ1_pan.onnx", remote / "elsewhere.onnx")
    server.faults["XYZ1_pan.onnx"] = [redirect(f"{server.url}/deep/elsewhere.onnx")]
    assert fetch(server.url) == (remote / "XYZ1_pan.onnx").read_bytes()


def test_no_redirect_from_https_to_http() -> None:
    request = SimpleNamespace(full_url="https://a/x", type="https")
    with pytest.raises(ModelError, match="not safe"):
        _Redirects().redirect_request(request, io.BytesIO(), 302, "", None, "http://a/x")  # type: ignore[arg-type]


def test_a_certificate_that_nobody_signed(server: Server, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with pytest.raises(ModelError, match="its certificate can't be trusted"):
        Offer(server.url.replace("http:", "https:"))
    assert server.asked == []


# Indexes that lie


@pytest.mark.parametrize(
    "changes",
    [
        *[
            {field: name}
            for field in ("file", "id")
            for name in (
                "../evil.onnx", "/tmp/evil.onnx", "a/b.onnx", "..", ".hidden", "-rf", "", "a\\b", "a b", "a\nb", "a\0b",
                "%2e%2e%2fevil", "x" * 200, "ü.onnx", "C:evil",
            )
        ],
        {"bytes": 0},
        {"bytes": -1},
        {"bytes": 1 << 40},
        {"bytes": True},
        {"bytes": "9"},
        {"sha256": "abc"},
        {"sha256": "../" * 21 + "x"},
        {"sha256": None},
        {"tf": 7},
        {"metrics": "good"},
        {"id": "xyz2_PAN"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_hostile_index_is_refused_as_a_whole(remote: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    respell(remote, **changes)
    before = files(tmp_path)
    with pytest.raises(ModelError, match=r"registry\.json: ") as caught:
        Offer(str(remote))
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b'{"format": 1}', b'{"format": 9}', b"\xff\xfe", b" " * 200]
)
def test_what_is_no_index(server: Server, remote: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_cli.registry.fetching.LARGEST_INDEX", 150 if len(content) == 200 else 1 << 20)
    (remote / "registry.json").write_bytes(content)
    assert "registry.json: " in wrong(server.url)
    (remote / "registry.json").unlink()
    assert "registry.json: the server says 404" in wrong(server.url)


def test_a_link_in_the_cache_is_not_followed(remote: Path, home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    entry = Offer(str(remote)).registry.get("XYZ1_pan")
    target = cache.path(entry)
    home.mkdir()
    part = target.with_name(f".{target.name}.part")
    part.symlink_to(victim)
    assert "can't be written" in wrong(remote)
    part.unlink()
    target.symlink_to(victim)
    assert fetch(remote) == (remote / "XYZ1_pan.onnx").read_bytes()
    assert not target.is_symlink()
    assert victim.read_text() == "mine"


def test_what_is_signed_off(remote: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    index = (remote / "registry.json").read_bytes()
    digest = hashlib.sha256(index).hexdigest()
    with caplog.at_level(logging.WARNING, "saresnet"):
        Offer(str(remote))
        assert [r.message for r in caplog.records] == [
            f"{remote}/registry.json is not the index that this version was released with; "
            f"to pin it: --index-sha256 {digest}"
        ]
        caplog.clear()
        Offer(str(remote), index_sha256=digest.upper())
        monkeypatch.setattr(cache, "released_index", lambda: index)
        Offer(str(remote))
        assert not caplog.records
    with pytest.raises(ModelError, match=rf"its sha256 is {digest}, which is not the one"):
        Offer(str(remote), index_sha256="0" * 64)
    Offer(str(remote)).fetch([])  # what a source has can be named once anything was asked of it
    with pytest.raises(ModelError, match=rf"`saresnet models fetch XYZ2_pan --from {remote}`"):
        load_model("XYZ2_pan")
    monkeypatch.setattr(cache, "RELEASE_URL", str(remote))
    with pytest.raises(ModelError, match=r"`saresnet models fetch XYZ2_pan`"):
        load_model(tf="XYZ2")
    Offer()
    respell(remote, tf="OTHER")
    with pytest.raises(ModelError, match="is not the index of this release"):
        Offer()


@pytest.mark.parametrize(
    "name",
    [
        "file:///tmp",
        "ftp://a/b",
        "http://",
        "http://[::1",
        "http://me:secret@a/b",
        "https://a/b?c",
        "nowhere",
        "s3://a",
    ],
)
def test_a_source_that_is_none(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_source(name)
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("an address of models has no" if "@" in name or "?" in name else name)


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


# The cache


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache.folder() == tmp_path / "cache"
    monkeypatch.delenv("SARESNET_CACHE")
    assert cache.folder() == Path("/xdg/saresnet")
    for name in ("relative/path", ""):  # which the specification says to ignore
        monkeypatch.setenv("XDG_CACHE_HOME", name)
        assert cache.folder() == tmp_path / ".cache/saresnet"


def test_damage_in_the_cache(remote: Path, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    wanted = fetch(remote)
    fetch(remote, "XYZ2_pan")
    path = cache.path(Registry.read().get("XYZ1_pan"))
    path.write_bytes(wanted[:-1] + b"?")
    with pytest.raises(ModelError, match="the file is damaged; `saresnet models fetch XYZ1_pan` again"):
        load_model("XYZ1_pan")
    assert fetch(remote) == wanted
    path.unlink()
    with pytest.raises(ModelError, match="no model 'XYZ1_pan' is here; get it: `saresnet models fetch XYZ1_pan --fr"):
        load_model("XYZ1_pan")
    (home / "XYZ1_pan.model.json").write_text("{")
    (home / "index.json").write_text("[]")
    with caplog.at_level(logging.WARNING, "saresnet"):
        assert load_model(tf="XYZ2").id == "XYZ2_pan"
        with pytest.raises(ModelError, match=r"no model 'XYZ1_pan'; "):
            load_model("XYZ1_pan")
    assert "XYZ1_pan.model.json can't be read: fetch the model again" in caplog.text


def test_a_newer_version_takes_the_place_of_an_older_one(remote: Path, toy: SimpleNamespace) -> None:
    old = fetch(remote)
    card = toy.card("XYZ1_pan", background=False)
    new = toy.model(remote / "XYZ1_pan.onnx", card).read_bytes()
    respell(remote, sha256=hashlib.sha256(new).hexdigest(), bytes=len(new))
    assert new != old
    assert fetch(remote) == new
    assert [entry.id for entry in Registry.read().entries].count("XYZ1_pan") == 1
