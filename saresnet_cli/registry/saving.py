"""Writes models that are here as complete ONNX files, with an index: a folder that others fetch from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from saresnet_cli.errors import OutputError
from saresnet_cli.model import load_model
from saresnet_cli.output import named, whole_file
from saresnet_cli.registry.index import FILE, Entry, complete, parse_fetched_index, write_index
from saresnet_cli.registry.models import Registry, check_sha256


def save(registry: Registry, entries: Iterable[Entry], folder: Path) -> list[Path]:
    """Write models into a folder, made if there is none, and list them in its index; return their files.

    Models that the folder has already are kept, and listed first. Raises ModelError when a model is damaged or the
    folder's index can't be read, OutputError when a file can't be written, or the models lie in this very folder; then
    the index is as it was.
    """
    entries = list(entries)
    if folder.is_dir() and any(folder.samefile(registry.path(entry).parent) for entry in entries):
        raise OutputError("is where the models are read from", path=folder, cure="give another folder")
    index = folder / FILE
    with named(folder):
        folder.mkdir(parents=True, exist_ok=True)
    listed = {entry.id: entry for entry in _listed(index)}
    written = []
    for entry in entries:
        model = load_model(registry.path(entry))
        check_sha256(model.data, entry, model.path)
        target = folder / complete(entry).file
        _write(target, model.data)
        listed[entry.id] = complete(entry)
        written.append(target)
    _write(index, write_index(listed.values()))
    return written


def _listed(index: Path) -> tuple[Entry, ...]:
    try:
        return parse_fetched_index(index.read_bytes(), index)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise OutputError(error.strerror or str(error), path=index) from error


def _write(target: Path, content: bytes) -> None:
    with whole_file(target, target.suffix) as part:
        part.write_bytes(content)
