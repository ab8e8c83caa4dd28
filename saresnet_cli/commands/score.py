"""`saresnet score`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import kept_apart, model_options, output_options, runtime_options, window_options

if TYPE_CHECKING:
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@kept_apart(("sequences", "model"))
@click.argument("sequences", metavar="SEQS.fa|-")
@model_options
@window_options(stride=1)
@runtime_options
@output_options
def score(
    sequences: str,
    models: list[Model],
    stride: int,
    max_n: float,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Score each sequence of a FASTA file once.

    SEQS.fa is plain, gzip or BGZF, or - for standard input. The result is a
    table, a row a sequence and model: score, logit and p-value of its best 101 bp
    window, where that lies (0-based, half-open), and the mean logit of all.
    A sequence that can't be scored has 0 windows and NA.

    \b
    saresnet score seqs.fa --tf CTCF --cell GM12878 > scores.tsv
    """
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import open_output
    from saresnet_cli.scoring import score as run_score
    from saresnet_cli.writer import score_header, score_lines

    with (
        run_score(models, sequences, stride=stride, max_n=max_n, runtime=runtime) as blocks,
        open_output(output) as out,
    ):
        out.write(score_header())
        for block in with_progress(blocks):
            out.write(score_lines(block, models))
            out.flush()
    logging.getLogger("saresnet").info("%s", blocks.summary)
