"""Reads the metadata of an ONNX file without an ONNX runtime."""

from __future__ import annotations

from pathlib import Path

from saresnet_cli.card import METADATA_KEY, Card
from saresnet_cli.errors import ModelError
from saresnet_cli.protobuf import fields

_METADATA = 14  # field of ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_GRAPH, _FUNCTION = 7, 25  # fields of ModelProto that hold tensors, with _WITHIN
_WITHIN = {  # message: the fields that hold messages, and which these are
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL = (13, 14)  # fields of TensorProto: where its data lies, and that it lies elsewhere
_DEEPEST = 32
_CURE = "get it again, or export it again"


def read_card(data: bytes, path: Path) -> Card:
    """Return the model card of an ONNX file.

    data: the whole file; path: named in errors. Raises ModelError when it is cut short, is
    not ONNX, keeps weights in other files, which it could name at will, or carries no card.
    """
    try:
        if b"location" in data and _reaches_out(data):
            raise ModelError("keeps weights in another file", path=path, cure="save it as one file")
        entries = [_strings(value) for number, _, value in fields(data) if number == _METADATA]
        metadata = {entry[1]: entry.get(2, "") for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"is not a whole ONNX file ({error})", path=path, cure=_CURE) from error
    if METADATA_KEY not in metadata:
        raise ModelError("is not a saresnet model: it carries no model card", path=path, cure=_CURE)
    return Card.from_json(metadata[METADATA_KEY], path=path)


def _reaches_out(data: bytes) -> bool:
    """Return whether a tensor of an ONNX file has its data in another file; raises ValueError when it is no ONNX."""
    held: list[tuple[str, int | bytes, int]] = [
        ("graph" if number == _GRAPH else "function", value, 0)
        for number, _, value in fields(data)
        if number in (_GRAPH, _FUNCTION)
    ]
    while held:
        kind, message, depth = held.pop()
        if isinstance(message, int) or depth > _DEEPEST:
            raise ValueError("no protobuf")
        for number, _, value in fields(message):
            if kind == "tensor" and number in _EXTERNAL and value != 0:
                return True
            if number in _WITHIN[kind]:
                held.append((_WITHIN[kind][number], value, depth + 1))
    return False


def _strings(entry: int | bytes) -> dict[int, str]:
    if isinstance(entry, int):
        raise ValueError("no protobuf")
    values = {number: value for number, _, value in fields(entry)}
    return {number: value.decode("utf-8", "replace") for number, value in values.items() if isinstance(value, bytes)}
