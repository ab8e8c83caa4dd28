"""`saresnet marginalize`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import kept_apart, model_options, output_options, runtime_options

if TYPE_CHECKING:
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@kept_apart(("given", "background", "model"), ("output", "plot"))
@click.option("--motif", "-m", "given", multiple=True, required=True, metavar="CONSENSUS|FILE")
@model_options
@click.option("--plot", metavar="FILE", help="A picture, PNG or SVG.")
@click.option("--background", metavar="FASTA", help="Shuffle windows of these sequences.")
@click.option("--no-shuffle", is_flag=True, help="Take the windows of FASTA as they are.")
@click.option("--count", type=click.IntRange(1), default=1000, help="Background windows.  [default: 1000]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of all that is drawn.  [default: 0]")
@click.option("--position", metavar="center|N", default="center", help="First base.  [default: center]")
@click.option("--both-orientations", is_flag=True, help="The reverse complement too.")
@click.option("--sample", is_flag=True, help="Draw a matrix's bases, not the likeliest.")
@runtime_options
@output_options
def marginalize(
    given: tuple[str, ...],
    models: list[Model],
    plot: str | None,
    background: str | None,
    no_shuffle: bool,
    count: int,
    seed: int,
    position: str,
    both_orientations: bool,
    sample: bool,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Measure what motifs do to a score.

    Each motif is put into many background windows, which are scored without
    and with it. A motif is a consensus (N: the background's base stays), or a
    file of matrices, JASPAR or MEME. Backgrounds are random DNA of human dinucleotides, or
    shuffles of FASTA. The result is a table, a row a motif: mean logit before and
    after, mean and standard deviation of the difference, share of windows
    raised, p-value (sign test).

    \b
    saresnet marginalize --motif CCGCGNGGNGGCAG --tf CTCF --cell GM12878
    saresnet marginalize --motif jaspar.meme --tf CTCF --cell GM12878 --plot motifs.svg > motifs.tsv
    """
    if position != "center" and not position.isdigit():
        raise click.UsageError(f"--position {position} is neither center nor a number of bases.")
    if no_shuffle and background is None:
        raise click.UsageError("--no-shuffle needs --background.")

    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.figures import check_format
    from saresnet_cli.marginalizing import backgrounds
    from saresnet_cli.marginalizing.effect_plot import draw
    from saresnet_cli.marginalizing.marginals import COLUMNS, Marginal, table_line
    from saresnet_cli.marginalizing.marginals import marginalize as run_marginalize
    from saresnet_cli.marginalizing.motifs import read_motifs
    from saresnet_cli.output import open_output
    from saresnet_cli.provenance import Provenance

    log = logging.getLogger("saresnet")
    if plot is not None:
        check_format(plot)
    motifs = [motif for source in given for motif in read_motifs(source, sample=sample)]
    if background is None:
        windows, kind = backgrounds.random_windows(count, seed), "random"
    else:
        windows, kind = backgrounds.real_windows(background, count, seed), "sequences" if no_shuffle else "shuffles"
        if not no_shuffle:
            windows = backgrounds.shuffled_windows(windows, count, seed)
        elif len(windows) < count:
            log.warning("%s has %d windows of 101 bp without N: all are used", background, len(windows))
    about: dict[str, object] = {"backgrounds": len(windows), "kind": kind, "seed": seed, "position": position}
    about["bases"] = "drawn" if sample else "likeliest"
    kept: list[Marginal] = []
    with (
        run_marginalize(
            models,
            motifs,
            windows,
            position=None if position == "center" else int(position),
            both_orientations=both_orientations,
            seed=seed,
            runtime=runtime,
        ) as results,
        open_output(output) as out,
    ):
        out.write(Provenance.of(models, results.summary, about).header(COLUMNS))
        for result in with_progress(results):
            out.write(table_line(result))
            if plot is not None:
                kept.append(result)
    if plot is not None:
        draw(kept, plot)
    log.info("%s", results.summary)
