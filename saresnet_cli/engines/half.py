"""Rewrites a model file so that it computes in float16, which GPUs do at twice the rate and more.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import numpy as np

from saresnet_cli.protobuf import BYTES, VARINT, field, fields

_FLOAT, _HALF = 1, 10  # TensorProto.DataType
_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _VALUE_INFO = 1, 5, 13  # of GraphProto
_OUTPUT, _OP_TYPE, _ATTRIBUTE = 2, 4, 5  # of NodeProto
_DATA_TYPE, _FLOAT_DATA, _RAW_DATA = 2, 4, 9  # of TensorProto


def in_half_precision(data: bytes) -> bytes:
    """Return a model file with float16 in place of float32 everywhere but in its output.

    data: of a file as export writes it, with tensors in `raw_data` or `float_data`. Raises ValueError when it is
    no ONNX file.
    """
    return b"".join(
        field(number, kind, _graph(value) if number == _GRAPH and isinstance(value, bytes) else value)
        for number, kind, value in fields(data)
    )


def _graph(graph: bytes) -> bytes:
    rewrite = {_NODE: _node, _INITIALIZER: _tensor, _VALUE_INFO: _value_info}
    parts = [
        field(number, kind, rewrite[number](value) if number in rewrite and isinstance(value, bytes) else value)
        for number, kind, value in fields(graph)
    ]
    to = field(1, BYTES, b"to") + field(3, VARINT, _FLOAT) + field(20, VARINT, 2)
    names = [(1, b"logit.float16"), (_OUTPUT, b"logit"), (3, b"logit.cast"), (_OP_TYPE, b"Cast"), (_ATTRIBUTE, to)]
    cast = b"".join(field(number, BYTES, value) for number, value in names)
    return b"".join([*parts, field(_NODE, BYTES, cast)])


def _node(node: bytes) -> bytes:
    is_cast = any(number == _OP_TYPE and value == b"Cast" for number, _, value in fields(node))
    parts = []
    for number, kind, value in fields(node):
        if number == _OUTPUT and value == b"logit":
            value = b"logit.float16"
        elif is_cast and number == _ATTRIBUTE and isinstance(value, bytes):
            value = b"".join(
                field(inner, wire, _HALF if inner == 3 and content == _FLOAT else content)
                for inner, wire, content in fields(value)
            )
        parts.append(field(number, kind, value))
    return b"".join(parts)


def _tensor(tensor: bytes) -> bytes:
    if not any(number == _DATA_TYPE and value == _FLOAT for number, _, value in fields(tensor)):
        return tensor
    content = b"".join(
        value if isinstance(value, bytes) else b""
        for number, _, value in fields(tensor)
        if number in (_FLOAT_DATA, _RAW_DATA)
    )
    with np.errstate(over="ignore"):
        half = np.frombuffer(content, "<f4").astype("<f2").tobytes()
    kept = [
        field(number, kind, _HALF if number == _DATA_TYPE else value)
        for number, kind, value in fields(tensor)
        if number not in (_FLOAT_DATA, _RAW_DATA)
    ]
    return b"".join([*kept, field(_RAW_DATA, BYTES, half)])


def _value_info(info: bytes) -> bytes:
    return _element_type(info, depth=2)  # ValueInfoProto.type -> TypeProto.tensor_type -> Tensor.elem_type


def _element_type(message: bytes, depth: int) -> bytes:
    parts = []
    for number, kind, value in fields(message):
        if depth and number == depth and isinstance(value, bytes):  # type is field 2, tensor_type field 1
            value = _element_type(value, depth - 1)
        elif not depth and number == 1 and value == _FLOAT:
            value = _HALF
        parts.append(field(number, kind, value))
    return b"".join(parts)
