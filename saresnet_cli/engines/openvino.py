"""OpenVINO on the CPU."""

from __future__ import annotations

import io
import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.engines.base import CPU_BATCH, Engine, check_interface, fill_up, first_line
from saresnet_cli.engines.openvino_graph import rewrite
from saresnet_cli.errors import DeviceError, ModelError

_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_TYPES = {"f32": "float32", "u8": "uint8"}


class OpenVinoEngine(Engine):
    """A model in OpenVINO on the CPU; a batch runs on one thread.

    data: the bytes of the ONNX file; path: named in errors. threads: how many batches may run
    at a time; more wait for their turn. precision: "float32", or "bfloat16", which rounds products to
    8 bits and needs a processor that has it. batch_size: default 32. Raises ModelError when the file is
    no saresnet model, DeviceError when the processor has no bfloat16.
    """

    name = "openvino"

    def __init__(
        self, data: bytes, *, path: Path, threads: int, precision: str = "float32", batch_size: int | None = None
    ) -> None:
        self._path = path
        self.precision = precision
        self.batch_size = batch_size or CPU_BATCH
        core = _core()
        if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise DeviceError("this processor has no bfloat16", cure="use --precision float32")
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "NUM_STREAMS": threads,  # a stream a batch, and a thread a stream
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # a scheduler may have granted other cores than it would pin
        }
        try:
            graph = core.read_model(io.BytesIO(data))
            check_interface(
                path,
                [(_name(port), _type(port), _width(port.get_partial_shape())) for port in graph.inputs],
                [(_name(port), _type(port), port.get_partial_shape().rank.get_length()) for port in graph.outputs],
            )
            rewrite(graph, self.batch_size)
            compiled = core.compile_model(graph, "CPU", settings)
            # Each holds the tensors of a batch, so there are no more than can run.
            self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
            for _ in range(threads):
                self._idle.put(compiled.create_infer_request())
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO can't load it ({first_line(error)})", path=path, cure="get it again, or export it again"
            ) from error
        _run_first(self)

    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII -> (n,) float32; raises DeviceError when it fails."""
        batch = fill_up(windows, self.batch_size)  # the graph takes whole batches only
        request = self._idle.get()
        try:
            logits: np.ndarray = request.infer({"sequence": batch})["logit"][: len(windows)]
        except RuntimeError as error:
            raise DeviceError(
                f"OpenVINO failed: {first_line(error)}", path=self._path, cure="try --engine onnxruntime"
            ) from error
        finally:
            self._idle.put(request)
        return logits


_lock = threading.Lock()
_ran = False


_held: list[Any] = []


def _core() -> Any:
    """Return the one core of this process, which is never let go.

    A core's plugin gives the thread a stack for signals, puts back the one that it found when it ends, and frees its
    own. Where two cores end in the order in which they began, a freed stack is put back, and the next signal, such as
    Ctrl-C, is a segmentation fault (seen in 2026.4).
    """
    import openvino

    with _lock:
        if not _held:
            _held.append(openvino.Core())
        return _held[0]


def _run_first(engine: OpenVinoEngine) -> None:
    """Run a batch on this thread, once in a process.

    OpenVINO's binding makes ready what it needs of numpy in its first run, and gives up the interpreter's lock
    meanwhile: two threads whose first runs meet there would wait for each other for ever (seen in 2026.4).
    """
    global _ran
    with _lock:
        if not _ran:
            engine.run(np.empty((0, WINDOW), np.uint8))
            _ran = True


def missing() -> DeviceError | None:
    """Say why OpenVINO can't be used here; None where it can."""
    try:
        import openvino  # noqa: F401
    except ModuleNotFoundError:
        return DeviceError("OpenVINO is not installed", cure="pip install openvino, or use --engine onnxruntime")
    except (ImportError, OSError) as error:  # a library that it needs is missing, or too old
        return DeviceError(f"OpenVINO can't be loaded ({first_line(error)})", cure="use --engine onnxruntime")
    return None


def _name(port: Any) -> str:
    return str(port.get_any_name()) if port.get_names() else ""


def _type(port: Any) -> str:
    name = str(port.get_element_type().get_type_name())
    return _TYPES.get(name, name)


def _width(shape: Any) -> int:
    return int(shape[1].get_length()) if shape.rank.get_length() == 2 and shape[1].is_static else -1
