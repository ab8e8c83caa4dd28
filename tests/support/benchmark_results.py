"""Results of a benchmark, made up, and what a report says of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from saresnet_train.benchmark.seen import write_seen
from saresnet_train.metrics import measure

SETS = [
    *[("encode", f"E{at}_K562", training) for at, training in enumerate((700, 2000, 5000, 9000, 14000, 20000, 30000))],
    *[("gm12878", f"G{at}_GM12878", 540 + at) for at in range(6)],
]
SHIFT = {
    "transfer": 2.4, "direct": 1.9, "global": 1.7, "paper-transfer": 2.2, "paper-direct": 1.2, "paper-global": 1.6,
    "transfer-no-attention": 2.35, "transfer-32": 2.2, "transfer-32-no-attention": 2.15, "direct-no-attention": 1.8,
    "freeze-stem": 2.3, "freeze-stage2": 2.2, "freeze-head": 1.9, "transfer-averaged": 2.45, "pwm": 0.9,
    "expectation-luo": 1.75, "cnn-zeng": 1.7, "deeptf": 1.5, "deepbind": 1.4, "gkmsvm": 1.6,
}  # fmt: skip
"""How far apart each method puts bound and unbound windows."""


def figures(labels: np.ndarray, values: np.ndarray, calibrated: bool) -> dict[str, float | None]:
    """Metrics as the benchmark writes them."""
    found = dict(measure(labels, values))
    found["brier"] = float(((1 / (1 + np.exp(-values.astype(float))) - labels) ** 2).mean())
    if not calibrated:
        found["loss"] = found["brier"] = math.nan
    return {key: None if math.isnan(value) else value for key, value in found.items()}


def write_cell(
    folder: Path, method: str, tier: str, name: str, training: int, forward: np.ndarray, both: np.ndarray,
    bound: int, genomic: int = 0, seed: int = 1, chr20: float | None = None,
) -> Path:  # fmt: skip
    """Write a record and its scores: `bound` windows, as many shuffles, and genomic ones."""
    path = folder / method / tier / name / f"seed{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    calibrated = method not in ("pwm", "gkmsvm")
    labels, beside = np.repeat([1, 0], bound), np.repeat([1, 0], [bound, genomic])
    real = np.r_[np.arange(bound), np.arange(2 * bound, 2 * bound + genomic)]
    ways = {"forward": forward, "both": both}
    tf, cell = [*name.split("_"), ""][:2]
    record = {
        "format": "saresnet-benchmark-1", "method": method, "tier": tier, "set": name, "tf": tf, "cell": cell,
        "seed": seed,
        "counts": {"train_positives": training, "training": training - training // 10, "validating": training // 10,
                   "test_positives": bound, "test_negatives": bound, "genomic_negatives": genomic},
        "metrics": {way: figures(labels, values[: 2 * bound], calibrated) for way, values in ways.items()},
        "genomic": {way: figures(beside, values[real], calibrated) for way, values in ways.items()} if genomic else {},
        "chr20": None if chr20 is None else {"auroc": 0.9, "auprc": chr20, "positives": 20, "negatives": 9980},
        "validation": {"auroc": 0.9}, "seconds": {"training": 3.0, "scoring": 0.5}, "parameters": 443333,
        "threshold": 0.0, "calibrated": calibrated, "symmetric": method == "pwm", "chosen": {}, "device": "cpu",
        "threads": 1, "versions": {"saresnet": "0.1.0"}, "command": "saresnet benchmark run",
    }  # fmt: skip
    path.write_text(json.dumps(record, indent=1))
    np.savez_compressed(path.with_suffix(".npz"), **{way: values.astype(np.float16) for way, values in ways.items()})
    return path


def write_results(folder: Path, methods: Sequence[str] = tuple(SHIFT), bound: int = 80) -> Path:
    """Write results of two-normal scores; a set is as hard for every method, and the methods differ by `SHIFT`."""
    for at, (tier, name, training) in enumerate(SETS):
        genomic = 60 if tier == "gm12878" else 0
        rng = np.random.default_rng(at)
        shared, hardness = rng.normal(size=2 * bound + genomic), rng.uniform(0.8, 1.2)
        centre = np.r_[np.ones(bound), np.zeros(bound), np.full(genomic, 0.3)] - 0.5
        for method in methods:
            if method == "pwm" and name == "E3_K562":
                path = folder / method / tier / name / "seed1.json"
                path.parent.mkdir(parents=True)
                head = {"format": "saresnet-benchmark-1", "method": method, "tier": tier, "set": name, "seed": 1}
                path.write_text(json.dumps({**head, "skipped": "no JASPAR matrix for E3"}))
                continue
            for seed in (1, 2, 3) if method == "transfer" and at % 2 else (1,):
                noise = np.random.default_rng((at, sum(map(ord, method)), seed)).normal(size=len(shared))
                forward = SHIFT[method] * hardness * centre + 0.8 * shared + 0.5 * noise
                both = forward + 0.1 * centre
                chr20 = 0.1 * SHIFT[method] if name in ("E1_K562", "E2_K562") else None
                write_cell(folder, method, tier, name, training, forward, both, bound, genomic, seed, chr20)
    for method in {"global", "paper-global"} & set(methods):
        rng = np.random.default_rng(9)
        values = np.r_[rng.normal(1, 1, 300), rng.normal(-1, 1, 300)]
        write_cell(folder, method, "pool", "validation", 10**6, values, values, 300)
    seen = {f"{tier}/{name}": np.arange(60) % 3 > 0 for tier, name, _ in SETS if tier == "gm12878"}
    write_seen(folder / "seen.json", seen)
    return folder


def table(text: str, caption: str) -> dict[str, list[str]]:
    """The rows of the table below a caption, by their first cell; "" is the head."""
    part = text.split(f"**{caption}", 1)[1].split("|", 1)[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in f"|{part}".splitlines()]
    return {row[0]: row[1:] for row in rows if set(row[1]) != {"-", ":"}}


def told(folder: Path, method: str, metric: str, size: Callable[[int], bool] = lambda _: True) -> list[float]:
    """A metric of each set straight from the JSON files, the mean over seeds."""
    sets: dict[str, list[float]] = {}
    for path in (folder / method).glob("[eg]*/*/seed*.json"):
        content = json.loads(path.read_text())
        if "skipped" not in content and size(2 * content["counts"]["train_positives"]):
            sets.setdefault(str(path.parent), []).append(content["metrics"]["forward"][metric])
    return [fmean(values) for _, values in sorted(sets.items())]


# The report


def told_methods(text: str) -> set[str]:
    """The methods that the table of every set has."""
    return {name.strip("`") for name in table(text, "AUROC of each set")[""]}
