"""A model small enough to check by hand, a small genome, and the command as a process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from saresnet_cli.card import METADATA_KEY, Background, Card

# The toy's logit is a sum of one weight per position and base, so a window that is off by one base scores differently.
WEIGHTS = np.random.default_rng(7).normal(0, 0.25, (101, 4)).astype(np.float32)


def expected_logit(window: str) -> float:
    """Score a window without the package."""
    return float(sum(WEIGHTS[i, "ACGT".index(base)] for i, base in enumerate(window.upper()) if base in "ACGT"))


def make_card(id: str = "TOY_CELL", background: bool = True) -> Card:
    tf, _, cell = id.partition("_")
    normal = np.random.default_rng(1).normal(0, 2.5, 20_000)
    return Card(id, tf, cell, background={"shuffled": Background.measure(normal, "made up")} if background else {})


def make_model(path: Path, card: Card | None, input_name: str = "sequence", width: int = 101) -> Path:
    """Write the toy as ONNX; without a card if there is none."""
    constants = {
        "letters": np.frombuffer(b"ACGT", np.uint8).astype(np.int32).reshape(1, 4, 1),
        "case": np.array(0xDF, np.uint8),
        "one": np.array([1], np.int64),
        "weights": np.ascontiguousarray(np.resize(WEIGHTS, (width, 4)).T)[None],
        "axes": np.array([1, 2], np.int64),
    }
    nodes = [
        helper.make_node("BitwiseAnd", [input_name, "case"], ["upper"]),
        helper.make_node("Cast", ["upper"], ["number"], to=TensorProto.INT32),
        helper.make_node("Unsqueeze", ["number", "one"], ["row"]),
        helper.make_node("Equal", ["row", "letters"], ["equal"]),
        helper.make_node("Cast", ["equal"], ["onehot"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["onehot", "weights"], ["terms"]),
        helper.make_node("ReduceSum", ["terms", "axes"], ["logit"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(input_name, TensorProto.UINT8, ["batch", width])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if card is not None:
        helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def make_registry(folder: Path, ids: list[str]) -> Path:
    folder.mkdir()
    models = []
    for id in ids:
        card = make_card(id)
        data = make_model(folder / f"{id}.onnx", card).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entry = {"id": id, "tf": card.tf, "cell": card.cell, "file": f"{id}.onnx", "sha256": digest}
        models.append({**entry, "bytes": len(data), "licence": "MIT", "metrics": {"auroc": 0.9}})
    (folder / "registry.json").write_text(json.dumps({"format": 1, "models": models}))
    return folder


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """What makes toys."""
    return SimpleNamespace(card=make_card, model=make_model, registry=make_registry, logit=expected_logit)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy model as a file."""
    return make_model(tmp_path_factory.mktemp("model") / "toy.onnx", make_card())


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed toys."""
    ids = ["CTCF_GM12878", "CTCF_K562", "MAX_K562", "REST_H1-hESC"]
    return make_registry(tmp_path_factory.mktemp("registry") / "models", ids)


def random_bases(count: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), count))


def wrap(sequences: dict[str, str], width: int = 60, end: str = "\n") -> str:
    """Write sequences as FASTA text."""
    lines = []
    for name, bases in sequences.items():
        lines += [f">{name}", *(bases[i : i + width] for i in range(0, len(bases), width))]
    return end.join(lines) + end


@pytest.fixture(scope="session")
def sequences() -> dict[str, str]:
    """The genome's sequences: one with a run of N, one of just a window, one too short, one all N."""
    one = random_bases(3000, 1)
    return {
        "chr1": one[:1200] + "N" * 300 + one[1500:],
        "chr2": random_bases(101, 2),
        "tiny": random_bases(60, 3),
        "blank": "N" * 500,
        "chrM": random_bases(777, 4),
    }


@pytest.fixture
def genome(tmp_path: Path, sequences: dict[str, str]) -> Path:
    """The genome as a plain FASTA file without an index."""
    path = tmp_path / "genome.fa"
    path.write_text(wrap(sequences))
    return path


@pytest.fixture(scope="session")
def fasta() -> Callable[..., str]:
    """`wrap`, for tests with sequences of their own."""
    return wrap


@pytest.fixture
def saresnet(registry: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command as a process in the test's folder: `saresnet("scan", genome, ...)`."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SARESNET_MODELS": str(registry), **options.pop("env", {})}
        command = [sys.executable, "-W", "error", "-m", "saresnet_cli", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60, check=False, **options
        )

    return run
