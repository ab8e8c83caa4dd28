"""The models that can be used: those installed with the package, then those that were fetched into the cache."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

from saresnet_cli.errors import ModelError
from saresnet_cli.registry import cache
from saresnet_cli.registry.index import FILE, Entry, parse_index

FOLDER_VARIABLE = "SARESNET_MODELS"
"""Environment variable that names another folder of models, in place of those installed with the package."""


@dataclass(frozen=True)
class Registry:
    """Models, and where their files lie.

    entries: in the order of `registry.json`, those of the cache last; files: by id; offered: returns the models
    that can be fetched, and the option that says from where, for the cure of an error.
    """

    entries: tuple[Entry, ...]
    files: dict[str, Path] = field(default_factory=dict, repr=False)
    offered: Callable[[], tuple[tuple[Entry, ...], str]] = field(default=lambda: ((), ""), repr=False)

    @classmethod
    def read(cls, folder: str | Path | None = None) -> Registry:
        """Read what models there are.

        folder: a folder with a `registry.json`, and nothing beside it; default is $SARESNET_MODELS, else what was
        installed with the package, and then the cache, whose models come second where an id is in both. Raises
        ModelError when there is no `registry.json` or it can't be read.
        """
        home = Path(folder) if folder is not None else _installed_folder()
        path = home / FILE
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                error.strerror or str(error), path=path, cure=f"install the models, or set {FOLDER_VARIABLE}"
            ) from error
        entries = parse_index(content, path, "install saresnet again")
        files = {entry.id: home / entry.file for entry in entries}
        if folder is not None:
            return cls(entries, files)
        known = {entry.id.lower() for entry in entries}
        fetched = [(entry, file) for entry, file in cache.models() if entry.id.lower() not in known]
        files |= {entry.id: file for entry, file in fetched}
        return cls((*entries, *(entry for entry, _ in fetched)), files, cache.offered)

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id.lower(): entry for entry in self.entries}

    def path(self, entry: Entry) -> Path:
        """Return where the file of a model lies."""
        return self.files[entry.id]

    def available(self) -> list[Entry]:
        """Return the models that can be fetched and are not here."""
        return [entry for entry in self.offered()[0] if entry.id.lower() not in self._by_id]

    def get(self, id: str) -> Entry:
        """Return the model with this id, in either case; raises ModelError that names the nearest."""
        if id.lower() in self._by_id:
            return self._by_id[id.lower()]
        self._refer(f"no model {id!r} is here", [e for e in self.available() if e.id.lower() == id.lower()])
        raise ModelError(f"no model {id!r}", cure=_nearest(id, [entry.id for entry in self.entries]))

    def find(self, tf: str, cell: str | None = None) -> Entry:
        """Return the model of a factor in a cell type; either may be in any case.

        cell: may be left out where there is one model of the factor. Raises
        ModelError that names the factor's cells, or the nearest factors.
        """
        of_tf = [entry for entry in self.entries if entry.tf.lower() == tf.lower()]
        cells = ", ".join(entry.cell for entry in of_tf)
        found = of_tf if cell is None else _in_cell(of_tf, cell)
        if len(found) == 1:
            return found[0]
        if not found:
            offered = [entry for entry in self.available() if entry.tf.lower() == tf.lower()]
            where = "" if cell is None else f" in {cell}"
            self._refer(f"no model of {tf}{where} is here", offered if cell is None else _in_cell(offered, cell))
            if not of_tf:
                self._refer(f"no model of {tf} is here", offered)
                raise ModelError(f"no model of {tf!r}", cure=_nearest(tf, [entry.tf for entry in self.entries]))
        name = of_tf[0].tf
        if found and cell is not None:
            ids = ", ".join(entry.id for entry in found)
            raise ModelError(f"{len(found)} models of {name} in {cell}", cure=f"choose one with --model: {ids}")
        if cell is None:
            raise ModelError(f"{len(of_tf)} models of {name}", cure=f"choose a cell with --cell: {cells}")
        others = sorted({entry.tf for entry in _in_cell(self.entries, cell)})
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
                    self._refer(
                        f"no models in {', '.join(cells or [])} are here",
                        [entry for entry in self.available() if lower is None or entry.cell.lower() in lower],
                    )
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

    def _refer(self, message: str, offered: list[Entry]) -> None:
        """Raise ModelError that says how these models are fetched, if there are any."""
        if offered:
            ids = " ".join(entry.id for entry in offered[:5]) + (" ..." if len(offered) > 5 else "")
            raise ModelError(message, cure=f"get it: `saresnet models fetch {ids}{self.offered()[1]}`")


def check_sha256(data: bytes, entry: Entry, path: Path) -> None:
    """Compare bytes with the sha256 of a model; raises ModelError when they differ."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256.lower():
        raise ModelError(
            f"its sha256 is {digest[:12]}…, the registry says {entry.sha256[:12]}…: the file is damaged",
            path=path,
            cure="install saresnet again" if path.name == entry.file else f"`saresnet models fetch {entry.id}` again",
        )


def read_file(path: Path) -> bytes:
    """Return the bytes of a model file; raises ModelError when it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(error.strerror or str(error), path=path) from error


def _installed_folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    try:
        return Path(str(resources.files("saresnet_models")))
    except ModuleNotFoundError as error:
        raise ModelError(
            "no models are installed", cure=f"install saresnet again, give --model FILE, or set {FOLDER_VARIABLE}"
        ) from error


def _in_cell(entries: Iterable[Entry], cell: str) -> list[Entry]:
    return [entry for entry in entries if entry.cell.lower() == cell.lower()]


def _nearest(word: str, known: list[str]) -> str:
    known = sorted(set(known))
    lower = {name.lower(): name for name in known}
    near = [lower[name] for name in difflib.get_close_matches(word.lower(), lower, n=3, cutoff=0.5)]
    if near:
        return f"the nearest are {', '.join(near)}; see `saresnet models list`"
    return f"there are {len(known)}; see `saresnet models list`"
