"""Print what the installed saresnet requires on this machine, a requirement a line, for pip.

    python requirements.py cpu | cuda

saresnet asks for the build of onnxruntime that runs on GPUs where there is one: several hundred megabytes that an image
for the CPU does without, and that need the libraries of NVIDIA in an image for CUDA.
"""

from __future__ import annotations

import sys
from importlib import metadata

from pip._vendor.packaging.requirements import Requirement

wanted = sys.argv[1]
if wanted not in ("cpu", "cuda"):
    sys.exit(f"requirements.py: {wanted!r} is neither cpu nor cuda")
for line in metadata.requires("saresnet") or []:
    requirement = Requirement(line)
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        continue
    name = requirement.name
    if name == "onnxruntime-gpu":
        name = "onnxruntime" if wanted == "cpu" else "onnxruntime-gpu[cuda,cudnn]"
    print(f"{name}{requirement.specifier}")
