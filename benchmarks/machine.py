"""Says what machine, and which versions, a run was measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "saresnet", "numpy", "onnxruntime", "onnxruntime-gpu", "openvino", "torch", "onnx", "onnxscript", "pyfaidx",
    "lightmotif", "MOODS-python", "gkmsvm-lite", "numba", "pyjaspar",
)  # fmt: skip
_FEATURES = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
_VARIABLES = re.compile(r"^(OMP|MKL|OPENBLAS|ORT|KMP|GOMP|TORCH)\w*_")


def describe() -> dict:
    """Return the machine in plain JSON types: processor, cores, memory, system, versions, variables, GPU."""
    processor = _cpuinfo()
    return {
        "cpu": processor.get("model name", platform.processor()),
        "cpu_family_model": "/".join(processor.get(key, "?") for key in ("cpu family", "model")),
        "cpu_features": [name for name in _FEATURES if name in processor.get("flags", "").split()],
        "caches": _caches(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions(),
        "variables": {name: value for name, value in sorted(os.environ.items()) if _VARIABLES.match(name)},
        "gpu": gpu(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that are installed, by name."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if {"onnxruntime", "onnxruntime-gpu"} <= found.keys():  # they share their files: the one put there last counts
        found["onnxruntime"] = _say("import onnxruntime; print(onnxruntime.__version__)")
        del found["onnxruntime-gpu"]
    return found


def gpu() -> str | None:
    """Return the name of the GPU, None where there is none that works."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 and done.stdout.strip() else None


def busy_seconds() -> float:
    """Return the seconds of processor time that everything on this machine has used since it started."""
    user, nice, system, _, _, irq, softirq, steal = (
        int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _say(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def _cpuinfo() -> dict[str, str]:
    entry = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in entry.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _caches() -> dict[str, str]:
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if (index / "type").read_text().strip() != "Instruction":
            found[f"L{(index / 'level').read_text().strip()}"] = (index / "size").read_text().strip()
    return found
