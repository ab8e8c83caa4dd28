"""`saresnet finetune`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from saresnet_cli.commands.options import debug_option, kept_apart, quiet_option
from saresnet_cli.commands.types import Name, NumberRange

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN: Any = {"show_default": True}


@click.command(no_args_is_help=True)
@kept_apart(("peaks", "genome", "exclude", "start"))
@click.argument("peaks", metavar="PEAKS", type=FILE)
@click.argument("genome", metavar="GENOME.fa", type=FILE)
@click.option("--tf", metavar="TF", type=Name(), required=True, help="Transcription factor, such as CTCF.")
@click.option("--cell", metavar="CELL", type=Name(), required=True, help="Cell type, such as K562.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Model to write.")
@click.option("--test-chroms", metavar="LIST", help="Test on these.", show_default="a tenth of the peaks")
@click.option("--valid-chroms", metavar="LIST", help="Validate on these.", show_default="another tenth")
@click.option("--exclude", type=FILE, multiple=True, metavar="BED", help="Take no negatives here (repeatable).")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Learn from the N strongest.", show_default="all")
@click.option("--shuffles", type=NumberRange(0), metavar="N", default=1.0, help="Shuffles a peak.", **SHOWN)
@click.option("--genomic", type=NumberRange(0), metavar="N", default=8.0, help="Genome windows a peak.", **SHOWN)
@click.option("--flanks", type=NumberRange(0), metavar="N", default=1.0, help="Windows beside a peak.", **SHOWN)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes.", show_default="by the number of peaks")
@click.option("--learning-rate", type=NumberRange(0, min_open=True), metavar="R", default=0.0015, **SHOWN)
@click.option("--from", "start", type=FILE, metavar="FILE", help="Start from these weights.", show_default="global")
@click.option("--from-scratch", is_flag=True, help="Start from nothing.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Folder.", show_default="OUTPUT.train")
@click.option("--seed", type=click.IntRange(0), metavar="N", default=1, **SHOWN)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Of the CPU.", show_default="all it may use")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", **SHOWN)
@quiet_option
@debug_option
def finetune(
    peaks: Path,
    genome: Path,
    tf: str,
    cell: str,
    output: Path,
    test_chroms: str | None,
    valid_chroms: str | None,
    exclude: tuple[Path, ...],
    top: int | None,
    epochs: int | None,
    start: Path | None,
    from_scratch: bool,
    work: Path | None,
    seed: int,
    threads: int | None,
    device: str,
    **changed: Any,
) -> None:
    """Train a model of a factor from its peaks, and measure it.

    PEAKS is BED or narrowPeak, GENOME.fa plain or BGZF. The shipped global
    model is fine-tuned on windows at the summits against their dinucleotide
    shuffles, windows of the genome with like GC content, and windows 200 to
    1000 bp beside the summits, all outside the peaks. Parts of the genome are
    kept from training to test on: a LIST such as chr8,chr9 or chr20:1-5000000.
    After a kill the same command goes on where it was.

    \b
    saresnet finetune peaks.narrowPeak hg38.fa --tf CTCF --cell K562 -o CTCF_K562.onnx
    saresnet scan hg38.fa --model CTCF_K562.onnx > scores.bed
    """
    if start is not None and from_scratch:
        raise click.UsageError("Give either --from or --from-scratch.")
    if not any(changed[kind] for kind in ("shuffles", "genomic", "flanks")):
        raise click.UsageError("Give negatives: one of --shuffles, --genomic and --flanks above 0.")
    from saresnet_export.experiment import make_model
    from saresnet_train.commands.evaluate import table
    from saresnet_train.holdout import parse_parts
    from saresnet_train.peakset import PeakSet
    from saresnet_train.recipe import SCANNER

    log = logging.getLogger("saresnet")
    source = PeakSet(
        f"{tf}_{cell}",
        peaks,
        genome,
        parse_parts(test_chroms) if test_chroms else (),
        parse_parts(valid_chroms) if valid_chroms else (),
        exclude,
        top,
    )
    with _said_once(log):
        made = make_model(
            source,
            output,
            tf=tf,
            cell=cell,
            recipe=SCANNER.changed(**changed),
            epochs=epochs,
            start=start,
            from_scratch=from_scratch,
            work=work,
            seed=seed,
            threads=threads,
            device=device,
            quiet=not log.isEnabledFor(logging.INFO),
            say=log.info,
        )
    if made is not None:
        click.echo(table(list(made.figures)))


@contextlib.contextmanager
def _said_once(log: logging.Logger) -> Iterator[None]:
    """Let each line of a log pass once: whatever opens the genome says anew how it calls the sequences."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        before = len(said)
        said.add(record.getMessage())
        return len(said) > before

    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)
