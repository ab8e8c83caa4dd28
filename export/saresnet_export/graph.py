"""The graph of a model file: ASCII windows in, strand-symmetric logits out.

It is the network of `saresnet_train.network` in evaluation mode, written node
by node so that runtimes compute it fast:
- convolutions, pool and norms are 1 x k in two dimensions, which onnxruntime
  computes in its blocked layout;
- both strands go through in one pass, side by side along the batch axis;
- the pool of the stem comes before its ELU, which is monotone, so half as many
  values are exponentiated;
- batch norms after a convolution, 1/N and theta of the attention, and the
  difference of the two logits are folded into weights, which is exact. The norm
  of y in the attention can move in front of the softmax-weighted mean because
  the softmax sums to 1. Norms before an ELU and a padded convolution stay.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from saresnet_cli.card import WINDOW
from saresnet_export.nodes import Affine, Nodes
from saresnet_train.network import SAResNet

OPSET = 17
IR_VERSION = 8
"""Of opset 17; onnxruntime reads both since 1.12."""

INPUT, OUTPUT = "sequence", "logit"


def build_model(network: SAResNet, *, strands: str = "both", weights: str = "float32") -> onnx.ModelProto:
    """Write a network as an ONNX model, without a card.

    strands: "both" (mean over the window and its reverse complement) or
    "forward". weights: how weight tensors are stored, "float32" or "float16".
    The model maps `sequence`, (batch, 101) uint8 ASCII, to `logit`, (batch,)
    float32. Raises ValueError on other words.
    """
    if strands not in ("both", "forward"):
        raise ValueError(f"strands {strands!r} are neither both nor forward")
    writer = _Writer(network, Nodes(weights), strands)
    writer.write()
    sequence = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", WINDOW])
    logit = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch"])
    graph = helper.make_graph(
        writer.nodes.nodes, "saresnet", [sequence], [logit], writer.nodes.constants, value_info=[writer.one_hot_info]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "saresnet"
    onnx.checker.check_model(model, full_check=True)
    return model


class _Writer:
    """Writes one network; x is the name of the tensor that a method reads, and what it returns the one it makes."""

    def __init__(self, network: SAResNet, nodes: Nodes, strands: str) -> None:
        self.network = network
        self.config = network.config
        self.nodes = nodes
        self.both = strands == "both"
        self.state = {name: value.detach().cpu().double().numpy() for name, value in network.state_dict().items()}
        # The batch of both strands has a name, or onnxruntime could not tell that two
        # tensors have the same shape and would not fuse an Add into the convolution before it.
        batch = "strands" if self.both else "batch"
        self.one_hot_info = helper.make_tensor_value_info("one_hot", TensorProto.FLOAT, [batch, 4, 1, WINDOW])

    def write(self) -> None:
        """Write all nodes from `sequence` to `logit`."""
        x = self.stem(self.encode(INPUT))  # (B, C, 1, 50)
        length = (WINDOW - 3) // 2 + 1
        for number, count in enumerate(self.config.blocks):
            if f"attentions.{number}.theta" in self.state:
                x = self.attention(f"attentions.{number}", x, length)  # (B, C, 1, L)
            for place in range(count):
                stride = 2 if number and place == 0 else 1
                x = self.block(f"stages.{number}.{place}", x, stride)  # (B, C, 1, ceil(L / stride))
                length = -(-length // stride)
        self.head(x)

    def encode(self, x: str) -> str:
        """One-hot columns of both strands: (batch, 101) uint8 -> (B, 4, 1, 101), B = 2 batch, or batch."""
        nodes = self.nodes
        table = np.zeros((512, 4), np.float32)  # rows of a letter, then of its complement; other letters stay zero
        for row, letter in enumerate("ACGT"):
            for case in (letter, letter.lower()):
                table[ord(case), row] = 1
                table[256 + ord(case), 3 - row] = 1
        codes = nodes.add("Cast", "codes", [x], to=TensorProto.INT32)
        if self.both:
            backwards = [
                nodes.constant(f"reverse.{key}", np.array([value], np.int64))
                for key, value in (("start", -1), ("end", -WINDOW - 1), ("axis", 1), ("step", -1))
            ]
            reverse = nodes.add("Slice", "reverse", [codes, *backwards])
            other = nodes.add("Add", "other_strand", [reverse, nodes.constant("256", np.array([256], np.int32))])
            codes = nodes.add("Concat", "both_strands", [codes, other], axis=0)
        letters = nodes.constant("letters", table if self.both else table[:256])
        columns = nodes.add("Transpose", "columns", [nodes.add("Gather", "rows", [letters, codes])], perm=[0, 2, 1])
        return nodes.add("Unsqueeze", "one_hot", [columns, nodes.constant("height", np.array([2], np.int64))])

    def stem(self, x: str) -> str:
        """Convolution, pool, ELU: (B, 4, 1, 101) -> (B, C, 1, 50)."""
        x = self.nodes.conv("stem", x, self.state["stem.weight"], self.state["stem.bias"])
        x = self.nodes.add("MaxPool", "stem.pool", [x], kernel_shape=[1, 3], strides=[1, 2])
        return self.nodes.elu("stem", x)

    def attention(self, name: str, x: str, length: int) -> str:
        """Self-attention (eq. 5-7): (B, C, 1, L) -> the same shape."""
        nodes, state, inner = self.nodes, self.state, self.config.attention_channels
        f = nodes.elu(f"{name}.norm", nodes.norm(f"{name}.norm", x, self.affine(f"{name}.norm")))
        y_norm = self.affine(f"{name}.norm_y")
        mean = y_norm.scale / length  # 1/N of eq. 5
        projected = []
        for part, scale, shift in (("p", None, 0.0), ("q", None, 0.0), ("h", mean, y_norm.shift)):
            bias = state[f"{name}.{part}.bias"] * (1.0 if scale is None else scale) + shift
            conv = nodes.conv(f"{name}.{part}", f, state[f"{name}.{part}.weight"], bias, scale=scale)
            projected.append(nodes.reshape(f"{name}.{part}.rows", conv, (0, inner, length)))  # (B, 32, L)
        p, q, h = projected
        # Transposes before a MatMul are fused into it.
        product = nodes.add("MatMul", f"{name}.pq", [nodes.add("Transpose", f"{name}.pt", [p], perm=[0, 2, 1]), q])
        softmax = nodes.add("Softmax", f"{name}.softmax", [product], axis=2)  # (B, L, L), row i over j
        turned = nodes.add("Transpose", f"{name}.softmax_t", [softmax], perm=[0, 2, 1])
        y = nodes.reshape(f"{name}.y", nodes.add("MatMul", f"{name}.hs", [h, turned]), (0, inner, 1, length))
        theta = state[f"{name}.theta"]
        scale = np.repeat(theta, self.config.channels)
        u = nodes.conv(
            f"{name}.u",
            nodes.elu(f"{name}.norm_y", y),
            state[f"{name}.u.weight"],
            state[f"{name}.u.bias"] * theta,
            scale=scale,
        )
        return nodes.add("Add", f"{name}.sum", [u, x])

    def block(self, name: str, x: str, stride: int) -> str:
        """Pre-activation residual block (eq. 8): (B, C, 1, L) -> (B, C, 1, ceil(L / stride))."""
        nodes, state = self.nodes, self.state
        y = nodes.elu(f"{name}.norm1", nodes.norm(f"{name}.norm1", x, self.affine(f"{name}.norm1")))
        norm2 = self.affine(f"{name}.norm2")
        y = nodes.conv(f"{name}.conv1", y, state[f"{name}.conv1.weight"], norm2.shift, scale=norm2.scale, stride=stride)
        y = nodes.conv(f"{name}.conv2", nodes.elu(f"{name}.norm2", y), state[f"{name}.conv2.weight"])
        if f"{name}.shortcut.weight" in state:
            x = nodes.conv(f"{name}.shortcut", x, state[f"{name}.shortcut.weight"], stride=stride)
        return nodes.add("Add", f"{name}.sum", [y, x])

    def head(self, x: str) -> None:
        """Mean over positions, dense layers, mean over strands: (B, C, 1, 7) -> (batch,)."""
        nodes, state = self.nodes, self.state
        x = nodes.add("Flatten", "pooled", [nodes.add("GlobalAveragePool", "pool", [x])], axis=1)  # (B, C)
        dense = [nodes.weight("dense.weight", state["dense.weight"])]
        dense.append(nodes.constant("dense.bias", state["dense.bias"].astype(np.float32)))
        x = nodes.elu("dense", nodes.add("Gemm", "dense", [x, *dense], transB=1))  # (B, 32)
        # z[1] - z[0], of weights that are rounded before they are subtracted
        weight = state["out.weight"].astype(nodes.weights).astype(np.float64)
        out = [
            nodes.constant("out.weight", (weight[1:] - weight[:1]).astype(np.float32)),
            nodes.constant("out.bias", (state["out.bias"][1:] - state["out.bias"][:1]).astype(np.float32)),
        ]
        x = nodes.add("Gemm", "out", [x, *out], transB=1)  # (B, 1)
        if self.both:
            nodes.add("ReduceMean", OUTPUT, [nodes.reshape("logits", x, (2, -1))], axes=[0], keepdims=0)
        else:
            nodes.reshape(OUTPUT, x, (-1,))

    def affine(self, name: str) -> Affine:
        """Return a batch norm's running statistics and weights as scale and shift."""
        state, epsilon = self.state, self.network.get_submodule(name).eps
        scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + epsilon)
        return Affine(scale, state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale)
