"""Which versions are at work: what `saresnet --version` prints, and what a report of a bug needs."""

from __future__ import annotations

import platform
from importlib import metadata

from saresnet_cli import __version__

LIBRARIES = ("numpy", "onnxruntime", "openvino", "pyfaidx", "pysam", "pybedtools", "click")
"""What the installed package computes, reads and writes with, by module."""

_ALSO = {"onnxruntime": ("onnxruntime-gpu", "onnxruntime")}


def versions() -> dict[str, str]:
    """Return versions by name: saresnet, python, the libraries, the machine, and the engine that a CPU gets.

    A library that isn't installed has "not installed"; one that two packages bring has both, with their names.
    Nothing is imported for it, so what is told is what is installed, not that it works: `saresnet selftest` says that.
    """
    told = {"saresnet": __version__, "python": platform.python_version()}
    for module in LIBRARIES:
        told[module] = _installed(_ALSO.get(module, (module,)))
    told["machine"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    told["engine"] = "onnxruntime" if told["openvino"] == "not installed" else "openvino"
    if "onnxruntime-gpu" in told["onnxruntime"]:
        told["engine"] += " (onnxruntime on a GPU where CUDA works)"
    return told


def _installed(distributions: tuple[str, ...]) -> str:
    found = []
    for name in distributions:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(version if name == distributions[-1] else f"{version} ({name})")
    return ", ".join(found) or "not installed"
