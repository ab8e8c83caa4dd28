"""A folder of models, a server of it, and a cache."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli.registry import transfer
from support.faulty_server import Server
from support.fetching import IDS


@pytest.fixture(scope="session")
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
