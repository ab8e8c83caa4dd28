"""`saresnet score`."""

from __future__ import annotations

import logging

import click

from saresnet_cli.commands.options import chosen_model, engine_options, model_options, output_options


@click.command(no_args_is_help=True)
@click.argument("sequences", metavar="SEQS.fa|-")
@model_options
@click.option("--stride", type=click.IntRange(1), default=1, show_default=True, help="Bases between windows.")
@click.option(
    "--max-n",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Largest share of N in a scored window.",
)
@engine_options
@output_options
def score(
    sequences: str,
    model: str | None,
    tf: str | None,
    cell: str | None,
    stride: int,
    max_n: float,
    device: str,
    threads: int | None,
    batch_size: int | None,
    output: str | None,
) -> None:
    """Score each sequence of a FASTA file once.

    SEQS.fa is plain, gzip or BGZF, or - for standard input. The result is a
    table, a row a sequence: score, logit and p-value of its best 101 bp
    window, where that lies (0-based, half-open), and the mean logit of all.
    A sequence that can't be scored has 0 windows and NA.

    \b
    saresnet score seqs.fa --tf CTCF --cell GM12878 > scores.tsv
    """
    chosen = chosen_model(model, tf, cell)
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import open_output
    from saresnet_cli.scoring import score as run_score
    from saresnet_cli.writer import score_header, score_lines

    with (
        run_score(
            chosen, sequences, stride=stride, max_n=max_n, device=device, threads=threads, batch_size=batch_size
        ) as blocks,
        open_output(output) as out,
    ):
        out.write(score_header())
        for block in with_progress(blocks):
            out.write(score_lines(block))
            out.flush()
    logging.getLogger("saresnet").info("%s", blocks.summary)
