"""What the tests of fetching do again and again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from saresnet_cli.errors import SaresnetError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, Registry

IDS = ["XYZ1_pan", "XYZ2_pan", "MAX_K562"]  # the last one is installed


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
