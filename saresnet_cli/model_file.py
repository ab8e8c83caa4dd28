"""Reads the metadata of an ONNX file without an ONNX runtime."""

from __future__ import annotations

from pathlib import Path

from saresnet_cli.card import METADATA_KEY, Card
from saresnet_cli.errors import ModelError
from saresnet_cli.protobuf import fields

_METADATA = 14  # field of ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_CURE = "get it again, or export it again"


def read_card(data: bytes, path: Path) -> Card:
    """Return the model card of an ONNX file.

    data: the whole file; path: named in errors. Raises ModelError when it is cut short, is
    not ONNX, or carries no card.
    """
    try:
        entries = [_strings(value) for number, _, value in fields(data) if number == _METADATA]
        metadata = {entry[1]: entry.get(2, "") for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"is not a whole ONNX file ({error})", path=path, cure=_CURE) from error
    if METADATA_KEY not in metadata:
        raise ModelError("is not a saresnet model: it carries no model card", path=path, cure=_CURE)
    return Card.from_json(metadata[METADATA_KEY], path=path)


def _strings(entry: int | bytes) -> dict[int, str]:
    if isinstance(entry, int):
        raise ValueError("no protobuf")
    values = {number: value for number, _, value in fields(entry)}
    return {number: value.decode("utf-8", "replace") for number, value in values.items() if isinstance(value, bytes)}
