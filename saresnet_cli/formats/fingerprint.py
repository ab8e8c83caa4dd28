"""Says what decides the bytes of a scan, so that one that goes on can tell whether all is as it was."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saresnet_cli.provenance import ScanProvenance

if TYPE_CHECKING:
    from saresnet_cli.formats.layout import Layout
    from saresnet_cli.running import Summary

_LIBRARIES = ("openvino", "onnxruntime")
_FORM = 1


def fingerprint(
    layout: Layout,
    made: ScanProvenance,
    summary: Summary,
    genome: Path,
    regions: str | Path | None,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what decides the bytes of a scan, as plain JSON types.

    That is the files by path, size and time, the models by sha256, all settings, the versions of what computes, and
    the processor, since another one may round otherwise. regions: a file, None for whole sequences.
    """
    return {
        "form": _FORM,
        "output": {**asdict(layout), "shard": str(layout.shard) if layout.shard else None},
        **replace(made, filters="").as_dict(),  # which are among the settings, to the last digit
        "numpy": np.__version__,
        **{name: sys.modules[name].__version__ for name in _LIBRARIES if name in sys.modules},
        "device": summary.device.split(",")[0],
        "processor": _processor(),
        "genome": _file(genome),
        "regions": None if regions is None else _file(Path(regions)),
        **settings,
    }


def _file(path: Path) -> list[Any]:
    stat = path.stat()
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def _processor() -> str:
    """Return the name of the processor and a digest of what it can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    about = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    able = about.get("flags") or about.get("Features") or ""
    return f"{about.get('model name', platform.machine())} {hashlib.sha256(able.encode()).hexdigest()[:8]}"
