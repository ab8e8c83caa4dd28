"""Runs a model on windows: ONNX Runtime on the CPU or on CUDA."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import DeviceError, ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEVICES = ("auto", "cpu", "cuda")
CPU_BATCH = 64  # measured: fits the cache of a core, 256 is a tenth slower
CUDA_BATCH = 4096
_CUDA = "CUDAExecutionProvider"
_log = logging.getLogger("saresnet")


def available_threads() -> int:
    """Return how many cores this process may use, which on a cluster are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class Pending:
    """Logits that are being computed."""

    def __init__(self, batches: list[Future[np.ndarray]]) -> None:
        self._batches = batches

    def result(self) -> np.ndarray:
        """Wait for the logits: (n,) float32, in the order of the windows."""
        parts = [batch.result() for batch in self._batches]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


class Engine(ABC):
    """Computes logits of windows in batches, several at a time, always in order.

    device: what it runs on, in words; threads: batches that run at a time;
    batch_size: windows in a batch. Use it in a `with` statement.
    """

    device: str
    threads: int
    batch_size: int

    @abstractmethod
    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII, n <= batch_size -> (n,) float32; called from several threads."""

    def __enter__(self) -> Engine:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="saresnet")
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, windows: np.ndarray) -> Pending:
        """Start on windows, (n, 101) uint8 ASCII, and return at once; they must not change until the result is read."""
        size = self.batch_size
        return Pending([self._pool.submit(self.run, windows[i : i + size]) for i in range(0, len(windows), size)])

    def logits(self, windows: np.ndarray) -> np.ndarray:
        """Return the logits of windows: (n, 101) uint8 ASCII -> (n,) float32."""
        return self.submit(windows).result()


class OnnxEngine(Engine):
    """A model in ONNX Runtime.

    data: the bytes of the file; path: named in errors. device: "auto" (CUDA where
    it works, else the CPU), "cpu" or "cuda". threads: default is every core that the
    process may use; a batch runs on one thread, so their number doesn't change
    a result. batch_size: default 64 on the CPU, 4096 on CUDA. Raises ModelError when the
    file is no saresnet model, DeviceError when CUDA is asked for and doesn't work.
    """

    def __init__(
        self,
        data: bytes,
        *,
        path: Path,
        device: str = "auto",
        threads: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        if device not in DEVICES:
            raise ValueError(f"device {device!r} is not one of {', '.join(DEVICES)}")
        self._path = path
        self._session = _open(data, path, device)
        self._cuda = _CUDA in self._session.get_providers()
        _check_interface(self._session, path)
        self.threads = 1 if self._cuda else threads or available_threads()
        self.batch_size = batch_size or (CUDA_BATCH if self._cuda else CPU_BATCH)
        self.device = "CUDA" if self._cuda else f"CPU, {self.threads} thread{'s' * (self.threads != 1)}"
        if device == "auto":
            _log.info("device: %s", self.device)

    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII -> (n,) float32; raises DeviceError when the device fails."""
        count = len(windows)
        if self._cuda and count < self.batch_size:  # a new shape costs more than a full batch
            windows = np.concatenate([windows, np.full((self.batch_size - count, WINDOW), ord("N"), np.uint8)])
        try:
            logits: np.ndarray = self._session.run(["logit"], {"sequence": windows})[0]
            return logits[:count]
        except Exception as error:  # onnxruntime's errors share no base class
            raise DeviceError(
                f"onnxruntime failed: {_first_line(error)}", path=self._path, cure="try a smaller --batch-size"
            ) from error


def _open(data: bytes, path: Path, device: str) -> InferenceSession:
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)  # its warnings are about our graph, not about the user's data
    if device == "cpu":
        return _session(onnxruntime, data, path, [])
    missing = None
    if _CUDA not in onnxruntime.get_available_providers():
        missing = DeviceError("no CUDA in this onnxruntime", cure="pip install onnxruntime-gpu, or use --device cpu")
    elif not _has_driver():
        missing = DeviceError("CUDA needs an NVIDIA driver, and there is none", cure="use --device cpu")
    if missing is not None:
        if device == "cuda":
            raise missing
        return _session(onnxruntime, data, path, [])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints its troubles where the results go
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installed
        session = _session(onnxruntime, data, path, [_CUDA])
    # It falls back to the CPU without an error, so look at what it became.
    if _CUDA in session.get_providers():
        return session
    why = said.getvalue().strip().split("\n")[0]
    trouble = "CUDA does not start" + (f" ({why})" if why else "")
    if device == "cuda":
        raise DeviceError(trouble, cure="see nvidia-smi and the CUDA libraries, or use --device cpu")
    _log.warning("%s: the CPU is used", trouble)
    return session


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _session(onnxruntime: Any, data: bytes, path: Path, providers: list[str]) -> InferenceSession:
    options = onnxruntime.SessionOptions()
    # Batches are the unit of parallelism. Left alone, onnxruntime pins a thread to every core of the machine,
    # which fails where a scheduler grants fewer.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    settings = {_CUDA: {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}}
    chosen = [(name, settings[name]) for name in providers]
    try:
        return onnxruntime.InferenceSession(data, options, providers=[*chosen, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise ModelError(
            f"onnxruntime can't load it ({_first_line(error)})", path=path, cure="get it again, or export it again"
        ) from error


def _check_interface(session: InferenceSession, path: Path) -> None:
    inputs = [(i.name, i.type, i.shape[1:]) for i in session.get_inputs()]
    outputs = [(o.name, o.type, len(o.shape)) for o in session.get_outputs()]
    if inputs != [("sequence", "tensor(uint8)", [WINDOW])] or ("logit", "tensor(float)", 1) not in outputs:
        raise ModelError(
            f"is not a saresnet model: it reads {inputs} and gives {outputs}", path=path, cure="export it again"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
