"""The forms of the network that `graph_variants.py` measures: the files that a model can become, and how they run."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
import torch
from onnxruntime import quantization

from contestants.common import cores
from contestants.network import Network1d, network_of_model
from saresnet_cli.card import WINDOW
from saresnet_cli.engines.half import in_half_precision
from saresnet_cli.engines.openvino_graph import attend_by_rows, restore_elu, rewrite
from saresnet_cli.model import Model
from saresnet_export.graph import build_model
from saresnet_train.codes import encode, reverse_complement
from saresnet_train.network import one_hot

Run = Callable[[np.ndarray], np.ndarray]
DEFAULT = "onnxruntime"
BATCH = 64


@dataclass(frozen=True)
class Graphs:
    """The files that one model can become.

    calibration: of int8, (n, 101) uint8 ASCII; folder: for what has to pass through a file.
    """

    model: Model
    calibration: np.ndarray
    folder: Path

    @property
    def shipped(self) -> bytes:
        """The file as it is."""
        return self.model.data

    @cached_property
    def naive(self) -> bytes:
        """Torch's own export: (batch, 4, 101) float32, one strand, -> (batch, 2)."""
        network, shapes = Network1d(network_of_model(self.model)), ({0: torch.export.Dim("batch")},)
        program = torch.onnx.export(network, (torch.zeros(2, 4, WINDOW),), dynamic_shapes=shapes, verbose=False)
        return program.model_proto.SerializeToString()  # type: ignore[union-attr]

    @cached_property
    def elu(self) -> bytes:
        """The file with Elu as one node instead of four."""
        model = onnx.load_from_string(self.shipped)
        source = {node.name: node.input[0] for node in model.graph.node if node.name.endswith("/exp")}
        nodes = [node for node in model.graph.node if not node.name.endswith(("/positive", "/exp", "/negative"))]
        for node in nodes:
            if node.name.endswith("/elu"):
                node.op_type, node.input[:] = "Elu", [source[node.name.removesuffix("elu") + "exp"]]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        return model.SerializeToString()

    @cached_property
    def optimised(self) -> bytes:
        """What onnxruntime makes of the file, for this processor."""
        options = _options()
        options.optimized_model_filepath = str(self.folder / "optimised.onnx")
        onnxruntime.InferenceSession(self.shipped, options, providers=["CPUExecutionProvider"])
        return (self.folder / "optimised.onnx").read_bytes()

    def int8(self, **extra: Any) -> bytes:
        """Return the file with convolutions in int8, weights by channel; extra: options of onnxruntime's quantizer."""
        batches = iter([{"sequence": part} for part in in_batches(self.calibration, BATCH)])

        class Reader(quantization.CalibrationDataReader):
            def get_next(self) -> dict[str, np.ndarray] | None:
                return next(batches, None)

        quantization.quantize_static(
            build_model(network_of_model(self.model), weights="float32"),
            str(self.folder / "int8.onnx"),
            Reader(),
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            extra_options=extra,
        )
        return (self.folder / "int8.onnx").read_bytes()


@dataclass(frozen=True)
class Form:
    """A way to compute: `open` returns what scores a batch of `batch` windows, which `workers` threads call."""

    name: str
    open: Callable[[Graphs], Run]
    batch: int = BATCH
    workers: int = cores()
    rounds: bool = False


