"""From peaks to a model that scans: windows, training, export and evaluation in one call."""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from saresnet_cli.card import METADATA_KEY, Card
from saresnet_cli.errors import OutputError
from saresnet_cli.model import load_model
from saresnet_cli.naming import check_name
from saresnet_cli.output import open_output
from saresnet_train.background import Background
from saresnet_train.codes import decode
from saresnet_train.evaluate import evaluate_genome, evaluate_windows, open_scorer
from saresnet_train.peakset import PeakSet, Prepared, prepare
from saresnet_train.recipe import SCANNER, Recipe, passes
from saresnet_train.run import say_line

STRIDE = 50
"""Bases between the windows of the scan that a model is judged on."""

_SEEN_BEFORE = (
    "; the global model that training began with knows bound windows of the whole genome (of hg19 all but chr20, and "
    "chr22 from 44 Mb on), perhaps some of this part, by other experiments"
)

FILES = ("train.positive", "test.positive", "test.negative", "test.genomic")
"""Windows that are kept in the folder of the run, as FASTA."""


@dataclass(frozen=True)
class Made:
    """A model that was made.

    figures: a row for each kind of windows that the bound ones were judged against: against, bound, unbound,
    auroc, auprc.
    """

    path: Path
    card: Card
    figures: tuple[dict, ...]


def global_weights() -> Path:
    """Return the weights of the global model that is shipped, `global.pt`."""
    return Path(str(resources.files("saresnet_models"))) / "global.pt"


def make_model(
    source: PeakSet,
    output: Path,
    *,
    tf: str,
    cell: str,
    recipe: Recipe = SCANNER,
    epochs: int | None = None,
    start: Path | None = None,
    from_scratch: bool = False,
    work: Path | None = None,
    seed: int = 1,
    threads: int | None = None,
    device: str = "auto",
    save_every: float = 120.0,
    quiet: bool = False,
    say: Callable[[str], None] = say_line,
) -> Made | None:
    """Train a model on peaks, judge it on parts of the genome that are held out of that, and write it as ONNX.

    epochs: default by the number of peaks. start: checkpoint to start from, default the global model that is
    shipped. work: folder of the run, default `output` with the ending `.train`; a run that was killed goes on
    there. save_every: seconds between checkpoints. Returns None in the processes of torchrun that do not lead. The
    same input gives the same bytes on one machine. Raises SaresnetError on bad input; then there is no file.
    """
    if not output.parent.is_dir():
        raise OutputError("no such folder", path=output.parent, cure="make it")
    for what, name in (("tf", tf), ("cell", cell)):
        check_name(what, name)
    # before torch is loaded, which takes seconds: a mistake in the peaks is told at once
    prepared = prepare(source, recipe, seed)
    from saresnet_export.export import Material, export_model
    from saresnet_train.finetune import transfer
    from saresnet_train.hardware import Hardware

    hardware = Hardware.find(device, threads=threads)
    tell = say if hardware.lead and not quiet else lambda line: None
    work = work or output.with_suffix(".train")
    begin = None if from_scratch else start or global_weights()
    hard = recipe.hard if recipe.genomic else 0.0
    recipe = replace(recipe, hard=hard, epochs=epochs or passes(len(prepared.split.training)))
    tell(f"{source.peaks.name}: {prepared.split}")
    words: list[object] = ["saresnet", "finetune", source.peaks, source.genome, "--tf", tf, "--cell", cell]
    words += _options(source, prepared, recipe)
    words += ["--from-scratch"] if from_scratch else [] if start is None else ["--from", start]
    words += ["--seed", seed, *([] if threads is None else ["--threads", threads])]
    words += [] if device == "auto" else ["--device", device]
    tell(f"to repeat: {shlex.join(map(str, [*words, '-o', output]))}")
    identity = {"id": source.id, "tf": tf, "cell": cell, "source": source.peaks.name}
    transfer(
        prepared.training, work, recipe, identity, start=begin, seed=seed, hardware=hardware, save_every=save_every,
        quiet=quiet, say=say,
    )  # fmt: skip
    if not hardware.lead:
        return None
    files = _write_windows(prepared, work, seed)
    material = Material(
        test_positive=(files["test.positive"],),
        test_negative=(files["test.negative"],),
        positives=(files["train.positive"],),
        genome=Background(source.genome, exclude=(source.peaks, *source.exclude)),
        only=(*prepared.valid, *prepared.test),
    )
    exported = work / "model.onnx"
    # by the engine that scans here, in half the time or less: the card is this machine's
    report = export_model(work / "checkpoint.pt", exported, material=material, threads=threads, engine="auto", say=tell)
    for note in report.notes:
        tell(note)
    tell(f"scanning {prepared.test_text}")
    figures = _judge(exported, source, prepared, files, threads, device)
    command = shlex.join(word.name if isinstance(word, Path) else str(word) for word in words)
    card = _describe(load_model(exported).card, prepared, figures, command, shipped=not (from_scratch or start))
    _write_model(exported, card, output)
    tell(f"{output}: try it with `saresnet scan {source.genome} --model {output}`")
    return Made(output, card, figures)


