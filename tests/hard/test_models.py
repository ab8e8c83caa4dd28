"""Hostile model files: refused in one line, and nothing outside the file is read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from saresnet_cli import load_model
from saresnet_cli.errors import ModelError, SaresnetError
from saresnet_cli.protobuf import BYTES, field
from saresnet_cli.runtime import Runtime

Command = Callable[..., subprocess.CompletedProcess[str]]
ENGINES = ["onnxruntime", "openvino"]


def hostile(model: Path, path: Path, change: Callable[[onnx.ModelProto], Any]) -> Path:
    proto = onnx.load(str(model))
    change(proto)
    path.write_bytes(proto.SerializeToString())
    return path


def refused(path: Path, engine: str) -> str:
    if engine == "openvino":
        pytest.importorskip("openvino")
    windows = np.full((3, 101), 65, np.uint8)
    runtime = Runtime(engine, device="cpu", threads=1)
    with pytest.raises(SaresnetError) as caught, runtime.open([load_model(path)]) as scorer:
        scorer.logits(windows)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def outside(tensor: onnx.TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "1616")):
        tensor.external_data.add(key=key, value=value)


@pytest.mark.parametrize("location", ["/etc/passwd", "../../secret", "weights.bin"])
@pytest.mark.parametrize("where", ["initializer", "attribute", "subgraph"])
def test_weights_in_other_files_are_not_read(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path, location: str, where: str
) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(1616))

    def change(proto: onnx.ModelProto) -> None:
        tensor = next(t for t in proto.graph.initializer if t.name == "weights")
        if where == "initializer":
            outside(tensor, location)
            return
        held = onnx.TensorProto()
        held.CopyFrom(tensor)
        outside(held, location)
        node = helper.make_node("Constant", [], ["other"], value=held)
        if where == "subgraph":
            graph = helper.make_graph([node], "inner", [], [])
            node = helper.make_node("If", ["one"], ["other"], then_branch=graph, else_branch=graph)
        proto.graph.node.insert(0, node)

    path = hostile(model, tmp_path / "bad.onnx", change)
    done = saresnet("scan", genome, "--model", path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("bad.onnx: keeps weights in another file; save it as one file")
    assert done.stdout == ""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dims", [[1 << 40], [1 << 31, 1 << 31], [-1, 4], [1, 4, 1 << 33]])
def test_an_initialiser_that_says_it_is_huge(model: Path, tmp_path: Path, engine: str, dims: list[int]) -> None:
    def change(proto: onnx.ModelProto) -> None:
        tensor = next(t for t in proto.graph.initializer if t.name == "weights")
        del tensor.dims[:]
        tensor.dims.extend(dims)

    refused(hostile(model, tmp_path / "bad.onnx", change), engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "change",
    [
        lambda proto: setattr(proto.graph.input[0], "name", "other"),
        lambda proto: setattr(proto.graph.input[0].type.tensor_type, "elem_type", TensorProto.FLOAT),
        lambda proto: (
            proto.graph.input[0].type.tensor_type.shape.dim[1].CopyFrom(onnx.TensorShapeProto.Dimension(dim_value=102))
        ),
        lambda proto: setattr(proto.graph.output[0], "name", "probability"),
        lambda proto: proto.graph.output.pop(),
        lambda proto: proto.graph.input.pop(),
        lambda proto: proto.ClearField("graph"),
        lambda proto: setattr(proto.graph.node[0], "domain", "com.example"),
    ],
)
def test_other_inputs_outputs_and_operators(
    model: Path, tmp_path: Path, engine: str, change: Callable[[onnx.ModelProto], Any]
) -> None:
    refused(hostile(model, tmp_path / "bad.onnx", change), engine)


GENOMIC = {"windows": 10, "tail": [1.0, 0.1], "logit": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ({"id": "A\nchr1\t0"}, "control characters in id"),
        ({"id": "A\x1b[31m"}, "control characters in id"),
        ({"id": ""}, "no id"),
        ({"id": ["A"]}, "id is list"),
        ({"tf": None}, "tf is NoneType"),
        ({"window": "101"}, "window is str"),
        ({"window": 99}, "window 99"),
        ({"strands": "none"}, "strands 'none'"),
        ({"threshold": "high"}, "threshold is str"),
        ({"threshold": float("nan")}, "threshold nan"),
        ({"train": [1]}, "train is list"),
        ({"background": [1]}, "can't be read"),
        ({"background": {"genomic": {**GENOMIC, "tail": [1.0]}}}, "background genomic has 10 windows, 1 shares"),
        ({"background": {"genomic": {**GENOMIC, "tail": [], "logit": []}}}, "0 shares, 0 logits"),
        ({"background": {"genomic": {**GENOMIC, "windows": 0}}}, "has 0 windows"),
        ({"background": {"genomic": {**GENOMIC, "windows": 1e999}}}, "can't be read"),
        ({"background": {"genomic": {**GENOMIC, "tail": [0.1, 1.0]}}}, "do not descend"),
        ({"background": {"genomic": {**GENOMIC, "tail": [1.0, 0.0]}}}, "do not descend"),
        ({"background": {"genomic": {**GENOMIC, "tail": [1.0, float("nan")]}}}, "do not descend"),
        ({"background": {"genomic": {**GENOMIC, "logit": [1.0, 0.0]}}}, "do not ascend"),
        ({"background": {"genomic": {**GENOMIC, "logit": [0.0, float("inf")]}}}, "do not ascend"),
    ],
)
def test_a_card_that_lies(model: Path, tmp_path: Path, lie: dict[str, Any], message: str) -> None:
    def change(proto: onnx.ModelProto) -> None:
        card = json.loads(proto.metadata_props[0].value)
        proto.metadata_props[0].value = json.dumps({**card, **lie})

    with pytest.raises(ModelError, match=message) as caught:
        load_model(hostile(model, tmp_path / "bad.onnx", change))
    assert "bad.onnx: " in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "null", "[]", '{"id": 1' + "0" * 5000 + "}", "\ud800"])
def test_a_card_that_is_none(model: Path, tmp_path: Path, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")

    def change(proto: onnx.ModelProto) -> None:
        proto.metadata_props[0].value = "X" * len(data)

    path = hostile(model, tmp_path / "bad.onnx", change)
    path.write_bytes(path.read_bytes().replace(b"X" * len(data), data))
    with pytest.raises(ModelError, match="its model card can't be read"):
        load_model(path)


def test_deep_nesting_is_no_model(model: Path, tmp_path: Path) -> None:
    graph = b"location"
    for _ in range(1000):
        graph = field(1, BYTES, field(5, BYTES, field(6, BYTES, graph)))
    path = tmp_path / "bad.onnx"
    path.write_bytes(model.read_bytes() + field(7, BYTES, graph))
    with pytest.raises(ModelError, match="is not a whole ONNX file"):
        load_model(path)
