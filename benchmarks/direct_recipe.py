"""Tries recipes of direct learning on a few sets: batch size, and how many passes; which one the benchmark should have.

    python benchmarks/direct_recipe.py --data DATA > benchmarks/results/direct_recipe.json

Chosen by the AUROC of the validation windows; that of the test windows is told beside it. One strand, seed 1, a thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import torch

from saresnet_train.benchmark.judging import judge, versions
from saresnet_train.benchmark.networks import OWN_DIRECT, Learning
from saresnet_train.benchmark.task import Task
from saresnet_train.data import read_manifest
from saresnet_train.recipe import passes

SETS = ("ELK1_GM12878", "FOSL2_HepG2", "SERBP1_H1-hESC", "BATF_GM12878")
"""Two medium sets, one at the border and a small one."""

RECIPES = {"128": (128, 1), "128, twice": (128, 2), "32": (32, 1), "32, twice": (32, 2)}
"""Batch size, and how many times the passes that a set of its size has."""

MOST = 40


def tried(data: Path, name: str, recipe: str) -> dict:
    """Learn a set by a recipe and return what came of it."""
    (chosen,) = (each for each in read_manifest(data, ("encode", "gm12878")) if each.name == name)
    batch_size, times = RECIPES[recipe]
    with tempfile.TemporaryDirectory() as folder:
        task = Task.of(chosen, 1, torch.device("cpu"), 1, Path(folder), Path(folder))
        epochs = times * passes(len(task.positives), MOST)
        began = time.perf_counter()
        outcome = Learning(OWN_DIRECT.changed(batch_size=batch_size, epochs=epochs), most=None)(task)
        seconds = time.perf_counter() - began
        record, _ = judge(task, outcome)
    return {
        "positives": len(task.positives),
        "epochs": epochs,
        "validation_auroc": record["validation"]["auroc"],
        "test_auroc": record["metrics"]["forward"]["auroc"],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    found: dict[str, dict] = {}
    for name in SETS:
        for recipe in RECIPES:
            found.setdefault(name, {})[recipe] = tried(given.data, name, recipe)
            print(name, recipe, found[name][recipe], file=sys.stderr, flush=True)
    print(json.dumps({"versions": versions(), "sets": found}, indent=1))


if __name__ == "__main__":
    main()
