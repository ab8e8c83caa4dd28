"""Judge a fine-tuned model beside others on the part of the genome that it was tested on, and draw it.

    pip install 'saresnet[train,plot]' lightmotif pyjaspar
    python docs/howto/finetune_figure.py --peaks CTCF_K562.narrowPeak.gz --genome 20.fa.gz CTCF_K562.onnx

Writes `finetune.json`, what was measured, and `finetune.svg`, drawn from it, beside this script. The part is that of
the model's card, its history that of the folder of its run, `CTCF_K562.train`. The PWM is a JASPAR matrix: a window's
score is its best match on either strand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.figures import drawing, save
from saresnet_cli.model import load_model
from saresnet_train.codes import reverse_complement
from saresnet_train.evaluate import open_scorer
from saresnet_train.genomic import label_windows
from saresnet_train.holdout import parse_parts
from saresnet_train.metrics import curve, measure

HERE = Path(__file__).resolve().parent
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
POINTS = 200
STRIDE = 50


def pwm_scorer(matrix: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what scores windows, (n, 101) uint8 codes -> (n,) float64, by a matrix of JASPAR (log-odds)."""
    from pyjaspar import jaspardb

    counts = jaspardb(release="JASPAR2024").fetch_motif_by_id(matrix).counts
    table = np.array([counts[letter] for letter in "ACGT"], float).T + 0.25
    odds = np.log2(table / table.sum(axis=1, keepdims=True) / 0.25)

    def score(codes: np.ndarray) -> np.ndarray:
        places = WINDOW - len(odds) + 1
        best = np.full(len(codes), -np.inf)
        for strand in (codes, reverse_complement(codes)):
            sums = np.zeros((len(codes), places))
            for i, row in enumerate(odds):
                sums += row[strand[:, i : i + places]]
            best = np.maximum(best, sums.max(axis=1))
        return best

    return score


def judge(score: Callable[[np.ndarray], np.ndarray], peaks: Path, genome: Path, part: str) -> dict:
    """Return counts, areas and the precision-recall curve, thinned, over the windows of a part of the genome."""
    labels, logits = [], []
    for windows in label_windows(genome, peaks, STRIDE, parse_parts(part)):
        labels.append(windows.labels)
        logits.append(score(windows.codes))
    truth, ranked = np.concatenate(labels), np.concatenate(logits)
    figures = measure(truth, ranked)
    bound, unbound = curve(truth, ranked)
    precision, recall = (bound / (bound + unbound))[::-1], (bound / bound[-1])[::-1]
    shown = np.searchsorted(-recall, -np.linspace(1, 0, POINTS)[:-1])
    return {
        "bound": figures["positives"],
        "unbound": figures["negatives"],
        "auroc": round(figures["auroc"], 4),
        "auprc": round(figures["auprc"], 4),
        "recall": [round(float(v), 4) for v in recall[shown]],
        "precision": [round(float(v), 4) for v in precision[shown]],
    }


def draw(results: dict) -> None:
    """Draw the precision-recall curves and the learning curve."""
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name, row in results["models"].items():
            left.plot(row["recall"], row["precision"], label=f"{name}: {row['auprc']:.3f}", linewidth=1.4)
        left.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        left.set_title(f"scan of {results['part']}, AUPRC", fontsize=9)
        left.legend(frameon=False, fontsize=8)
        history: dict[str, list[float]] = results["history"]
        right.plot(history["epoch"], history["shuffled_auprc"], label="against shuffles", marker=".")
        right.plot(history["epoch"], history["genomic_auprc"], label="against the genome, same GC", marker=".")
        right.set(xlabel="epoch", ylabel="AUPRC")
        right.set_title(f"while it trains, on {results['validation']}", fontsize=9)
        right.legend(frameon=False, fontsize=8)
        save(figure, HERE / "finetune.svg")


@click.command()
@click.argument("model", type=FILE)
@click.option("--peaks", type=FILE, required=True)
@click.option("--genome", type=FILE, required=True)
@click.option("--others", default="CTCF_GM12878,global", show_default=True, help="Shipped models beside it.")
@click.option("--matrix", default="MA0139.1", show_default=True, help="JASPAR matrix beside it.")
@click.option("--threads", type=int)
def main(model: Path, peaks: Path, genome: Path, others: str, matrix: str, threads: int | None) -> None:
    """Judge MODEL and others, and draw the figure."""
    card = load_model(model).card
    part = str(card.test["part"])
    named: dict[str, Any] = {
        f"{card.id}, fine-tuned": model,
        **{f"{name}, shipped": name for name in others.split(",")},
    }
    results: dict[str, Any] = {"part": part, "validation": card.train["validation"], "models": {}}
    for name, chosen in named.items():
        with open_scorer(chosen, threads=threads) as score:
            results["models"][name] = judge(score, peaks, genome, part)
    results["models"][f"PWM {matrix}"] = judge(pwm_scorer(matrix), peaks, genome, part)
    with (model.with_suffix(".train") / "history.tsv").open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    columns = ("epoch", "train_loss", "shuffled_auprc", "genomic_auprc")
    results["history"] = {column: [float(row[column]) for row in rows] for column in columns}
    (HERE / "finetune.json").write_text(json.dumps(results, indent=1) + "\n")
    draw(results)
    for name, row in results["models"].items():
        click.echo(f"{name}\t{row['bound']}\t{row['unbound']}\t{row['auroc']:.4f}\t{row['auprc']:.4f}")


if __name__ == "__main__":
    main()
