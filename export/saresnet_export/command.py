"""`saresnet export`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from saresnet_cli.commands.options import kept_apart
from saresnet_cli.commands.types import Name

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@kept_apart(("checkpoint", "test_positive", "test_negative", "positives", "background", "exclude"))
@click.argument("checkpoint", type=FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File to write, .onnx; or .adapter, what `train finetune --rank` learnt, for saresnet alone.",
)
@click.option(
    "--strands", type=click.Choice(["both", "forward"]), default="both", show_default=True, help="Scored, and averaged."
)
@click.option(
    "--weights",
    type=click.Choice(["auto", "float16", "float32"]),
    default="auto",
    show_default=True,
    help="How weights are stored; auto is float16 if the test AUROC stays within 0.0002.",
)
@click.option("--id", "identity", type=Name(), help="Id of the model; default: the checkpoint's, or TF_CELL.")
@click.option("--tf", type=Name(), help="Factor; default: the checkpoint's.")
@click.option("--cell", type=Name(), help="Cell type; default: the checkpoint's.")
@click.option("--source", help="Experiment that the bound windows come from; default: the checkpoint's.")
@click.option("--assay", default="ChIP-seq", show_default=True)
@click.option("--licence", default="MIT", show_default=True)
@click.option("--data", type=FOLDER, help="Data folder with a manifest.tsv: the test and training files of --set.")
@click.option("--set", "names", multiple=True, help="Set of the data folder; default: the model's id (repeatable).")
@click.option("--tier", "tiers", multiple=True, help="All sets of a tier of the data folder, pooled (repeatable).")
@click.option("--test-positive", type=FILE, multiple=True, help="FASTA of bound windows to judge on (repeatable).")
@click.option("--test-negative", type=FILE, multiple=True, help="FASTA of unbound windows to judge on (repeatable).")
@click.option(
    "--positives", type=FILE, multiple=True, help="FASTA of bound windows to shuffle as background (repeatable)."
)
@click.option("--background", type=FILE, metavar="FASTA", help="Genome whose windows are background, for p-values.")
@click.option(
    "--exclude",
    type=FILE,
    multiple=True,
    metavar="PEAKS",
    help="BED or narrowPeak of bound sites to leave out (repeatable).",
)
@click.option("--only", multiple=True, metavar="CHROM:START-END", help="Part of the genome to take (repeatable).")
@click.option(
    "--background-windows",
    type=click.IntRange(min=1000),
    default=200_000,
    show_default=True,
    help="Of the genome, at most.",
)
@click.option(
    "--background-shuffles",
    type=click.IntRange(min=1000),
    default=20_000,
    show_default=True,
    help="Of the bound windows of the training files.",
)
@click.option(
    "--engine",
    type=click.Choice(["onnxruntime", "openvino"]),
    default="onnxruntime",
    show_default=True,
    help="What scores test files and background.",
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: all cores there are.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def export(
    checkpoint: Path,
    output: Path,
    strands: str,
    weights: str,
    identity: str | None,
    tf: str | None,
    cell: str | None,
    source: str | None,
    assay: str,
    licence: str,
    data: Path | None,
    names: tuple[str, ...],
    tiers: tuple[str, ...],
    test_positive: tuple[Path, ...],
    test_negative: tuple[Path, ...],
    positives: tuple[Path, ...],
    background: Path | None,
    exclude: tuple[Path, ...],
    only: tuple[str, ...],
    background_windows: int,
    background_shuffles: int,
    engine: str,
    threads: int | None,
    quiet: bool,
) -> None:
    """Write a checkpoint as one ONNX file that reads raw DNA.

    The file is compared with torch before it appears. Its model card holds the
    test metrics, and how background scores, from which a scan has its p-values.
    Prints a report as JSON.
    """
    from saresnet_export.export import Material, export_model
    from saresnet_export.sets import sets_of
    from saresnet_train.background import Background, parse_interval

    if (names or tiers) and data is None:
        raise click.UsageError("--set and --tier need --data")
    if bool(test_positive) != bool(test_negative):
        raise click.UsageError("--test-positive goes with --test-negative")
    if (exclude or only) and background is None:
        raise click.UsageError("--exclude and --only need --background")
    if data is not None:
        if test_positive or positives:
            raise click.UsageError("give either --data, or --test-positive, --test-negative and --positives")
        chosen = sets_of(data, names, tiers, checkpoint, identity)
        test_positive = tuple(s.test_positive for s in chosen)
        test_negative = tuple(s.test_negative for s in chosen)
        positives = tuple(s.train_positive for s in chosen)
    material = Material(
        test_positive=test_positive,
        test_negative=test_negative,
        positives=positives,
        genome=None if background is None else Background(background, exclude=exclude),
        only=tuple(parse_interval(text) for text in only),
        count=background_windows,
        shuffles=background_shuffles,
    )
    report = export_model(
        checkpoint,
        output,
        strands=strands,
        weights=weights,
        material=material,
        id=identity,
        tf=tf,
        cell=cell,
        source=source,
        assay=assay,
        licence=licence,
        engine=engine,
        threads=threads,
        say=(lambda line: None) if quiet else (lambda line: click.echo(line, err=True)),
    )
    if not quiet:
        for note in report.notes:
            click.echo(f"note: {note}", err=True)
        click.echo(
            f"{report.path}: {report.bytes:,} bytes, {report.weights} weights, "
            f"logits within {report.agreement.logit:.1g} of torch",
            err=True,
        )
    click.echo(json.dumps(report.as_dict(), indent=1))
