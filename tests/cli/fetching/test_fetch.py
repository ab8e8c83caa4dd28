"""Models that are fetched, from a folder and from a real server, and where they are kept."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, Registry, cache
from support.faulty_server import Server, trickle
from support.fetching import IDS, fetch, files, respell

Command = Callable[..., subprocess.CompletedProcess[str]]


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
