"""Tries recipes of direct learning on a few sets: batch size, passes, which weights; what the benchmark should have.

    python benchmarks/direct_recipe.py --data DATA

The results go to benchmarks/results/direct_recipe.json as they come, and what is there is not run again.

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

from saresnet_cli.output import whole_file
from saresnet_train.benchmark.judging import judge
from saresnet_train.benchmark.networks import MOST_DIRECT, OWN_DIRECT, Learning
from saresnet_train.benchmark.running import TIERS
from saresnet_train.benchmark.task import Task
from saresnet_train.data import read_manifest
from saresnet_train.recipe import passes

SMALL = ("EBF1_GM12878", "BATF_GM12878", "EZH2_Dnd41", "TAF1_A549")
MEDIUM = ("ELK1_GM12878", "FOSL2_HepG2")

RECIPES = {
    "128": (128, 1, "last"),
    "128, twice": (128, 2, "last"),
    "32": (32, 1, "last"),
    "32, twice": (32, 2, "last"),
    "32, twice, best": (32, 2, "best"),
    "32, four times": (32, 4, "last"),
    "16, twice": (16, 2, "last"),
}
"""Batch size, how many times the passes that a set of its size has, and which weights count: the last, or the best by
validation loss."""

PASSES = ("32", "32, twice")
"""Those that are tried on each small set; the others on the first alone, and on the medium sets."""

RESULTS = Path(__file__).resolve().parent / "results" / "direct_recipe.json"


def tried(data: Path, name: str, recipe: str) -> dict:
    """Learn a set by a recipe and return what came of it."""
    (chosen,) = (each for each in read_manifest(data, TIERS) if each.name == name)
    batch_size, times, keep = RECIPES[recipe]
    with tempfile.TemporaryDirectory() as folder:
        task = Task.of(chosen, 1, torch.device("cpu"), 1, Path(folder), Path(folder))
        epochs = times * passes(len(task.positives), MOST_DIRECT)
        began = time.perf_counter()
        outcome = Learning(OWN_DIRECT.changed(batch_size=batch_size, epochs=epochs, keep=keep), most=None)(task)
        seconds = time.perf_counter() - began
        record, _ = judge(task, outcome)
    return {
        "positives": len(task.positives),
        "epochs": epochs,
        "validation_auroc": record["validation"]["auroc"],
        "validation_loss": record["validation"]["loss"],
        "test_auroc": record["metrics"]["forward"]["auroc"],
        "test_loss": record["metrics"]["forward"]["loss"],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in (*SMALL, *MEDIUM):
        for recipe in PASSES if name in SMALL[1:] else RECIPES:
            done = found.setdefault(name, {})
            if recipe not in done:
                done[recipe] = tried(given.data, name, recipe)
                with whole_file(RESULTS, ".json") as part:
                    part.write_text(json.dumps(found, indent=1) + "\n")
            print(name, recipe, done[recipe], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
