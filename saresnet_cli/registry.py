"""The models that are installed: `registry.json` and the ONNX files beside it."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from saresnet_cli.errors import ModelError

FOLDER_VARIABLE = "SARESNET_MODELS"
"""Environment variable that names another folder of models."""

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One installed model.

    file: name in the folder of models; sha256, bytes: of that file; metrics:
    numbers by name, as measured on the model's test set.
    """

    id: str
    tf: str
    cell: str
    file: str
    sha256: str
    bytes: int = 0
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Registry:
    """A folder of models and what its `registry.json` lists, in the order of the file."""

    folder: Path
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, folder: str | Path | None = None) -> Registry:
        """Read a folder of models.

        folder: default is $SARESNET_MODELS, else the models that were installed with the
        package. Raises ModelError when there is no `registry.json` or it can't be read.
        """
        folder = Path(folder) if folder is not None else _default_folder()
        path = folder / "registry.json"
        try:
            content = json.loads(path.read_bytes())
            if content["format"] != FORMAT:
                raise ModelError(f"has format {content['format']}", path=path, cure="update saresnet")
            known = {f.name for f in fields(Entry)}
            entries = tuple(Entry(**{k: v for k, v in e.items() if k in known}) for e in content["models"])
        except OSError as error:
            raise ModelError(
                error.strerror or str(error), path=path, cure=f"install the models, or set {FOLDER_VARIABLE}"
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"is not a list of models ({error!r})", path=path, cure="install saresnet again"
            ) from error
        return cls(folder, entries)

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id.lower(): entry for entry in self.entries}

    def path(self, entry: Entry) -> Path:
        """Return where the file of a model lies."""
        return self.folder / entry.file

    def get(self, id: str) -> Entry:
        """Return the model with this id, in either case; raises ModelError that names the nearest."""
        if id.lower() in self._by_id:
            return self._by_id[id.lower()]
        raise ModelError(f"no model {id!r}", cure=_nearest(id, [entry.id for entry in self.entries]))

    def find(self, tf: str, cell: str | None = None) -> Entry:
        """Return the model of a factor in a cell type; either may be in any case.

        cell: may be left out where there is one model of the factor. Raises
        ModelError that names the factor's cells, or the nearest factors.
        """
        of_tf = [entry for entry in self.entries if entry.tf.lower() == tf.lower()]
        if not of_tf:
            raise ModelError(f"no model of {tf!r}", cure=_nearest(tf, [entry.tf for entry in self.entries]))
        cells = ", ".join(entry.cell for entry in of_tf)
        found = of_tf if cell is None else [entry for entry in of_tf if entry.cell.lower() == cell.lower()]
        if len(found) == 1:
            return found[0]
        name = of_tf[0].tf
        if found and cell is not None:
            ids = ", ".join(entry.id for entry in found)
            raise ModelError(f"{len(found)} models of {name} in {cell}", cure=f"choose one with --model: {ids}")
        if cell is None:
            raise ModelError(f"{len(of_tf)} models of {name}", cure=f"choose a cell with --cell: {cells}")
        others = sorted({entry.tf for entry in self.entries if entry.cell.lower() == cell.lower()})
        if others:
            raise ModelError(
                f"no model of {name} in {cell}", cure=f"{name} has {cells}; {cell} has {', '.join(others)}"
            )
        raise ModelError(f"no model of {name} in {cell!r}", cure=f"{name} has {cells}")

    def select(self, tfs: list[str], cells: list[str] | None = None) -> list[Entry]:
        """Return the models of several factors, in the order of the factors and cells, each once.

        tfs: names, or "all", which is every factor (not the global model). cells: names; a factor need not be in
        each, but in one; None: every factor must have one model, or all of them where the factors are "all".
        Raises ModelError like `find`.
        """
        factors = [entry for entry in self.entries if entry.tf.lower() != "any"]
        chosen: dict[str, Entry] = {}
        for tf in tfs:
            if tf.lower() == "all":
                lower = None if cells is None else {cell.lower() for cell in cells}
                found = [entry for entry in factors if lower is None or entry.cell.lower() in lower]
                if not found:
                    known = ", ".join(sorted({entry.cell for entry in factors}))
                    raise ModelError(f"no models in {', '.join(cells or [])}", cure=f"there are {known}")
            elif cells is None or len(cells) == 1:
                found = [self.find(tf, cells[0] if cells else None)]
            else:
                wanted = [cell.lower() for cell in cells]
                found = [e for e in factors if e.tf.lower() == tf.lower() and e.cell.lower() in wanted]
                found.sort(key=lambda entry: wanted.index(entry.cell.lower()))
                if not found:
                    found = [self.find(tf, cells[0])]
            chosen.update((entry.id, entry) for entry in found)
        return list(chosen.values())


def check_sha256(data: bytes, entry: Entry, path: Path) -> None:
    """Compare bytes with the sha256 of a model; raises ModelError when they differ."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256.lower():
        raise ModelError(
            f"its sha256 is {digest[:12]}…, the registry says {entry.sha256[:12]}…: the file is damaged",
            path=path,
            cure="install saresnet again",
        )


def read_file(path: Path) -> bytes:
    """Return the bytes of a model file; raises ModelError when it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(error.strerror or str(error), path=path) from error


def _default_folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    try:
        return Path(str(resources.files("saresnet_models")))
    except ModuleNotFoundError as error:
        raise ModelError(
            "no models are installed", cure=f"install saresnet again, give --model FILE, or set {FOLDER_VARIABLE}"
        ) from error


def _nearest(word: str, known: list[str]) -> str:
    known = sorted(set(known))
    lower = {name.lower(): name for name in known}
    near = [lower[name] for name in difflib.get_close_matches(word.lower(), lower, n=3, cutoff=0.5)]
    if near:
        return f"the nearest are {', '.join(near)}; see `saresnet models list`"
    return f"there are {len(known)}; see `saresnet models list`"
