"""Where and how models are computed: engine, precision, device, threads."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from saresnet_cli.errors import DeviceError

if TYPE_CHECKING:
    from saresnet_cli.engines.base import Engine
    from saresnet_cli.model import Model
    from saresnet_cli.scorer import Scorer

ENGINES = ("auto", "onnxruntime", "openvino")
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")
_ON_CUDA_ONLY = ("tf32", "float16")
_log = logging.getLogger("saresnet")


def available_threads() -> int:
    """Return how many cores this process may use, which on a cluster are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Runtime:
    """What to compute models with.

    engine: "onnxruntime", "openvino" (CPU) or "auto": onnxruntime on a GPU that works, else openvino where
    it is installed, else onnxruntime. precision: "float32"; "bfloat16" (openvino, on processors that have
    it); "tf32" or "float16" (CUDA). device: "cpu", "cuda" or "auto": CUDA where it works. threads: of the CPU,
    default every core that the process may use; their number doesn't change a result. batch_size: windows in
    a batch, default 32, on CUDA 4096. Raises ValueError on a word or number out of range.
    """

    engine: str = "auto"
    precision: str = "float32"
    device: str = "auto"
    threads: int | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("engine", self.engine, ENGINES),
            ("precision", self.precision, PRECISIONS),
            ("device", self.device, DEVICES),
        ):
            if value not in known:
                raise ValueError(f"{name} {value!r} is not one of {', '.join(known)}")
        for name, number in (("threads", self.threads), ("batch_size", self.batch_size)):
            if number is not None and number < 1:
                raise ValueError(f"{name} {number} is not at least 1")

    def open(self, models: Sequence[Model]) -> Scorer:
        """Make models ready to score windows; use the scorer in a `with` statement.

        Raises ModelError when a file is no saresnet model, DeviceError when what was asked for is not there.
        """
        return self.open_files([(model.data, model.path) for model in models])

    def open_files(self, files: Sequence[tuple[bytes, Path]]) -> Scorer:
        """Make model files ready, given as (bytes, path to name in errors); else like `open`."""
        from saresnet_cli.scorer import Scorer

        if not files:
            raise ValueError("no models")
        engines, device, concurrency = self._open(files)
        scorer = Scorer(engines, device, concurrency)
        if self.device == "auto":
            _log.info("device: %s", device)
        return scorer

    def _open(self, files: Sequence[tuple[bytes, Path]]) -> tuple[list[Engine], str, int]:
        on_cpu = self.device == "cpu" or self.engine == "openvino" or self.precision == "bfloat16"
        if on_cpu and self.device == "cuda":
            what = "OpenVINO" if self.engine == "openvino" else "bfloat16"
            raise DeviceError(f"{what} runs on the CPU only", cure="use --device cpu")
        if not on_cpu:
            from saresnet_cli.engines.cuda import IN_FLIGHT

            engines = self._on_cuda(files)
            if engines is not None:
                return engines, f"CUDA, {engines[0].name}", IN_FLIGHT
        if self.precision in _ON_CUDA_ONLY:
            raise DeviceError(f"{self.precision} needs CUDA, which is not in use", cure="use --precision float32")
        threads = self.threads or available_threads()
        make = self._cpu_engine(-(-threads // len(files)))
        engines = [make(data, path=path) for data, path in files]
        return engines, f"CPU, {threads} thread{'s' * (threads != 1)}, {engines[0].name}", threads

    def _on_cuda(self, files: Sequence[tuple[bytes, Path]]) -> list[Engine] | None:
        """Open models on CUDA; None when it does not work and "auto" may do without."""
        from saresnet_cli.engines import cuda

        trouble = cuda.missing()
        if trouble is None:
            try:
                return [
                    cuda.CudaEngine(data, path=path, precision=self.precision, batch_size=self.batch_size)
                    for data, path in files
                ]
            except DeviceError as error:
                trouble = error
                if self.device == "auto":
                    _log.warning("%s: the CPU is used", str(error).split("; ")[0])
        if self.device == "cuda" or self.precision in _ON_CUDA_ONLY:
            raise trouble
        return None

    def _cpu_engine(self, share: int) -> Callable[..., Engine]:
        """Return what opens a model; share: of the threads, for one of several models that take turns."""
        from saresnet_cli.engines import openvino
        from saresnet_cli.engines.onnx_runtime import OnnxRuntimeEngine

        if self.precision == "bfloat16" and self.engine == "onnxruntime":
            raise DeviceError("onnxruntime has no bfloat16 on the CPU", cure="use --engine openvino")
        if self.engine != "onnxruntime":
            trouble = openvino.missing()
            if trouble is None:
                return partial(
                    openvino.OpenVinoEngine, threads=share, precision=self.precision, batch_size=self.batch_size
                )
            if self.engine == "openvino" or self.precision == "bfloat16":
                raise trouble
        return partial(OnnxRuntimeEngine, batch_size=self.batch_size)
