"""Rewrites the graph of a model file for OpenVINO, which computes other forms fast than onnxruntime does.

The rewrites find nodes by the names that export gives them (`saresnet_export.graph`); a graph without these
names stays as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def rewrite(graph: Any, batch_size: int) -> None:
    """Put a graph into the form that OpenVINO computes fastest; the numbers stay the same up to rounding.

    graph: an `openvino.Model` with the input (batch, 101), whose batch becomes `batch_size`. With a batch of
    any size, OpenVINO would change the layout of every tensor before and after each convolution.
    """
    restore_elu(graph)
    graph.reshape([batch_size, *(dimension.get_length() for dimension in list(graph.input(0).partial_shape)[1:])])
    attend_by_rows(graph)
    norm_by_depthwise(graph)
    graph.validate_nodes_and_infer_types()


def restore_elu(graph: Any) -> None:
    """Put Elu back where export wrote it as four nodes, which only onnxruntime computes faster.

    The last of the four is called `NAME/elu`, and `NAME/exp` reads its input.
    """
    from openvino import opset13

    named = {node.get_friendly_name(): node for node in graph.get_ops()}
    for name, node in named.items():
        exp = named.get(f"{name.removesuffix('/elu')}/exp")
        if name.endswith("/elu") and exp is not None:
            elu = opset13.elu(exp.input_value(0), 1.0)
            elu.set_friendly_name(name)
            node.output(0).replace(elu.output(0))


def attend_by_rows(graph: Any) -> None:
    """Write the attention's products with channels last, as its convolutions leave them, so that nothing is turned.

    (B, 32, 1, L) becomes (B, 1, L, 32); the softmax over j then runs along the rows of q p^T.
    """
    from openvino import opset13

    named = {node.get_friendly_name(): node for node in graph.get_ops()}
    for softmax in [name for name in named if name.startswith("attentions.") and name.endswith(".softmax")]:
        name = softmax.removesuffix(".softmax")
        p, q, h = (
            opset13.transpose(named[f"{name}.{part}.rows"].input_value(0), np.array([0, 2, 3, 1])) for part in "pqh"
        )
        weights = opset13.softmax(opset13.matmul(q, p, False, True), 2)  # (B, 1, L of j, L of i)
        y = opset13.matmul(weights, h, True, False)  # (B, 1, L, 32)
        named[f"{name}.y"].output(0).replace(opset13.transpose(y, np.array([0, 3, 1, 2])).output(0))


def norm_by_depthwise(graph: Any) -> None:
    """Write norms as depthwise 1 x 1 convolutions, into which OpenVINO fuses the ELU that follows."""
    from openvino import opset13

    for node in graph.get_ordered_ops():
        if node.get_type_name() == "BatchNormInference":  # export gives it mean 0, variance 1, epsilon 0
            scale, shift = (node.input_value(place).get_node().get_data() for place in (1, 2))
            kernel = opset13.constant(scale.reshape(-1, 1, 1, 1, 1))
            product = opset13.group_convolution(node.input_value(0), kernel, [1, 1], [0, 0], [0, 0], [1, 1])
            shifted = opset13.add(product, opset13.constant(shift.reshape(1, -1, 1, 1)))
            node.output(0).replace(shifted.output(0))
