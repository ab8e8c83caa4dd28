"""ONNX nodes, written by hand: each call adds one to a graph and returns the name of its output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Affine:
    """A batch norm in evaluation mode: x * scale + shift a channel; both (channels,) float64."""

    scale: np.ndarray
    shift: np.ndarray


class Nodes:
    """The nodes and constants of a graph, in order.

    weights: "float32", or "float16" to store weight tensors in half the bytes.
    A node and its output have one name.
    """

    def __init__(self, weights: str = "float32") -> None:
        if weights not in ("float16", "float32"):
            raise ValueError(f"weights {weights!r} are neither float16 nor float32")
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._named: set[str] = set()

    def add(self, kind: str, name: str, inputs: Iterable[str], **attributes: Any) -> str:
        """Add a node of one output, which is called like the node."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant of the type of `value`; one that has this name already is used again."""
        if name not in self._named:
            self._named.add(name)
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str, value: np.ndarray, scale: np.ndarray | None = None) -> str:
        """Add a weight tensor, times `scale` along its first axis, as float32.

        In float16 the tensor is stored as it is and widened and scaled by nodes,
        which runtimes compute once, when they load the file. So the rounding is
        that of the network's own weights, whatever is folded into them.
        """
        column = None if scale is None else np.reshape(scale, (-1,) + (1,) * (value.ndim - 1))
        if self.weights == "float32":
            return self.constant(name, (value if column is None else value * column).astype(np.float32))
        stored = self.constant(f"{name}.float16", value.astype(np.float16))
        wide = self.add("Cast", name if column is None else f"{name}.float32", [stored], to=TensorProto.FLOAT)
        if column is None:
            return wide
        return self.add("Mul", name, [wide, self.constant(f"{name}.scale", column.astype(np.float32))])

    def conv(
        self,
        name: str,
        x: str,
        weight: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        scale: np.ndarray | None = None,
        stride: int = 1,
    ) -> str:
        """Add a 1 x k convolution that keeps the length but for its stride.

        weight: (out, in, 1, k), multiplied by `scale` (out,); bias: (out,), as it is.
        """
        width = weight.shape[3]
        inputs = [x, self.weight(f"{name}.weight", weight, scale)]
        if bias is not None:
            inputs.append(self.constant(f"{name}.bias", bias.astype(np.float32)))
        pads = [0, width // 2, 0, width // 2]
        return self.add("Conv", name, inputs, kernel_shape=[1, width], strides=[1, stride], pads=pads)

    def norm(self, name: str, x: str, affine: Affine) -> str:
        """Add a batch norm in evaluation mode.

        One BatchNormalization node, because onnxruntime computes it between its
        blocked convolutions without a change of layout; a Mul and an Add cost twice that.
        """
        channels = len(affine.scale)
        scale = self.constant(f"{name}.scale", affine.scale.astype(np.float32))
        shift = self.constant(f"{name}.shift", affine.shift.astype(np.float32))
        mean = self.constant(f"zeros.{channels}", np.zeros(channels, np.float32))
        variance = self.constant(f"ones.{channels}", np.ones(channels, np.float32))
        return self.add("BatchNormalization", name, [x, scale, shift, mean, variance], epsilon=0.0)

    def elu(self, name: str, x: str) -> str:
        """Add ELU with alpha 1: max(x, 0) - (1 - min(exp(x), 1)).

        onnxruntime's Elu takes about three times as long as these four nodes, and
        a Min or an Add with a scalar as long as two of them. HardSigmoid with
        slope -1 and offset 1 is clip(1 - v, 0, 1), here of v = exp(x) >= 0. An
        engine with a fast Elu can put it back: the last node is called `NAME/elu`,
        and x is what the node `NAME/exp` reads.
        """
        zero = self.constant("zero", np.array(0, np.float32))
        positive = self.add("Clip", f"{name}/positive", [x, zero])
        exp = self.add("Exp", f"{name}/exp", [x])
        negative = self.add("HardSigmoid", f"{name}/negative", [exp], alpha=-1.0, beta=1.0)
        return self.add("Sub", f"{name}/elu", [positive, negative])

    def reshape(self, name: str, x: str, shape: tuple[int, ...]) -> str:
        """Add a Reshape; 0 keeps an axis, -1 is what is left."""
        return self.add("Reshape", name, [x, self.constant(f"{name}.shape", np.array(shape, np.int64))])