def _options(source: PeakSet, prepared: Prepared, recipe: Recipe) -> list[object]:
    """Return the options that make the same windows and train on them in the same way; what was chosen is in them."""
    words: list[object] = ["--test-chroms", prepared.test_text, "--valid-chroms", prepared.valid_text]
    for path in source.exclude:
        words += ["--exclude", path]
    words += [] if source.top is None else ["--top", source.top]
    for name in ("shuffles", "genomic", "flanks", "epochs", "learning_rate"):
        words += [f"--{name.replace('_', '-')}", f"{getattr(recipe, name):g}"]
    return words


def _write_windows(prepared: Prepared, work: Path, seed: int) -> dict[str, Path]:
    """Write windows to train and to test on into the folder of the run; returns the files by name."""
    shuffled, genomic = prepared.negatives(seed)
    split = prepared.split
    made = {}
    for name, codes in zip(FILES, (split.training.codes, split.testing.codes, shuffled, genomic), strict=True):
        made[name] = work / f"{name}.fa.gz"
        text = "".join(f">{i}\n{row.tobytes().decode()}\n" for i, row in enumerate(decode(codes), 1))
        made[name].write_bytes(gzip.compress(text.encode(), mtime=0))
    return made


def _judge(
    model: Path,
    source: PeakSet,
    prepared: Prepared,
    files: dict[str, Path],
    threads: int | None,
    device: str,
) -> tuple[dict, ...]:
    """Measure a model on what was held out: one row a kind of unbound windows."""
    with open_scorer(model, threads=threads, device=device) as score:
        measured = {
            "shuffles": evaluate_windows(score, files["test.positive"], files["test.negative"]),
            "genome, same GC": evaluate_windows(score, files["test.positive"], files["test.genomic"]),
        }
        measured[f"scan, stride {STRIDE}"] = evaluate_genome(
            score, source.genome, source.peaks, STRIDE, prepared.test, source.exclude
        )
    return tuple(
        {
            "against": kind,
            "bound": row["positives"],
            "unbound": row["negatives"],
            "auroc": round(row["auroc"], 6),
            "auprc": round(row["auprc"], 6),
        }
        for kind, row in measured.items()
    )


def _describe(card: Card, prepared: Prepared, figures: tuple[dict, ...], command: str, shipped: bool) -> Card:
    """Add to the card what was held out, what was measured there, and how to repeat it."""
    _, genomic, scan = figures
    test = {
        **card.test,
        "part": prepared.test_text,
        "genomic_auroc": genomic["auroc"],
        "genomic_auprc": genomic["auprc"],
        "scan_bound": scan["bound"],
        "scan_unbound": scan["unbound"],
        "scan_auroc": scan["auroc"],
        "scan_auprc": scan["auprc"],
        "scan_protocol": (
            f"windows of the part at multiples of {STRIDE} bp, without N; bound is one that covers a summit with 10 bp "
            "to spare, those that only touch a peak are left out; the genomic windows are as many as are bound, "
            "outside all peaks, of the same GC content" + (_SEEN_BEFORE if shipped else "")
        ),
    }
    train = {**card.train, "validation": prepared.valid_text, "command": command}
    return replace(card, test=test, train=train)


def _write_model(exported: Path, card: Card, output: Path) -> None:
    import onnx

    model = onnx.load(exported)
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    with open_output(output) as sink:
        sink.write(model.SerializeToString(deterministic=True))
