"""How the network may be written and run on a CPU: the speed of every form that was tried, beside the default.

    python benchmarks/graph_variants.py --data DIR

writes benchmarks/results/graph_variants.json. Forms take turns, a short slice each, so that a machine that gets
slower does so for all alike; `windows_per_cpu_s`, by processor time, is what other work on the machine disturbs
least. A window is both strands. Forms that round are judged by the AUROC on test files as well.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import OrtAllocatorType, OrtMemoryInfo, OrtMemType

from graph_forms import DEFAULT, Form, Graphs, Run, forms, in_batches
from machine import busy_seconds, describe
from saresnet_cli.card import WINDOW
from saresnet_cli.model import load_model
from saresnet_train.codes import decode
from saresnet_train.data import read_windows
from saresnet_train.metrics import measure

EXPERIMENTS = ("CTCF_GM12878", "REST_GM12878", "ARID3A_K562", "TAF1_A549", "EZH2_Dnd41")
CALIBRATION = 512
"""Windows that int8 is calibrated on."""
COMPARED = 1024
"""Windows whose logits are compared."""


class Opened:
    """A form of one model, ready to score windows with its workers."""

    def __init__(self, form: Form, graphs: Graphs) -> None:
        self.form = form
        self._run: Run = form.open(graphs)
        self._pool = ThreadPoolExecutor(form.workers)

    def score(self, windows: np.ndarray) -> np.ndarray:
        """Score windows: (n, 101) uint8 ASCII -> (n,) float32."""
        batches = in_batches(windows, self.form.batch)
        return np.concatenate(list(self._pool.map(self._run, batches)))[: len(windows)]

    def speed(self, windows: np.ndarray, count: int) -> tuple[float, float]:
        """Score about `count` windows: how many per second, and per second of processor time."""
        step = self.form.batch * self.form.workers
        part = windows[: max(1, round(count / step)) * step]
        begun, used = time.perf_counter(), time.process_time()
        self.score(part)
        return len(part) / (time.perf_counter() - begun), len(part) / (time.process_time() - used)


def race(opened: list[Opened], windows: np.ndarray, rounds: int, seconds: float) -> list[list[tuple[float, float]]]:
    """Measure forms in turns, `seconds` each: for each form its speed in every round."""
    for one in opened:
        one.speed(windows, COMPARED)
    counts = [int(one.speed(windows, COMPARED)[0] * seconds) for one in opened]
    turns = [[one.speed(windows, count) for one, count in zip(opened, counts, strict=True)] for _ in range(rounds)]
    return [list(speeds) for speeds in zip(*turns, strict=True)]


def open_graphs(id: str, data: Path, folder: Path) -> Graphs:
    """Load a shipped model and the windows that int8 is calibrated on."""
    training = decode(read_windows(data / "encode" / id / "train.positive.fa.gz"))
    return Graphs(load_model(id), training[:CALIBRATION], folder)


def auroc_changes(chosen: list[Form], default: Form, graphs: Graphs, files: Path) -> dict[str, float]:
    """Return by how much forms change the AUROC on the test files of one experiment, by name."""
    bound, unbound = (decode(read_windows(files / f"test.{kind}.fa.gz")) for kind in ("positive", "negative"))
    windows, labels = np.concatenate([bound, unbound]), np.repeat([1, 0], [len(bound), len(unbound)])
    auroc = {f.name: measure(labels, Opened(f, graphs).score(windows))["auroc"] for f in [default, *chosen]}
    return {form.name: round(auroc[form.name] - auroc[default.name], 6) for form in chosen}


def table(opened: list[Opened], speeds: list[list[tuple[float, float]]], far: list[float]) -> dict[str, dict]:
    """Put the figures of each form together, by name; the first form is what others are compared with."""
    rows: dict[str, dict] = {}
    base = [statistics.median(column) for column in zip(*speeds[0], strict=True)]
    for one, rounds, difference in zip(opened, speeds, far, strict=True):
        by_wall, by_cpu = (sorted(column) for column in zip(*rounds, strict=True))
        rows[one.form.name] = {
            "batch": one.form.batch,
            "workers": one.form.workers,
            "windows_per_s": round(statistics.median(by_wall)),
            "lowest_and_highest": [round(by_wall[0]), round(by_wall[-1])],
            "windows_per_cpu_s": round(statistics.median(by_cpu)),
            "ratio": round(statistics.median(by_wall) / base[0], 3),
            "ratio_by_cpu": round(statistics.median(by_cpu) / base[1], 3),
            "largest_logit_difference": float(f"{difference:.3g}"),
        }
    return rows


def main() -> int:
    """Measure, judge, write the result, print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the tier encode/")
    parser.add_argument("--models", nargs="+", default=EXPERIMENTS, help="experiments; the first gives the speed")
    parser.add_argument("--also", nargs="*", default=[], metavar="NAME=FILE", help="more model files for onnxruntime")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a slice")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/graph_variants.json")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)  # the quantizer's advice
    # for the form that shares an arena; the others have one each
    memory = OrtMemoryInfo("Cpu", OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, None)
    listed = list(forms({name: Path(path) for name, path in (word.split("=", 1) for word in options.also)}))
    windows = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), (1 << 15, WINDOW))
    with tempfile.TemporaryDirectory() as folder:
        graphs = [open_graphs(id, options.data, Path(folder)) for id in options.models]
        opened = [Opened(form, graphs[0]) for form in listed]
        logits = [one.score(windows[:COMPARED]) for one in opened]
        begun, busy, used = time.perf_counter(), busy_seconds(), time.process_time()
        speeds = race(opened, windows, options.rounds, options.seconds)
        wall, own = time.perf_counter() - begun, time.process_time() - used
        others = busy_seconds() - busy - own
        rows = table(opened, speeds, [float(np.abs(each - logits[0]).max()) for each in logits])
        rounding = [form for form in listed if form.rounds]
        for one, id in zip(graphs, options.models, strict=True):
            for name, change in auroc_changes(rounding, listed[0], one, options.data / "encode" / id).items():
                rows[name].setdefault("auroc_change", {})[id] = change
    for name, row in rows.items():
        print(f"{name:56} {json.dumps(list(row.values())[2:])}")
    result = {
        "settings": {"rounds": options.rounds, "seconds": options.seconds, "default": DEFAULT},
        "machine": describe(),
        "race": {"wall_s": round(wall, 1), "cpu_s": round(own, 1), "other_cpu_s": round(others, 1)},
        "forms": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
