"""ONNX Runtime on the CPU."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saresnet_cli.engines.base import CPU_BATCH, Engine, check_interface, first_line
from saresnet_cli.errors import DeviceError, ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


class OnnxRuntimeEngine(Engine):
    """A model in ONNX Runtime on the CPU; a batch runs on the thread that calls.

    data: the bytes of the file; path: named in errors. batch_size: default 32. Raises ModelError
    when the file is no saresnet model.
    """

    name = "onnxruntime"
    precision = "float32"

    def __init__(self, data: bytes, *, path: Path, batch_size: int | None = None) -> None:
        self._path = path
        _share_memory()
        self._session = open_session(data, path, ["CPUExecutionProvider"])
        self.batch_size = batch_size or CPU_BATCH

    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII -> (n,) float32; raises DeviceError when it fails."""
        try:
            logits: np.ndarray = self._session.run(["logit"], {"sequence": windows})[0]
        except Exception as error:  # onnxruntime's errors share no base class
            raise failure(error, self._path) from error
        return logits


@cache
def _share_memory() -> None:
    """Let all sessions of the process draw from one arena: a model of its own holds 45 MB, of a shared one 5."""
    import onnxruntime

    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, None)


def open_session(data: bytes, path: Path, providers: list[Any]) -> InferenceSession:
    """Open a model file in ONNX Runtime; raises ModelError when it is no saresnet model.

    providers: of onnxruntime, with their settings, the first that works is used.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # its warnings are about our graph, not about the user's data
    options = onnxruntime.SessionOptions()
    # Batches are the unit of parallelism. Left alone, onnxruntime pins a thread to every core of the machine,
    # which fails where a scheduler grants fewer.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        session = onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:  # onnxruntime's errors share no base class
        raise ModelError(
            f"onnxruntime can't load it ({first_line(error)})", path=path, cure="get it again, or export it again"
        ) from error
    check_interface(
        path,
        [(i.name, _TYPES.get(i.type, i.type), i.shape[1] if len(i.shape) == 2 else -1) for i in session.get_inputs()],
        [(o.name, _TYPES.get(o.type, o.type), len(o.shape)) for o in session.get_outputs()],
    )
    return session


def failure(error: Exception, path: Path) -> DeviceError:
    """Return what to raise when onnxruntime fails in the middle of a run."""
    return DeviceError(f"onnxruntime failed: {first_line(error)}", path=path, cure="try a smaller --batch-size")
