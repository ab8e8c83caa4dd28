"""`saresnet scan`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import model_options, output_options, runtime_options, window_options

if TYPE_CHECKING:
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@click.argument("genome", metavar="GENOME.fa")
@click.argument("regions", metavar="[REGIONS.bed|-]", required=False)
@model_options
@window_options(stride=50)
@click.option("--min-score", type=click.FloatRange(0, 1), help="Only windows that score at least this.")
@click.option("--max-pvalue", type=click.FloatRange(0, 1), help="Only windows with at most this p-value.")
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
    runtime: Runtime,
    output: str | None,
) -> None:
    """Score the 101 bp windows of a genome, or of regions of it.

    GENOME.fa is plain or BGZF; its index is made if there is none. REGIONS.bed
    is BED or narrowPeak, plain or gzip, or - for standard input; without it
    every sequence is scanned. The result is BED with the columns logit and
    pvalue, in the order of the input; several models give a line each.

    \b
    saresnet scan hg38.fa peaks.bed --tf CTCF --cell GM12878 > scores.bed
    saresnet scan hg38.fa --tf CTCF --cell GM12878 --min-score 0.9 | bedtools merge -i -
    """
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import open_output
    from saresnet_cli.scanning import scan as run_scan
    from saresnet_cli.writer import bed_header, bed_lines

    with (
        run_scan(
            models,
            genome,
            regions,
            stride=stride,
            max_n=max_n,
            min_score=min_score,
            max_pvalue=max_pvalue,
            runtime=runtime,
        ) as blocks,
        open_output(output) as out,
    ):
        out.write(bed_header(models, stride, blocks.summary))
        for block in with_progress(blocks):
            out.write(bed_lines(block, models))
            out.flush()
    logging.getLogger("saresnet").info("%s", blocks.summary)
