"""Adapters: a model as its difference from the global one, in a fifteenth of the bytes.

A network that was fine-tuned by low-rank matrices (Hu et al. 2022, "LoRA") has
the weights W + U V, where W is the global model's. An adapter holds U and V in 4.4
bits, what else differs (norms, biases, dense layers), and the model card.
`unpack` gives back the complete ONNX file, the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import METADATA_KEY
from saresnet_cli.errors import ModelError
from saresnet_cli.protobuf import BYTES, field, fields

GLOBAL = "global"
"""Id of the model that adapters are made for."""

MAGIC = b"saresnet-adapter-1\n"
LARGEST = 10
"""Largest value of a factor: so rounded, a logit changes by 0.2 and the AUROC by 0.0005; 127 would take 1.6 times the
bytes."""

_GRAPH, _METADATA = 7, 14  # fields of ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_INITIALIZER = 5  # field of GraphProto
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9  # fields of TensorProto
_FLOAT, _FLOAT16 = 1, 10  # TensorProto.DataType
_DTYPES = {_FLOAT: "<f4", _FLOAT16: "<f2"}
_CURE = "install saresnet again"
_MOST = 1 << 26  # bytes of a stream, beyond which it is not believed
_STORED = ".weight.float16"
"""Behind the name of a convolution: its weights in a model file."""

# how a tensor is told: as the base's; by factors; by its values, which float16 holds or doesn't
_SAME, _FACTORS, _HALF, _WHOLE = "=fhw"


@dataclass(frozen=True)
class Factors:
    """What is added to a weight tensor: sum over r of scale[r] * left[:, r] * right[r].

    left: (out, rank) int8; right: (rank, inputs) int8, inputs = in * width; scale: (rank,) float32.
    """

    left: np.ndarray
    right: np.ndarray
    scale: np.ndarray

    def added_to(self, weight: np.ndarray) -> np.ndarray:
        """Return weight + left @ right, (out, ...) float16 -> the same shape and type.

        One operation at a time, each of which IEEE 754 defines to the last bit; a matrix product would not be.
        """
        total = weight.astype(np.float32).reshape(len(self.left), -1)
        left, right = self.left.astype(np.float32), self.right.astype(np.float32)
        for r, scale in enumerate(self.scale):
            total = total + (left[:, r : r + 1] * right[r]) * scale
        return total.astype(np.float16).reshape(weight.shape)


@dataclass(frozen=True)
class _Tensor:
    """A constant of a model file; raw: its values as bytes, little-endian."""

    name: str
    type: int
    shape: tuple[int, ...]
    raw: bytes

    def values(self) -> np.ndarray:
        return np.frombuffer(self.raw, _DTYPES[self.type]).reshape(self.shape)


class _Streams:
    """The values of an adapter, by their type; those of one type are compressed together.

    factors: int8; halves: float16; wholes: float32. Read from the front.
    """

    TYPES = ("i1", "<f2", "<f4")

    def __init__(self, values: Sequence[np.ndarray] = ()) -> None:
        first = values or [np.empty(0, kind) for kind in self.TYPES]
        self._parts = {kind: [part] for kind, part in zip(self.TYPES, first, strict=True)}
        self._at = dict.fromkeys(self.TYPES, 0)

    def add(self, kind: str, values: np.ndarray) -> None:
        """Put values behind the others of their type."""
        self._parts[kind].append(values.astype(kind).ravel())

    def take(self, kind: str, count: int) -> np.ndarray:
        """Return the next values of a type; raises ValueError when there are fewer."""
        at = self._at[kind]
        self._at[kind] += count
        (values,) = self._parts[kind]
        if self._at[kind] > len(values):
            raise ValueError("cut short")
        return values[at : at + count]

    @property
    def ended(self) -> bool:
        """Whether all values were taken."""
        return all(self._at[kind] == len(values) for kind, (values,) in self._parts.items())

    def to_bytes(self) -> bytes:
        """Return all values, compressed: first bytes with first bytes and so on, whose statistics differ."""
        packed = b""
        for kind, parts in self._parts.items():
            rows = np.concatenate(parts).view(np.uint8).reshape(-1, np.dtype(kind).itemsize)
            # noise has no repeats, and to look for them costs a tenth of the room
            coder = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
            packed += coder.compress(rows.T.tobytes()) + coder.flush()
        return packed

    @classmethod
    def read(cls, packed: bytes) -> _Streams:
        """Read what `to_bytes` wrote; raises ValueError or zlib.error when it is something else."""
        values = []
        for kind in cls.TYPES:
            content, packed = _inflate(packed)
            rows = np.frombuffer(content, np.uint8).reshape(np.dtype(kind).itemsize, -1)
            values.append(np.ascontiguousarray(rows.T).view(kind).ravel())
        if packed:
            raise ValueError("more than there should be")
        return cls(values)


def _inflate(packed: bytes) -> tuple[bytes, bytes]:
    """Return the content of a zlib stream (RFC 1950) and the bytes behind it."""
    reader = zlib.decompressobj()
    content = reader.decompress(packed, _MOST)
    if not reader.eof:
        raise ValueError("cut short")
    return content, reader.unused_data


def pack(model: bytes, base: bytes, factors: dict[str, Factors]) -> bytes:
    """Return the adapter that makes a model file from that of the global model.

    model, base: ONNX files of the same network, weights in float16; factors: what was added to the convolutions of
    the base, of one rank, by their names in the network. Raises ValueError when the file can't be made so.
    """
    kinds, streams = "", _Streams()
    for new, old in zip(_tensors(model), _tensors(base), strict=True):
        if (new.name, new.type, new.shape) != (old.name, old.type, old.shape):
            raise ValueError(f"{new.name} is not the base's {old.name}")
        added = factors.get(new.name.removesuffix(_STORED)) if new.name.endswith(_STORED) else None
        if new.raw == old.raw:
            kinds += _SAME
        elif added is not None:
            kinds += _FACTORS
            streams.add("i1", added.left)
            streams.add("i1", added.right)
            streams.add("<f4", added.scale)
        elif new.type in _DTYPES and _is_half(new.values()):
            kinds += _HALF
            streams.add("<f2", new.values())
        elif new.type == _FLOAT:
            kinds += _WHOLE
            streams.add("<f4", new.values())
        else:
            raise ValueError(f"{new.name} holds no floating-point numbers")
    (rank,) = {len(added.scale) for added in factors.values()}
    head = {"base": hashlib.sha256(base).hexdigest(), "rank": rank, "kinds": kinds, "card": _card(model)}
    packed = MAGIC + zlib.compress(json.dumps(head).encode(), 9) + streams.to_bytes()
    if unpack(packed, base) != model:
        raise ValueError("the model differs from the base by more than its factors")
    return packed


def unpack(packed: bytes, base: bytes, path: Path | None = None) -> bytes:
    """Return the complete ONNX file of an adapter.

    packed: the adapter's bytes; base: the global model's file; path: named in errors. Raises ModelError when it is no
    adapter, cut short, or made for another base.
    """
    try:
        if not packed.startswith(MAGIC):
            raise ValueError("no adapter")
        line, rest = _inflate(packed[len(MAGIC) :])
        head = json.loads(line)
        if head["base"] != hashlib.sha256(base).hexdigest():
            raise ModelError("was made for another global model", path=path, cure=_CURE)
        return _rebuilt(base, head["kinds"], head["rank"], _Streams.read(rest), head["card"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise ModelError(f"is not a whole adapter ({error})", path=path, cure=_CURE) from error


def _rebuilt(base: bytes, kinds: str, rank: int, streams: _Streams, card: str) -> bytes:
    """Return the base with the tensors and the card of an adapter in place of its own."""
    written, told = [], 0
    for number, kind, value in fields(base):
        if number == _GRAPH and isinstance(value, bytes):
            inner = []
            for n, k, v in fields(value):
                if n == _INITIALIZER and isinstance(v, bytes):
                    v = _changed(v, kinds[told], rank, streams)
                    told += 1
                inner.append(field(n, k, v))
            value = b"".join(inner)
        elif number == _METADATA and isinstance(value, bytes) and _entry(value)[0] == METADATA_KEY:
            value = field(1, BYTES, METADATA_KEY.encode()) + field(2, BYTES, card.encode())
        written.append(field(number, kind, value))
    if told < len(kinds) or not streams.ended:
        raise ValueError("more than there should be")
    return b"".join(written)


def _changed(message: bytes, kind: str, rank: int, streams: _Streams) -> bytes:
    """Return a TensorProto of the base with the values of the model."""
    if kind == _SAME:
        return message
    old = _tensor(message)
    out, count = old.shape[0], int(np.prod(old.shape))
    if kind == _FACTORS:
        left = streams.take("i1", out * rank).reshape(out, rank)
        right = streams.take("i1", rank * (count // out)).reshape(rank, -1)
        new = Factors(left, right, streams.take("<f4", rank)).added_to(old.values())
    elif kind == _HALF:
        new = streams.take("<f2", count)
    elif kind == _WHOLE:
        new = streams.take("<f4", count)
    else:
        raise ValueError(f"{kind!r} is no kind of tensor")
    raw = new.astype(_DTYPES[old.type]).tobytes()
    return b"".join(field(n, k, raw if n == _RAW else v) for n, k, v in fields(message))


def _is_half(values: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        return np.array_equal(values, values.astype("<f2"))


def _tensors(model: bytes) -> Iterator[_Tensor]:
    for number, _, graph in fields(model):
        if number == _GRAPH and isinstance(graph, bytes):
            for inner, _, value in fields(graph):
                if inner == _INITIALIZER and isinstance(value, bytes):
                    yield _tensor(value)


def _tensor(message: bytes) -> _Tensor:
    shape: list[int] = []
    values: dict[int, int | bytes] = {}
    for number, _, value in fields(message):
        if number == _DIMS and isinstance(value, int):
            shape.append(value)
        values[number] = value
    name, raw, type_ = values[_NAME], values[_RAW], values[_TYPE]
    if not isinstance(name, bytes) or not isinstance(raw, bytes) or not isinstance(type_, int):
        raise ValueError("no tensor")
    return _Tensor(name.decode(), type_, tuple(shape), raw)


def _entry(message: bytes) -> tuple[str, str]:
    values = {number: value.decode() for number, _, value in fields(message) if isinstance(value, bytes)}
    return values.get(1, ""), values.get(2, "")


def _card(model: bytes) -> str:
    entries = dict(
        _entry(value) for number, _, value in fields(model) if number == _METADATA and isinstance(value, bytes)
    )
    return entries[METADATA_KEY]
