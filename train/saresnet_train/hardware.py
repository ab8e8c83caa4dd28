"""Where a run computes: device, precision, threads, and its place among the processes of torchrun."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist

from saresnet_cli.errors import DeviceError
from saresnet_cli.runtime import available_threads


@dataclass
class Hardware:
    """Where a run computes: device, precision and its place among the processes of torchrun.

    compiled: whether torch compiles the network first, which takes minutes, once a process; each batch then takes
    two thirds of the time on some CPUs, and as long as before on others.
    """

    device: torch.device
    bfloat16: bool
    rank: int = 0
    world: int = 1
    compiled: bool = False

    @classmethod
    def find(
        cls, device: str = "auto", precision: str = "auto", threads: int | None = None, compiled: bool = False
    ) -> Hardware:
        """Choose the hardware and set torch up for it.

        device: auto, cpu or cuda. precision: float32, bfloat16 or auto (bfloat16
        where the processor multiplies it). Raises DeviceError for cuda without one.
        """
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if device == "cuda" and not torch.cuda.is_available():
            raise DeviceError("no CUDA device", cure="use --device cpu or auto")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.set_num_threads(threads or max(1, available_threads() // world))
        if world > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device == "cuda" else "gloo")
        if device == "cuda":
            place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(place)
            able = torch.cuda.is_bf16_supported()
        else:
            place = torch.device("cpu")
            able = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
            # attention weights of a trained network are often too small for a normal float32: a fifth of a step's time
            torch.set_flush_denormal(True)
            _keep_memory()
        return cls(place, precision == "bfloat16" or (precision == "auto" and able), rank, world, compiled)

    @property
    def lead(self) -> bool:
        """Whether this is the process that measures, writes and speaks."""
        return self.rank == 0

    def __str__(self) -> str:
        return f"{self.device.type}, {'bfloat16' if self.bfloat16 else 'float32'}"


def _keep_memory() -> None:
    """Let the C library keep freed activations: to give them back and fault them in again costs a tenth of a step."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
    except (OSError, AttributeError):  # not glibc: only slower
        pass
