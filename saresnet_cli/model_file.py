"""Reads the metadata of an ONNX file without an ONNX runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from saresnet_cli.card import METADATA_KEY, Card
from saresnet_cli.errors import ModelError

_METADATA = 14  # field of ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_CURE = "get it again, or export it again"


def read_card(data: bytes, path: Path) -> Card:
    """Return the model card of an ONNX file.

    data: the whole file; path: named in errors. Raises ModelError when it is cut short, is
    not ONNX, or carries no card.
    """
    try:
        entries = [dict(_fields(value)) for field, value in _fields(data) if field == _METADATA]
        metadata = {_text(entry[1]): _text(entry.get(2, b"")) for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"is not a whole ONNX file ({error})", path=path, cure=_CURE) from error
    if METADATA_KEY not in metadata:
        raise ModelError("is not a saresnet model: it carries no model card", path=path, cure=_CURE)
    return Card.from_json(metadata[METADATA_KEY], path=path)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of each field of a protobuf message; raises ValueError when it is cut short."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("no protobuf")
        if at + size > len(data):
            raise ValueError("cut short")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("no protobuf")
    raise ValueError("cut short")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
