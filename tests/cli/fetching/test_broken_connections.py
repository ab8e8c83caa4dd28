"""Connections that break: what was fetched is gone on with, and nothing wrong is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, cache, transfer
from support.faulty_server import Fault, Handler, Server, cut, past_the_end, ranged, slow, status, whole
from support.fetching import fetch, files, wrong


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
