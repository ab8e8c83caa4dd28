"""The index of a folder of models: what its `registry.json` says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from saresnet_cli.errors import ModelError

FILE = "registry.json"
FORMAT = 1

SUFFIX = ".adapter"
"""How the file of an adapter ends (`saresnet_cli.adapters`, which loads numpy: to complete a name must not)."""

LARGEST = 1 << 30
"""Bytes of a model file beyond which an index that is fetched is not believed."""

# what may become part of a file name or of an address: no folder, no hidden file, nothing that a shell would read
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One model of an index.

    file: name in the folder of the index, an ONNX file or an adapter; sha256, bytes: of the complete ONNX file;
    metrics: numbers by name, as measured on the model's test set; selftest: what the model gives for the stored
    windows (see `saresnet_cli.selftest`).
    """

    id: str
    tf: str
    cell: str
    file: str
    sha256: str
    bytes: int = 0
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    selftest: dict[str, Any] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def parse_index(content: bytes, path: object, cure: str) -> tuple[Entry, ...]:
    """Read the models of an index; fields that are not known are ignored, so that older tools read newer ones.

    path: named in errors; cure: what the user may do. Raises ModelError when it is no index, or of a newer format.
    """
    try:
        values = json.loads(content)
        if values["format"] != FORMAT:
            raise ModelError(f"has format {values['format']}", path=path, cure="update saresnet")
        known = {f.name for f in fields(Entry)}
        return tuple(_typed(Entry(**{k: v for k, v in e.items() if k in known})) for e in values["models"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(f"is not a list of models ({error!r})", path=path, cure=cure) from error


def parse_fetched_index(content: bytes, path: object) -> tuple[Entry, ...]:
    """Read an index that comes from elsewhere, like `parse_index`.

    Raises ModelError also when a model has a name that is more than a file name, no sha256, no size, or another's id.
    """
    entries = parse_index(content, path, "see where it comes from")
    seen: set[str] = set()
    for entry in entries:
        trouble, cure = None, "see where it comes from"
        if not _NAME.fullmatch(entry.id) or not _NAME.fullmatch(entry.file):
            trouble = f"names a model {entry.id!r} with the file {entry.file!r}"
        elif not _SHA256.fullmatch(entry.sha256):
            trouble = f"has no sha256 of {entry.id}"
        elif not 0 < entry.bytes <= LARGEST:
            trouble = f"says that {entry.id} has {entry.bytes} bytes"
        elif entry.id.lower() in seen:
            trouble = f"lists {entry.id} twice"
        elif entry.file.endswith(SUFFIX):
            trouble = f"lists {entry.id} as an adapter, not as a complete file"
            cure = "let it be written by `saresnet models save`"
        if trouble:
            raise ModelError(f"{trouble}: nothing was fetched", path=path, cure=cure)
        seen.add(entry.id.lower())
    return entries


def complete(entry: Entry) -> Entry:
    """Return what an index says of the complete file of a model."""
    return replace(entry, file=f"{entry.id}.onnx")


def write_index(entries: Iterable[Entry]) -> bytes:
    """Return the index of these models: JSON, a line a model."""
    lines = ",\n".join(json.dumps(entry.as_dict()) for entry in entries)
    return f'{{"format": {FORMAT}, "models": [\n{lines}\n]}}\n'.encode()


def _typed(entry: Entry) -> Entry:
    for name, kind in _TYPES.items():
        value = getattr(entry, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"{name} is {value!r}")
    return entry


_TYPES: dict[str, type] = {
    **dict.fromkeys(("id", "tf", "cell", "file", "sha256", "licence"), str),
    "bytes": int,
    "metrics": dict,
    "selftest": dict,
}
