"""Make the models that are shipped: fine-tune the global model on each set, export, list them.

    python train/make_models.py --data DATA --runs RUNS

Each step is a `saresnet` command, printed as it is run. A finished run is not
trained again, and a model that is newer than its run is not exported again, so
the script goes on after a kill. All commands are written to
`models/commands.sh`. The global model comes first: the first of them.
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

GENOME = Path("genome/hg19.chr22.partial.fa.gz")
POSITIVES = "train.positive.fa.gz"

HELD_OUT = "chr22:44000000-51304566"
"""Part of the background genome that no model is trained on; p-values are calibrated there."""

CHOSEN: dict[str, list[object]] = {
    "CTCF_GM12878": [
        *shlex.split("--also encode/CTCF_Dnd41 --learning-rate 0.002 --shuffles 1 --genomic 6 --hard 0.5 --epochs 4")
    ],
    "CTCF_Dnd41": [*shlex.split("--also encode/CTCF_GM12878 --learning-rate 0.002 --epochs 4")],
}
"""Sets with a recipe of their own, chosen on the held-out part of chr22."""

PRETRAIN = f"saresnet train pretrain --data DATA --background DATA/{GENOME} --hold-out {HELD_OUT} -o RUNS/global"
"""How the global model was trained."""

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


def commands(chosen: DataSet, real: Path, data: Path, runs: Path, models: Path) -> tuple[list[object], list[object]]:
    """Return the commands that fine-tune and export the model of a set.

    real: the data folder, in which peaks and positives are looked up; data, runs, models: as the commands name them.
    """
    own = sorted((real / "chr22").glob(f"{chosen.name}.*"))
    background: list[object] = ["--background", data / GENOME]
    for peaks in own or sorted((real / "chr22").glob(f"{chosen.tf}_*")):
        background += ["--exclude", data / "chr22" / peaks.name]
    recipe: list[object] = ["--epochs", passes(len(read_windows(real / chosen.tier / chosen.name / POSITIVES)))]
    if own:  # hard windows of a background whose bound sites are not known would be bound ones
        recipe += ["--learning-rate", 0.0015, "--genomic", 4, "--hard", 0.25]
    which: list[object] = ["--data", data, "--set", f"{chosen.tier}/{chosen.name}"]
    checkpoint = runs / chosen.name / "checkpoint.pt"
    finetune: list[object] = ["saresnet", "train", "finetune", *which, "--from", runs / "global/checkpoint.pt"]
    finetune += [*background, "--hold-out", HELD_OUT, *CHOSEN.get(chosen.name, recipe), "--threads", 1]
    export: list[object] = ["saresnet", "export", checkpoint, "-o", models / f"{chosen.name}.onnx", *which]
    return [*finetune, "-o", checkpoint.parent], [*export, *background, "--only", HELD_OUT, "--threads", 1]


def export_global(tier: str, data: Path, runs: Path, models: Path) -> list[object]:
    """Return the command that exports the global model, judged on the test files of a tier."""
    checkpoint, output = runs / "global/checkpoint.pt", models / "global.onnx"
    which: list[object] = ["--data", data, "--tier", tier, "--background", data / GENOME, "--only", HELD_OUT]
    return ["saresnet", "export", checkpoint, "-o", output, *which]


def newer(checkpoint: Path, model: Path) -> bool:
    """Whether a model has to be exported: there is none, or it is older than its checkpoint."""
    return not model.exists() or model.stat().st_mtime < checkpoint.stat().st_mtime


def make_model(chosen: DataSet, data: Path, runs: Path) -> None:
    """Fine-tune and export the model of one set."""
    folder = runs / chosen.name
    folder.mkdir(parents=True, exist_ok=True)
    finetune, export = commands(chosen, data, data, runs, MODELS)
    call(finetune, folder / "log.txt")
    if newer(folder / "checkpoint.pt", MODELS / f"{chosen.name}.onnx"):
        call(export, folder / "log.txt")


def write_commands(sets: list[DataSet], data: Path, tier: str) -> None:
    """Write down the commands behind the models, `commands.sh`."""
    lines = ["# What made the models; written by train/make_models.py. DATA and RUNS are folders of yours.", PRETRAIN]
    named = Path("DATA"), Path("RUNS"), Path("models")
    for chosen in sets:
        lines += [shlex.join(map(str, words)) for words in commands(chosen, data, *named)]
    lines.append(shlex.join(map(str, export_global(tier, *named))))
    (MODELS / "commands.sh").write_text("\n".join(lines) + "\n")


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
@click.option("--list", "list_only", is_flag=True, help="Make nothing: only list the models that are there.")
def main(data: Path, runs: Path, tier: str, names: tuple[str, ...], jobs: int, list_only: bool) -> None:
    """Make the shipped models."""
    sets = read_manifest(data, (tier,))
    if not list_only:
        chosen = [s for s in sets if not names or s.name in names]
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda s: make_model(s, data, runs), chosen))
        if not names and newer(runs / "global/checkpoint.pt", MODELS / "global.onnx"):
            call(export_global(tier, data, runs, MODELS), runs / "global/log.txt")
    write_commands(sets, data, tier)
    write_registry()


if __name__ == "__main__":
    main()
