"""Make the models that are shipped: fine-tune the global model on each set, export, list them.

    python train/make_models.py --data DATA --runs RUNS
    python train/make_models.py --data DATA --runs RUNS --tier gm12878
    python train/make_models.py --data DATA --runs RUNS --tier pan

Each step is a `saresnet` command, printed as it is run. A finished run is not
trained again, and a model that is newer than its run is not exported again, so
the script goes on after a kill. The models of the tiers `encode` and `gm12878`
are installed with the package; those of `pan` are made in `models/extra/`, a
folder that a release uploads as it is, for `saresnet models fetch`. All commands
are written to `commands.sh` of the folder, and its models listed in
`registry.json`. The global model comes first: the first of the commands.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from saresnet_cli import selftest
from saresnet_cli.model import load_model
from saresnet_cli.registry.index import Entry, write_index
from saresnet_train.checkpoint import strip_checkpoint
from saresnet_train.data import DataSet, read_manifest, read_windows
from saresnet_train.recipe import passes

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


def few_passes(positives: int) -> int:
    """Return how many epochs a set of the tier `pan` is trained for: fewer than others, as there are so many."""
    return max(1, min(10, round(6_000 / positives)))


@dataclass(frozen=True)
class Tier:
    """How the sets of a tier of the data become models.

    folder: below `models`; passes: epochs by the number of positives; background: windows behind the p-values, at
    most (None: as many as `saresnet export` takes).
    """

    folder: str = "."
    passes: Callable[[int], int] = passes
    background: int | None = None


TIERS = {"encode": Tier(), "gm12878": Tier(), "pan": Tier("extra", few_passes, 40_000)}
"""In this order: a set whose name an earlier tier has is left out."""


def call(command: list[object], log: Path) -> None:
    """Run a command and append what it says to `log`; raises CalledProcessError when it fails."""
    words = [str(word) for word in command]
    print(shlex.join(words), file=sys.stderr, flush=True)
    with log.open("a") as said:
        subprocess.run([sys.executable, "-m", "saresnet_cli", *words[1:]], check=True, stdout=said, stderr=said)


def sets_of(data: Path, tier: str) -> list[DataSet]:
    """Return the sets of a tier; one whose name an earlier tier has is left out, since an id is one model's."""
    before = list(TIERS)[: list(TIERS).index(tier)]
    taken = {s.name for s in read_manifest(data, tuple(before))} if before else set()
    return [s for s in read_manifest(data, (tier,)) if s.name not in taken]


def commands(chosen: DataSet, real: Path, data: Path, runs: Path, models: Path) -> tuple[list[object], list[object]]:
    """Return the commands that fine-tune and export the model of a set.

    real: the data folder, in which peaks and positives are looked up; data, runs, models: as the commands name them.
    """
    tier = TIERS[chosen.tier]
    own = sorted((real / "chr22").glob(f"{chosen.name}.*"))
    background: list[object] = ["--background", data / GENOME]
    for peaks in own or sorted((real / "chr22").glob(f"{chosen.tf}_*")):
        background += ["--exclude", data / "chr22" / peaks.name]
    recipe: list[object] = ["--epochs", tier.passes(len(read_windows(real / chosen.tier / chosen.name / POSITIVES)))]
    if own:  # hard windows of a background whose bound sites are not known would be bound ones
        recipe += ["--learning-rate", 0.0015, "--genomic", 4, "--hard", 0.25]
    which: list[object] = ["--data", data, "--set", f"{chosen.tier}/{chosen.name}"]
    checkpoint = runs / chosen.name / "checkpoint.pt"
    finetune: list[object] = ["saresnet", "train", "finetune", *which, "--from", runs / "global/checkpoint.pt"]
    finetune += [*background, "--hold-out", HELD_OUT, *CHOSEN.get(chosen.name, recipe), "--threads", 1]
    output = models / tier.folder / f"{chosen.name}.onnx"
    export: list[object] = ["saresnet", "export", checkpoint, "-o", output, *which, *background, "--only", HELD_OUT]
    if tier.background is not None:
        export += ["--background-windows", tier.background]
    return [*finetune, "-o", checkpoint.parent], [*export, "--threads", 1]


def export_global(data: Path, runs: Path, models: Path) -> list[object]:
    """Return the command that exports the global model, judged on the test files of the tier `encode`."""
    checkpoint, output = runs / "global/checkpoint.pt", models / "global.onnx"
    which: list[object] = ["--data", data, "--tier", "encode", "--background", data / GENOME, "--only", HELD_OUT]
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
    model = MODELS / TIERS[chosen.tier].folder / f"{chosen.name}.onnx"
    model.parent.mkdir(exist_ok=True)
    if newer(folder / "checkpoint.pt", model):
        call(export, folder / "log.txt")


def write_commands(data: Path, folder: str) -> None:
    """Write down the commands behind the models that are in a folder, `commands.sh`."""
    lines = ["# What made the models; written by train/make_models.py. DATA and RUNS are folders of yours.", PRETRAIN]
    named = Path("DATA"), Path("RUNS"), Path("models")
    for name, tier in TIERS.items():
        if tier.folder == folder:
            for chosen in sets_of(data, name):
                if not (MODELS / folder / f"{chosen.name}.onnx").exists():
                    continue
                lines += [shlex.join(map(str, words)) for words in commands(chosen, data, *named)]
    if folder == ".":
        lines.append(shlex.join(map(str, export_global(*named))))
    (MODELS / folder / "commands.sh").write_text("\n".join(lines) + "\n")


def write_registry(folder: Path) -> None:
    """List the models of a folder in its `registry.json`, from their cards, with what they give in the self-test."""
    entries = []
    for path in sorted(folder.glob("*.onnx"), key=lambda p: (p.stem == "global", p.stem.lower())):
        model = load_model(path)
        card = model.card
        metrics = {key: card.test[key] for key in ("auroc", "auprc", "accuracy")}
        entries.append(
            Entry(
                card.id, card.tf, card.cell, path.name, model.sha256, len(model.data), card.licence, metrics,
                selftest.describe(model),
            )
        )  # fmt: skip
    (folder / "registry.json").write_bytes(write_index(entries))


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--runs", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--tier", type=click.Choice(list(TIERS)), default="encode", show_default=True)
@click.option("--only", "names", multiple=True, help="Only these sets (repeatable).")
@click.option("--jobs", default=2, show_default=True, help="Sets at a time, on one thread each.")
@click.option("--list", "list_only", is_flag=True, help="Make nothing: only list the models that are there.")
def main(data: Path, runs: Path, tier: str, names: tuple[str, ...], jobs: int, list_only: bool) -> None:
    """Make the shipped models, or those that are fetched."""
    if not list_only:
        strip_checkpoint(runs / "global/checkpoint.pt", MODELS / "global.pt")
        chosen = [s for s in sets_of(data, tier) if not names or s.name in names]
        chosen.sort(key=lambda s: s.train_positive.stat().st_size)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda s: make_model(s, data, runs), chosen))
        if tier == "encode" and not names and newer(runs / "global/checkpoint.pt", MODELS / "global.onnx"):
            call(export_global(data, runs, MODELS), runs / "global/log.txt")
    folder = TIERS[tier].folder
    write_commands(data, folder)
    write_registry(MODELS / folder)


if __name__ == "__main__":
    main()
