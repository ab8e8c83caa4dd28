"""Make the models that are shipped: fine-tune the global model on each set, export, list them.

    python train/make_models.py --data DATA --runs RUNS
    python train/make_models.py --data DATA --runs RUNS --tier gm12878
    python train/make_models.py --data DATA --runs RUNS --tier pan

Each step is a `saresnet` command, printed as it is run. A finished run is not
trained again, and a model that is newer than its run is not exported again, so
the script goes on after a kill. The models of the tier `encode` are complete
files; those of `gm12878` and `pan` are adapters of the global one, a fifteenth as
large. All commands are written to `models/commands.sh`, and the models listed in
`models/registry.json`. The global model comes first: the first of the commands.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import shlex
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from saresnet_cli import main, selftest
from saresnet_cli.model import Model, load_model
from saresnet_cli.registry import Registry
from saresnet_cli.registry.index import SUFFIX, Entry, write_index
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


SHOWN = 5_000
"""Bound windows that a model of the tier `pan` is shown: a larger set's are drawn, a smaller set's come again."""


def few_passes(positives: int) -> int:
    """Return how many passes show `SHOWN` bound windows, ten at most, by the number of positives."""
    return min(10, -(-SHOWN // positives))


@dataclass(frozen=True)
class Tier:
    """How the sets of a tier of the data become models.

    suffix: of their files; passes: epochs by the number of positives; finetune, export: further options.
    """

    suffix: str
    passes: Callable[[int], int]
    finetune: str = ""
    export: str = ""


_EXPORTED = "--weights float16 --background-windows 20000 --background-shuffles 5000 --engine openvino"

TIERS = {
    "encode": Tier(".onnx", partial(passes, most=10)),
    "gm12878": Tier(SUFFIX, partial(passes, most=10), "--rank 4 --batch-size 32 --learning-rate 0.005", _EXPORTED),
    "pan": Tier(SUFFIX, few_passes, f"--rank 4 --learning-rate 0.01 --shuffles 1 --most {SHOWN}", _EXPORTED),
}
"""In this order: a set whose name an earlier tier has is left out."""


def call(command: list[object], log: Path) -> None:
    """Run a command in this process and append what it says to `log`; raises RuntimeError when it fails."""
    words = [str(word) for word in command]
    print(shlex.join(words), file=sys.stderr, flush=True)
    with log.open("a") as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main.main(words[1:])
    if code:
        raise RuntimeError(f"{shlex.join(words)} ended with {code}: see {log}")


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
    recipe += shlex.split(tier.finetune)
    if own and not tier.finetune:  # hard windows of a background whose bound sites are not known would be bound ones
        recipe += ["--learning-rate", 0.0015, "--genomic", 4, "--hard", 0.25]
    which: list[object] = ["--data", data, "--set", f"{chosen.tier}/{chosen.name}"]
    checkpoint = runs / chosen.name / "checkpoint.pt"
    finetune: list[object] = ["saresnet", "train", "finetune", *which, "--from", runs / "global/checkpoint.pt"]
    finetune += [*background, "--hold-out", HELD_OUT, *CHOSEN.get(chosen.name, recipe), "--threads", 1]
    output = models / f"{chosen.name}{tier.suffix}"
    export: list[object] = ["saresnet", "export", checkpoint, "-o", output, *which, *background, "--only", HELD_OUT]
    return [*finetune, "-o", checkpoint.parent], [*export, *shlex.split(tier.export), "--threads", 1]


def export_global(data: Path, runs: Path, models: Path) -> list[object]:
    """Return the command that exports the global model, judged on the test files of the tier `encode`."""
    checkpoint, output = runs / "global/checkpoint.pt", models / "global.onnx"
    which: list[object] = ["--data", data, "--tier", "encode", "--background", data / GENOME, "--only", HELD_OUT]
    return ["saresnet", "export", checkpoint, "-o", output, *which]


def newer(checkpoint: Path, model: Path) -> bool:
    """Whether a model has to be exported: there is none, or it is older than its checkpoint."""
    return not model.exists() or model.stat().st_mtime < checkpoint.stat().st_mtime


def make_model(chosen: DataSet, data: Path, runs: Path) -> None:
    """Fine-tune and export the model of one set, in a process that makes one after the other."""
    folder = runs / chosen.name
    folder.mkdir(parents=True, exist_ok=True)
    finetune, export = commands(chosen, data, data, runs, MODELS)
    call(finetune, folder / "log.txt")
    model = MODELS / f"{chosen.name}{TIERS[chosen.tier].suffix}"
    if newer(folder / "checkpoint.pt", model):
        call(export, folder / "log.txt")


def write_commands(data: Path) -> None:
    """Write down the commands behind the models that there are, `commands.sh`."""
    lines = ["# What made the models; written by train/make_models.py. DATA and RUNS are folders of yours.", PRETRAIN]
    named = Path("DATA"), Path("RUNS"), Path("models")
    for name, tier in TIERS.items():
        for chosen in sets_of(data, name):
            if (MODELS / f"{chosen.name}{tier.suffix}").exists():
                lines += [shlex.join(map(str, words)) for words in commands(chosen, data, *named)]
    lines.append(shlex.join(map(str, export_global(*named))))
    (MODELS / "commands.sh").write_text("\n".join(lines) + "\n")


def write_registry() -> None:
    """List the models in `registry.json`, from their cards, with what they give in the self-test.

    What is listed of a model that has not changed stays, since another machine rounds the logits differently.
    """
    listed = []
    before = {entry.file: entry for entry in Registry.read(MODELS).entries}
    files = [path for path in MODELS.iterdir() if path.suffix in (".onnx", SUFFIX)]
    for path in sorted(files, key=lambda p: (p.stem == "global", p.stem.lower())):
        model = load_model(path)
        known = before.get(path.name)
        listed.append(known if known and known.sha256 == model.sha256 else entry_of(model))
    (MODELS / "registry.json").write_bytes(write_index(listed))


def entry_of(model: Model) -> Entry:
    """Return what the registry says of a model."""
    card = model.card
    metrics = {key: card.test[key] for key in ("auroc", "auprc", "accuracy")}
    told = selftest.describe(model)
    file = model.path.name
    return Entry(card.id, card.tf, card.cell, file, model.sha256, len(model.data), card.licence, metrics, told)


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--runs", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--tier", type=click.Choice(list(TIERS)), default="encode", show_default=True)
@click.option("--only", "names", multiple=True, help="Only these sets (repeatable).")
@click.option("--jobs", default=2, show_default=True, help="Sets at a time, on one thread each.")
@click.option("--list", "list_only", is_flag=True, help="Make nothing: only list the models that are there.")
def make(data: Path, runs: Path, tier: str, names: tuple[str, ...], jobs: int, list_only: bool) -> None:
    """Make the models of a tier, and list all that there are."""
    if not list_only:
        if (runs / "global/checkpoint.pt").resolve() != (MODELS / "global.pt").resolve():
            strip_checkpoint(runs / "global/checkpoint.pt", MODELS / "global.pt")
        chosen = [s for s in sets_of(data, tier) if not names or s.name in names]
        chosen.sort(key=lambda s: s.train_positive.stat().st_size)
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            for done in [pool.submit(make_model, s, data, runs) for s in chosen]:
                done.result()
        if tier == "encode" and not names and newer(runs / "global/checkpoint.pt", MODELS / "global.onnx"):
            call(export_global(data, runs, MODELS), runs / "global/log.txt")
    write_commands(data)
    write_registry()


if __name__ == "__main__":
    make()
