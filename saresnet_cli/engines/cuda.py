"""ONNX Runtime on an NVIDIA GPU: windows go in and logits come out through buffers that stay on the card."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.engines.base import Engine, fill_up
from saresnet_cli.engines.half import in_half_precision
from saresnet_cli.engines.onnx_runtime import failure, open_session
from saresnet_cli.errors import DeviceError

BATCH = 4096
IN_FLIGHT = 3
"""Batches at a time: one is copied in, one is computed, one is copied out."""

PROVIDER = "CUDAExecutionProvider"


class CudaEngine(Engine):
    """A model in ONNX Runtime on CUDA.

    data, path: as in `OnnxRuntimeEngine`. precision: "float32", "tf32" (float32 whose products
    are rounded to 10 bits, Ampere and newer) or "float16". batch_size: default 4096; every
    batch is filled up to it, since a new shape costs the card more than a full batch.
    provider, memory: what computes and where its buffers lie; tests without a card name the CPU's.
    Raises ModelError when the file is no saresnet model, DeviceError when CUDA does not start.
    """

    name = "onnxruntime"

    def __init__(
        self,
        data: bytes,
        *,
        path: Path,
        precision: str = "float32",
        batch_size: int | None = None,
        provider: str = PROVIDER,
        memory: str = "cuda",
    ) -> None:
        self._path = path
        self._memory = memory
        self._buffers = threading.local()
        self.precision = precision
        self.batch_size = batch_size or BATCH
        # In float32 the quicker heuristic was seen (H200) to choose convolutions that a scan didn't end with; what
        # onnxruntime calls exhaustive is cuDNN's other heuristic.
        search = "EXHAUSTIVE" if precision == "float32" else "HEURISTIC"
        settings = {"cudnn_conv_algo_search": search, "use_tf32": "1" if precision == "tf32" else "0"}
        chosen: Any = (provider, settings) if provider == PROVIDER else provider
        if precision == "float16":
            data = in_half_precision(data)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):  # it prints its troubles where the results go
            self._session = open_session(data, path, [chosen])
        # It falls back to the CPU without an error, so look at what it became.
        if provider not in self._session.get_providers():
            why = said.getvalue().strip().split("\n")[0]
            raise DeviceError(
                "CUDA does not start" + (f" ({why})" if why else ""),
                cure="see nvidia-smi and the CUDA libraries, or use --device cpu",
            )

    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch: (n, 101) uint8 ASCII -> (n,) float32; raises DeviceError when the device fails."""
        try:
            binding, sequence, logit = self._bound()
            sequence.update_inplace(np.ascontiguousarray(fill_up(windows, self.batch_size)))
            self._session.run_with_iobinding(binding)
            binding.synchronize_outputs()
            logits: np.ndarray = logit.numpy()[: len(windows)]
        except Exception as error:  # onnxruntime's errors share no base class
            raise failure(error, self._path) from error
        return logits

    def _bound(self) -> tuple[Any, Any, Any]:
        """Return the calling thread's binding, its input (batch, 101) uint8 and its output (batch,) float32."""
        if not hasattr(self._buffers, "bound"):
            from onnxruntime import OrtValue

            sequence = OrtValue.ortvalue_from_shape_and_type([self.batch_size, WINDOW], np.uint8, self._memory, 0)
            logit = OrtValue.ortvalue_from_shape_and_type([self.batch_size], np.float32, self._memory, 0)
            binding = self._session.io_binding()
            binding.bind_ortvalue_input("sequence", sequence)
            binding.bind_ortvalue_output("logit", logit)
            self._buffers.bound = binding, sequence, logit
        bound: tuple[Any, Any, Any] = self._buffers.bound
        return bound


def missing() -> DeviceError | None:
    """Say why CUDA can't be tried on this machine; None where it can."""
    if not _has_driver():  # asked first: most machines have none, and need not wait for onnxruntime to be loaded
        return DeviceError("CUDA needs an NVIDIA driver, and there is none", cure="use --device cpu")
    import onnxruntime

    if PROVIDER not in onnxruntime.get_available_providers():
        return DeviceError("no CUDA in this onnxruntime", cure="pip install onnxruntime-gpu, or use --device cpu")
    if hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installed
    return None


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
