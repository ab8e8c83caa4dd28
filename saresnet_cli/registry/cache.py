"""The cache of fetched models: a folder of the user's, shared by all processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shlex
from functools import lru_cache
from importlib import resources
from pathlib import Path

from saresnet_cli.errors import ModelError, OutputError
from saresnet_cli.registry.index import FILE, Entry, complete, parse_fetched_index, parse_index, write_index

FOLDER_VARIABLE = "SARESNET_CACHE"
"""Environment variable that names another folder of fetched models."""

SOURCE_VARIABLE = "SARESNET_MODELS_URL"
"""Environment variable that names where models are fetched from: a folder, or an HTTP(S) address."""

RELEASE_URL = ""
"""Where the complete files of this release's models lie; set by a release that has put them somewhere
(`saresnet models save --all -o FOLDER`)."""

LAST_INDEX = "index.json"
"""What the source that was fetched from last has to offer."""

_log = logging.getLogger("saresnet")


def folder() -> Path:
    """Return the folder of fetched models, which need not exist.

    $SARESNET_CACHE, else `saresnet` in $XDG_CACHE_HOME, else in ~/.cache (XDG Base Directory Specification 0.8,
    by which a path that isn't absolute is ignored). Raises OutputError when there is no home.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "saresnet"
    try:
        return Path.home() / ".cache" / "saresnet"
    except RuntimeError as error:
        raise OutputError("there is no home for fetched models", cure=f"set {FOLDER_VARIABLE} to a folder") from error


def path(entry: Entry) -> Path:
    """Return where the file of a fetched model lies; another version of the model has another path."""
    return folder() / f"{entry.id}.{entry.sha256[:16]}.onnx"


def models() -> list[tuple[Entry, Path]]:
    """Return the fetched models and their files, by id.

    A model is there when its description is, `ID.model.json`, which is written last.
    """
    found = []
    with contextlib.suppress(OutputError):
        for description in sorted(folder().glob("*.model.json"), key=lambda path: path.name.lower()):
            with contextlib.suppress(OSError):
                state = description.stat()
                entry = _described(description, state.st_mtime_ns, state.st_ino)
                if entry is not None and path(entry).is_file():
                    found.append((entry, path(entry)))
    return found


@lru_cache(maxsize=4096)
def _described(description: Path, mtime: int, inode: int) -> Entry | None:
    try:
        (entry,) = parse_fetched_index(description.read_bytes(), description)
    except (ModelError, ValueError):
        _log.warning("%s can't be read: fetch the model again", description)
        return None
    return entry


def keep(entry: Entry) -> None:
    """Say that the file of a model is there, whole; raises OSError."""
    write_whole(folder() / f"{entry.id}.model.json", write_index([entry]))


def keep_index(source: str, content: bytes) -> None:
    """Remember what a source has to offer; raises OSError."""
    write_whole(folder() / LAST_INDEX, json.dumps({"source": source, "index": content.decode()}).encode())


def write_whole(target: Path, content: bytes) -> None:
    """Write a small file that other processes see whole or not at all; raises OSError."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


@lru_cache(maxsize=1)
def released_index() -> bytes | None:
    """Return the index of the complete files of the models that came with this package, if they did."""
    with contextlib.suppress(ModuleNotFoundError, OSError, ModelError):
        content = (resources.files("saresnet_models") / FILE).read_bytes()
        return write_index(complete(entry) for entry in parse_index(content, FILE, ""))
    return None


def released_sha256() -> str | None:
    """Return the sha256 of `released_index`: what the index of a source is compared with."""
    content = released_index()
    return None if content is None else hashlib.sha256(content).hexdigest()


def default_source() -> str | None:
    """Return where models are fetched from if the user doesn't say."""
    return os.environ.get(SOURCE_VARIABLE) or RELEASE_URL or None


def offered() -> tuple[tuple[Entry, ...], str]:
    """Return the models of the source that was fetched from last, and the option that says it, if one is needed."""
    entries: tuple[Entry, ...] = ()
    source = default_source()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, ModelError, OutputError):
        last = json.loads((folder() / LAST_INDEX).read_bytes())
        source = source or str(last["source"])
        entries = parse_fetched_index(last["index"].encode(), folder() / LAST_INDEX)
    where = "" if default_source() else f" --from {shlex.quote(source) if source else 'FOLDER_OR_URL'}"
    return entries, where
