"""Make the models that are shipped: fine-tune the global model on each set, export, list them.

    python train/make_models.py --data DATA --runs RUNS

Each step is a `saresnet` command, printed as it is run. A finished run is not
trained again, and a model that is newer than its run is not exported again, so
the script goes on after a kill. The global model comes first:

    saresnet train pretrain --data DATA -o RUNS/global \\
        --background DATA/genome/hg19.chr22.partial.fa.gz --hold-out chr22:44000000-51304566
"""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from saresnet_cli.model_file import read_card
from saresnet_train.data import DataSet, read_manifest, read_windows

HELD_OUT = "chr22:44000000-51304566"
"""Part of the background genome that no model is trained on; p-values are calibrated there."""

CHOSEN: dict[str, list[object]] = {
    "CTCF_GM12878": [
        "--also",
        "encode/CTCF_Dnd41",
        "--learning-rate",
        0.002,
        "--genomic",
        8,
        "--hard",
        0.5,
        "--epochs",
        5,
    ],
    "CTCF_Dnd41": ["--also", "encode/CTCF_GM12878", "--learning-rate", 0.002, "--epochs", 4],
}
"""Sets with a recipe of their own, chosen on the held-out part of chr22."""

MODELS = Path(__file__).resolve().parent.parent / "models"


def call(command: list[object], log: Path) -> None:
    """Run a command and append what it says to `log`; raises CalledProcessError when it fails."""
    words = [str(word) for word in command]
    print(shlex.join(words), file=sys.stderr, flush=True)
    with log.open("a") as said:
        subprocess.run([sys.executable, "-m", "saresnet_cli", *words[1:]], check=True, stdout=said, stderr=said)


def passes(positives: int) -> int:
    """Return how many epochs a set is trained for: more for a small one, which has fewer steps in each."""
    return max(2, min(10, round(40_000 / positives)))


def make_model(chosen: DataSet, data: Path, runs: Path) -> None:
    """Fine-tune and export the model of one set."""
    background: list[object] = ["--background", data / "genome/hg19.chr22.partial.fa.gz"]
    own = sorted((data / "chr22").glob(f"{chosen.name}.*"))
    for peaks in own or sorted((data / "chr22").glob(f"{chosen.tf}_*")):
        background += ["--exclude", peaks]
    # hard windows of a background whose bound sites are not known would be bound ones
    hard: list[object] = ["--learning-rate", 0.0015, "--genomic", 4, "--hard", 0.25] if own else []
    folder = runs / chosen.name
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    special = CHOSEN.get(chosen.name) or ["--epochs", passes(len(read_windows(chosen.train_positive))), *hard]
    call(
        [
            "saresnet", "train", "finetune", "--data", data, "--set", f"{chosen.tier}/{chosen.name}",
            "--from", runs / "global/checkpoint.pt", *background, "--hold-out", HELD_OUT, *special, "--threads", 1,
            "-o", folder,
        ],
        folder / "log.txt",
    )  # fmt: skip
    exported = MODELS / f"{chosen.name}.onnx"
    if not exported.exists() or exported.stat().st_mtime < checkpoint.stat().st_mtime:
        call(
            [
                "saresnet", "export", checkpoint, "-o", exported, "--data", data,
                "--set", f"{chosen.tier}/{chosen.name}", *background, "--only", HELD_OUT, "--threads", 1,
            ],
            folder / "log.txt",
        )  # fmt: skip


def make_global(data: Path, runs: Path, tier: str) -> None:
    """Export the global model, judged on the test files of a tier."""
    call(
        [
            "saresnet", "export", runs / "global/checkpoint.pt", "-o", MODELS / "global.onnx", "--data", data,
            "--tier", tier, "--background", data / "genome/hg19.chr22.partial.fa.gz", "--only", HELD_OUT,
        ],
        runs / "global/log.txt",
    )  # fmt: skip


def write_registry() -> None:
    """List the models of the folder in `registry.json`, from their cards."""
    entries = []
    for path in sorted(MODELS.glob("*.onnx"), key=lambda p: (p.stem == "global", p.stem.lower())):
        content = path.read_bytes()
        card = read_card(content, path)
        entries.append(
            {
                "id": card.id, "tf": card.tf, "cell": card.cell, "file": path.name,
                "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "licence": card.licence,
                "metrics": {key: card.test[key] for key in ("auroc", "auprc", "accuracy")},
            }
        )  # fmt: skip
    (MODELS / "registry.json").write_text(json.dumps({"format": 1, "models": entries}, indent=1) + "\n")


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--runs", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--tier", default="encode", show_default=True)
@click.option("--only", "names", multiple=True, help="Only these sets (repeatable).")
@click.option("--jobs", default=2, show_default=True, help="Sets at a time, on one thread each.")
def main(data: Path, runs: Path, tier: str, names: tuple[str, ...], jobs: int) -> None:
    """Make the shipped models."""
    sets = [s for s in read_manifest(data, (tier,)) if not names or s.name in names]
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda s: make_model(s, data, runs), sets))
    if not names:
        make_global(data, runs, tier)
    write_registry()


if __name__ == "__main__":
    main()
