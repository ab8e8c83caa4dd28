"""What an engine and a precision change: AUROC of the shipped models on their test files, and the logits themselves.

    python benchmarks/precision.py --data DIR

writes benchmarks/results/precision.json: for each experiment AUROC by engine and precision, and the largest
difference of a logit from onnxruntime in float32. What this machine can't compute is named.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from saresnet_cli.errors import DeviceError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Registry
from saresnet_cli.runtime import Runtime
from saresnet_train.codes import decode
from saresnet_train.data import read_windows
from saresnet_train.metrics import measure

EXACT = "onnxruntime float32"
RUNTIMES = {
    EXACT: Runtime("onnxruntime", "float32", "cpu"),
    "openvino float32": Runtime("openvino", "float32", "cpu"),
    "openvino bfloat16": Runtime("openvino", "bfloat16", "cpu"),
    "cuda float32": Runtime("onnxruntime", "float32", "cuda"),
    "cuda tf32": Runtime("onnxruntime", "tf32", "cuda"),
    "cuda float16": Runtime("onnxruntime", "float16", "cuda"),
}


def compare(id: str, folder: Path) -> dict[str, dict[str, float | str]]:
    """Score the test files of an experiment, in `folder`, with its model in every way that this machine has."""
    bound, unbound = (decode(read_windows(folder / f"test.{kind}.fa.gz")) for kind in ("positive", "negative"))
    labels = np.repeat([1, 0], [len(bound), len(unbound)])
    windows = np.concatenate([bound, unbound])
    found: dict[str, dict[str, float | str]] = {}
    exact = np.empty(0, np.float32)
    for name, runtime in RUNTIMES.items():
        try:
            with runtime.open([load_model(id)]) as scorer:
                logits = scorer.logits(windows)[:, 0]
        except DeviceError as error:
            found[name] = {"not_run": str(error)}
            continue
        if name == EXACT:
            exact = logits
        found[name] = {
            "auroc": round(measure(labels, logits)["auroc"], 6),
            "largest_logit_difference": float(f"{np.abs(logits - exact).max():.3g}"),
        }
    return found


def main() -> int:
    """Compare every experiment, write the result, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the tier encode/")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/precision.json")
    options = parser.parse_args()
    models = {}
    for entry in Registry.read().entries:
        folder = options.data / "encode" / entry.id
        if folder.is_dir():
            models[entry.id] = compare(entry.id, folder)
            print(entry.id, models[entry.id], file=sys.stderr, flush=True)
    summary: dict[str, dict[str, float | str]] = {}
    for name in RUNTIMES:
        ran = [model for model in models.values() if "auroc" in model[name]]
        if not ran:
            summary[name] = next(iter(models.values()))[name]
            continue
        change = np.array([float(model[name]["auroc"]) - float(model[EXACT]["auroc"]) for model in ran])
        summary[name] = {
            "mean_auroc": round(float(np.mean([model[name]["auroc"] for model in ran])), 6),
            "mean_change": round(float(change.mean()), 6),
            "largest_change": round(float(change[np.abs(change).argmax()]), 6),
            "largest_logit_difference": max(float(model[name]["largest_logit_difference"]) for model in ran),
        }
    versions = {name: version(name) for name in ("onnxruntime", "openvino", "numpy")}
    result = {"processor": platform.machine(), "versions": versions, "summary": summary, "models": models}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(summary, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
