"""Servers and indexes that lie: each lie is one line, and leaves nothing."""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import ssl
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, cache
from saresnet_cli.registry.sources import _Redirects, open_source
from support.faulty_server import Fault, Server, endless, redirect, status
from support.fetching import fetch, files, respell, wrong

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
