"""`saresnet scan`."""

from __future__ import annotations

import logging

import click

from saresnet_cli.commands.options import chosen_model, engine_options, model_options, output_options


@click.command(no_args_is_help=True)
@click.argument("genome", metavar="GENOME.fa")
@click.argument("regions", metavar="[REGIONS.bed|-]", required=False)
@model_options
@click.option("--stride", type=click.IntRange(1), default=50, show_default=True, help="Bases between windows.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Only windows that score at least this.")
@click.option("--max-pvalue", type=click.FloatRange(0, 1), help="Only windows with at most this p-value.")
@click.option(
    "--max-n",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Largest share of N in a scored window.",
)
@engine_options
@output_options
def scan(
    genome: str,
    regions: str | None,
    model: str | None,
    tf: str | None,
    cell: str | None,
    stride: int,
    min_score: float | None,
    max_pvalue: float | None,
    max_n: float,
    device: str,
    threads: int | None,
    batch_size: int | None,
    output: str | None,
) -> None:
    """Score the 101 bp windows of a genome, or of regions of it.

    GENOME.fa is plain or BGZF; its index is made if there is none. REGIONS.bed
    is BED or narrowPeak, plain or gzip, or - for standard input; without it
    every sequence is scanned. The result is BED with the columns logit and
    pvalue, in the order of the input.

    \b
    saresnet scan hg38.fa peaks.bed --tf CTCF --cell GM12878 > scores.bed
    saresnet scan hg38.fa --tf CTCF --cell GM12878 --min-score 0.9 | bedtools merge -i -
    """
    chosen = chosen_model(model, tf, cell)
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import open_output
    from saresnet_cli.scanning import scan as run_scan
    from saresnet_cli.writer import bed_header, bed_lines

    with (
        run_scan(
            chosen,
            genome,
            regions,
            stride=stride,
            max_n=max_n,
            min_score=min_score,
            max_pvalue=max_pvalue,
            device=device,
            threads=threads,
            batch_size=batch_size,
        ) as blocks,
        open_output(output) as out,
    ):
        out.write(bed_header(chosen, stride))
        for block in with_progress(blocks):
            out.write(bed_lines(block, chosen))
            out.flush()
    logging.getLogger("saresnet").info("%s", blocks.summary)
