"""`saresnet train evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from saresnet_train.commands.options import FILE, FOLDER


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--positive", type=FILE, help="FASTA of bound windows; needs --negative.")
@click.option("--negative", type=FILE, help="FASTA of unbound windows.")
@click.option("--data", type=FOLDER, help="Data folder: the test files of --set, or of the set called like the model.")
@click.option("--set", "name", help="Set of the data folder.")
@click.option("--genome", type=FILE, help="FASTA to judge a scan on; needs --peaks.")
@click.option("--peaks", type=FILE, help="BED or narrowPeak of the bound sites of that genome.")
@click.option("--only", multiple=True, metavar="CHROM:START-END", help="Judge on this part of the genome (repeatable).")
@click.option("--stride", type=click.IntRange(min=1), default=50, show_default=True)
@click.option(
    "--strands", type=click.Choice(["both", "forward"]), default="both", show_default=True, help="Of a checkpoint."
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: all cores there are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, not a table.")
def evaluate(
    models: tuple[str, ...],
    positive: Path | None,
    negative: Path | None,
    data: Path | None,
    name: str | None,
    genome: Path | None,
    peaks: Path | None,
    only: tuple[str, ...],
    stride: int,
    strands: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure models on labelled windows or on a genome with known peaks.

    MODELS are checkpoints (.pt), exported models (.onnx) or ids of shipped
    models. Accuracy, precision, recall and F1 at probability 0.5, and the areas
    under the ROC and the precision-recall curve.
    """
    if [positive is not None, data is not None, genome is not None].count(True) != 1:
        raise click.UsageError("give one of --positive and --negative, --data, or --genome and --peaks")
    if (positive is None) != (negative is None) or (genome is None) != (peaks is None):
        raise click.UsageError("--positive goes with --negative, and --genome with --peaks")
    from saresnet_train.background import parse_interval
    from saresnet_train.data import find_set
    from saresnet_train.evaluate import evaluate_genome, evaluate_windows, open_scorer

    rows = []
    for model in models:
        with open_scorer(model, strands, threads) as score:
            if genome is not None and peaks is not None:
                figures = evaluate_genome(score, genome, peaks, stride, tuple(parse_interval(text) for text in only))
            else:
                if data is not None:
                    chosen = find_set(data, name or Path(model).stem)
                    positive, negative = chosen.test_positive, chosen.test_negative
                figures = evaluate_windows(score, positive or "", negative or "")
        rows.append({"model": model, **figures})
    if as_json:
        known = [
            {key: None if value != value else value for key, value in row.items()} for row in rows
        ]  # no NaN in JSON
        click.echo(json.dumps(known, indent=1))
    else:
        click.echo(table(rows))


def table(rows: list[dict]) -> str:
    """Return rows as a table aligned for reading; floats with four decimals."""
    cells = [list(rows[0])] + [[f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