def forms(also: dict[str, Path]) -> Iterator[Form]:
    """List the forms, the default first; also: more files to run in onnxruntime, by name."""
    ort, ov = open_onnxruntime, open_openvino
    yield Form(DEFAULT, lambda g: ort(g.shipped))
    yield Form("naive export, batch 256, one session of all threads", open_naive, 256, 1)
    for batch in (16, 32, 128, 256):
        yield Form(f"onnxruntime, batch {batch}", lambda g: ort(g.shipped), batch)
    yield Form("onnxruntime, static batch", lambda g: ort(g.shipped, static=True))
    yield Form("onnxruntime, one session of all threads", lambda g: ort(g.shipped, threads=cores()), workers=1)
    yield Form("onnxruntime, a session a worker", lambda g: _by_thread(lambda: ort(g.shipped)))
    yield Form("onnxruntime, no arena, no memory pattern", lambda g: ort(g.shipped, arena=False))
    yield Form("onnxruntime, one arena for all sessions", lambda g: ort(g.shipped, shared=True))
    yield Form("onnxruntime, optimised beforehand", lambda g: ort(g.optimised, optimise=False))
    yield Form("onnxruntime, Elu as one node", lambda g: ort(g.elu))
    for name, path in also.items():
        yield Form(f"onnxruntime, {name}", partial(lambda data, _: ort(data), path.read_bytes()))
    yield Form("onnxruntime, float16 graph", lambda g: ort(in_half_precision(g.shipped)), rounds=True)
    yield Form("onnxruntime, int8", lambda g: ort(g.int8()), rounds=True)
    yield Form("openvino, file as it is", lambda g: ov(g.shipped, lambda graph: None))
    yield Form("openvino, Elu back", lambda g: ov(g.shipped, restore_elu))
    yield Form("openvino, Elu back, static batch", lambda g: ov(g.shipped, _static_elu))
    yield Form("openvino, Elu back, static batch, attention by rows", lambda g: ov(g.shipped, _static_rows))
    for batch in (BATCH, 16, 32, 128):
        name = f"openvino, as saresnet does (norms as convolutions too), batch {batch}"
        yield Form(name, partial(lambda c, g: ov(g.shipped, c), partial(rewrite, batch_size=batch)), batch)
    one = partial(ov, change=_rewrite, streams=1)
    yield Form("openvino, as saresnet does, one stream of all threads", lambda g: one(g.shipped), workers=1)
    half = partial(ov, precision="bf16")
    yield Form("openvino, bfloat16, Elu back", lambda g: half(g.shipped, restore_elu), rounds=True)
    yield Form("openvino, bfloat16, as saresnet does", lambda g: half(g.shipped, _rewrite), rounds=True)
    float_outputs = {"OpTypesToExcludeOutputQuantization": ["Conv"]}  # so that OpenVINO can fuse the ELU
    yield Form("openvino, int8", lambda g: ov(g.int8(**float_outputs), _rewrite), rounds=True)
    yield Form("openvino, int8, rest bfloat16", lambda g: half(g.int8(**float_outputs), _rewrite), rounds=True)


def open_onnxruntime(
    data: bytes,
    *,
    threads: int = 1,
    static: bool = False,
    arena: bool = True,
    shared: bool = False,
    optimise: bool = True,
) -> Run:
    """Open a model file in onnxruntime; static: only whole batches; shared: use the allocator of the process."""
    options = _options(threads)
    options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
    options.add_session_config_entry("session.use_env_allocators", str(int(shared)))
    if static:
        options.add_free_dimension_override_by_name("batch", BATCH)
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda windows: session.run(["logit"], {"sequence": windows})[0]


def open_naive(graphs: Graphs) -> Run:
    """Open torch's export as a first script does, but with a table for the one-hot code."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    session = onnxruntime.InferenceSession(graphs.naive, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def strand(codes: np.ndarray) -> np.ndarray:
        z = session.run(None, {name: np.ascontiguousarray(one_hot(codes))})[0]
        return z[:, 1] - z[:, 0]

    def run(windows: np.ndarray) -> np.ndarray:
        codes = encode(windows)
        return (strand(codes) + strand(reverse_complement(codes).copy())) / 2

    return run


def open_openvino(
    data: bytes, change: Callable[[openvino.Model], None], *, precision: str = "f32", streams: int = cores()
) -> Run:
    """Open a model file in OpenVINO; change: rewrites the graph."""
    core = openvino.Core()
    graph = core.read_model(io.BytesIO(data))
    change(graph)
    settings = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": cores()}
    compiled = core.compile_model(graph, "CPU", {**settings, "ENABLE_CPU_PINNING": False})

    def request() -> Run:
        own = compiled.create_infer_request()
        return lambda windows: own.infer({"sequence": windows})["logit"]

    return _by_thread(request)


def _options(threads: int = 1) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(threads > 1)))
    options.log_severity_level = 4
    return options


def _static_elu(graph: openvino.Model) -> None:
    restore_elu(graph)
    graph.reshape([BATCH, WINDOW])


def _static_rows(graph: openvino.Model) -> None:
    _static_elu(graph)
    attend_by_rows(graph)


def _rewrite(graph: openvino.Model) -> None:
    rewrite(graph, BATCH)


def _by_thread(make: Callable[[], Run]) -> Run:
    own = threading.local()

    def run(windows: np.ndarray) -> np.ndarray:
        if not hasattr(own, "run"):
            own.run = make()
        return own.run(windows)

    return run


def in_batches(windows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut windows into whole batches; the last is filled up with windows of N."""
    missing = -len(windows) % size
    filled = np.concatenate([windows, np.full((missing, WINDOW), ord("N"), np.uint8)])
    return [filled[i : i + size] for i in range(0, len(filled), size)]
