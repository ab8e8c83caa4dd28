"""A model: a file and its card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saresnet_cli.adapters import GLOBAL, MAGIC, unpack
from saresnet_cli.card import Card
from saresnet_cli.errors import ModelError
from saresnet_cli.model_file import read_card
from saresnet_cli.registry.models import Registry, check_sha256, read_file


@dataclass(frozen=True)
class Model:
    """A model file that was read and checked.

    data: the bytes of the file, which are what runs, whatever becomes of the
    file; sha256: of these bytes, in hexadecimal.
    """

    path: Path
    card: Card
    data: bytes
    sha256: str

    @property
    def id(self) -> str:
        """The card's id."""
        return self.card.id


def load_models(models: Model | str | Path | Sequence[Model | str | Path]) -> list[Model]:
    """Load one or several models, each given as a `Model`, a file or an id.

    Raises ModelError like `load_model`, also when two have the same id, and ValueError when there is none.
    """
    given = [models] if isinstance(models, Model | str | Path) else list(models)
    loaded = [model if isinstance(model, Model) else load_model(model) for model in given]
    if not loaded:
        raise ValueError("no models")
    first: dict[str, Model] = {}
    for model in loaded:
        if first.setdefault(model.id, model) is not model:
            raise ModelError(
                f"is called {model.id}, as {first[model.id].path} is", path=model.path, cure="give each model once"
            )
    return loaded


def load_model(model: str | Path | None = None, *, tf: str | None = None, cell: str | None = None) -> Model:
    """Load a model by file, by id, or by factor and cell type.

    model: an ONNX file, an adapter of the installed global model, or an id of the registry, in either case; instead, tf
    and, where there are several, cell. Raises ModelError on an unknown or
    damaged model, ValueError when neither or both are given.
    """
    if (model is None) == (tf is None):
        raise ValueError("give either model or tf")
    entry = None
    path = Path(model) if model is not None else None
    if path is None or not path.is_file():
        if path is not None and (path.suffix == ".onnx" or len(path.parts) > 1):
            raise ModelError("no such file", path=path)
        registry = Registry.read()
        entry = registry.get(str(model)) if model is not None else registry.find(str(tf), cell)
        path = registry.path(entry)
    data = read_file(path)
    if data.startswith(MAGIC):
        registry = Registry.read()
        data = unpack(data, read_file(registry.path(registry.get(GLOBAL))), path)
    if entry is not None:
        check_sha256(data, entry, path)
    return Model(path, read_card(data, path), data, hashlib.sha256(data).hexdigest())
