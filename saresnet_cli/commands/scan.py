"""`saresnet scan`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import kept_apart, model_options, output_options, runtime_options, window_options
from saresnet_cli.commands.types import NumberRange
from saresnet_cli.formats.layout import FORMATS, VALUES, Layout
from saresnet_cli.formats.writing import Source, open_writer
from saresnet_cli.shards import Shard

if TYPE_CHECKING:
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@kept_apart(("genome", "regions", "model"))
@click.argument("genome", metavar="GENOME.fa")
@click.argument("regions", metavar="[REGIONS.bed|-]", required=False)
@model_options
@window_options(stride=50)
@click.option("--min-score", metavar="X", type=NumberRange(0, 1), help="Leave out windows that score less.")
@click.option("--max-pvalue", metavar="P", type=NumberRange(0, 1), help="Leave out windows with a higher p-value.")
@click.option(
    "--format",
    metavar="FORMAT",
    type=click.Choice(list(FORMATS)),
    help="bed, tsv, bedgraph, bigwig or parquet.  [default: by FILE's name, or bed]",
)
@click.option("--wide", is_flag=True, help="A column a model, a row a window (tsv, parquet).")
@click.option(
    "--value", metavar="VALUE", type=click.Choice(VALUES), help="logit, score or pvalue, for --wide and tracks."
)
@click.option("--shard", metavar="I/N", help="Share I of N of the windows.")
@click.option("--resume", is_flag=True, help="Go on with FILE, if a run was killed.")
@runtime_options
@output_options
def scan(
    genome: str,
    regions: str | None,
    models: list[Model],
    stride: int,
    min_score: float | None,
    max_pvalue: float | None,
    max_n: float,
    format: str | None,
    wide: bool,
    value: str | None,
    shard: str | None,
    resume: bool,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Score the 101 bp windows of a genome, or of regions of it.

    GENOME.fa is plain or BGZF; its index is made if there is none. REGIONS.bed
    is BED or narrowPeak, plain or gzip, or - for standard input; without it
    every sequence is scanned. The result is a row a window and model, in the
    order of the input, or a sorted track, a file a model (-o DIR/, {model}.bw).

    \b
    saresnet scan hg38.fa peaks.bed --tf CTCF --cell GM12878 > scores.bed
    saresnet scan hg38.fa --tf CTCF --cell GM12878 -o ctcf.bw
    saresnet scan hg38.fa peaks.bed --tf all --wide -o scores.tsv
    """
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.genome import Genome
    from saresnet_cli.scanning import scan as run_scan

    try:
        share = Shard.parse(shard) if shard is not None else None
        layout = Layout.choose(output, format, wide, value, len(models), share)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    again = regions is None or Path(regions).is_file()  # so it can be read once more
    if resume and not (again and layout.resumable):
        raise click.UsageError("--resume goes on with a BED or TSV file of regions in a file: give both by name")
    settings = {"max_n": max_n, "min_score": min_score, "max_pvalue": max_pvalue, "batch_size": runtime.batch_size}
    with (
        Genome(genome) as opened,
        run_scan(
            models,
            opened,
            regions,
            stride=stride,
            max_n=max_n,
            min_score=min_score,
            max_pvalue=max_pvalue,
            shard=share,
            runtime=runtime,
        ) as blocks,
        open_writer(
            layout, models, opened, stride, blocks.summary, Source(regions, settings, resume) if again else None
        ) as write,
    ):
        for block in with_progress(blocks):
            write(block)
    logging.getLogger("saresnet").info("%s", blocks.summary)
