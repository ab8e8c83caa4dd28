"""`saresnet call`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from saresnet_cli.commands.options import (
    chosen_models,
    kept_apart,
    model_names,
    output_options,
    runtime_options,
    window_options,
)
from saresnet_cli.commands.types import Number, NumberRange

if TYPE_CHECKING:
    from saresnet_cli.runtime import Runtime

_OF_A_GENOME = ("stride", "max_n", "device", "engine", "precision", "threads", "batch_size")


@click.command(no_args_is_help=True)
@kept_apart(("genome", "regions", "scanned", "model"))
@click.argument("genome", metavar="[GENOME.fa]", required=False)
@click.argument("regions", metavar="[REGIONS.bed|-]", required=False)
@click.option("--scan", "scanned", metavar="FILE|-", help="Output of `saresnet scan`, not a genome.")
@model_names
@click.option("--max-pvalue", type=NumberRange(0, 1, min_open=True), help="Windows with at most this p-value.")
@click.option("--max-qvalue", type=NumberRange(0, 1, min_open=True), help="At most this q-value (FDR).")
@click.option("--threshold", type=Number(), metavar="LOGIT", help="At least this logit.  [default: the model's]")
@click.option(
    "--min-distance",
    type=click.IntRange(1),
    default=101,
    show_default=True,
    help="Bases between the best windows of two sites.",
)
@window_options(stride=20)
@runtime_options
@output_options
@click.pass_context
def call(
    context: click.Context,
    genome: str | None,
    regions: str | None,
    scanned: str | None,
    tf: str | None,
    cell: str | None,
    model: tuple[str, ...],
    max_pvalue: float | None,
    max_qvalue: float | None,
    threshold: float | None,
    min_distance: int,
    stride: int,
    max_n: float,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Call binding sites: windows that pass, merged, each site with a summit.

    Windows pass by the model's own threshold, which 1 in 1000 unbound windows
    reaches, or by one that you give. The result is narrowPeak: signalValue is
    the logit, pValue and qValue are -log10, -1 where there is none. Several
    models are called each on its own; a name is the model's id and a number.

    \b
    saresnet call hg38.fa --tf CTCF --cell GM12878 -o sites.narrowPeak
    saresnet scan hg38.fa --tf CTCF --cell GM12878 -o scan.bed.gz
    saresnet call --scan scan.bed.gz --max-qvalue 0.2 -o sites.narrowPeak
    """
    if (genome is None) == (scanned is None):
        raise click.UsageError("Give either GENOME.fa or --scan.")
    if sum(value is not None for value in (max_pvalue, max_qvalue, threshold)) > 1:
        raise click.UsageError("Give one of --max-pvalue, --max-qvalue and --threshold.")
    from saresnet_cli.calling.calls import call as run_call
    from saresnet_cli.calling.calls import call_scan
    from saresnet_cli.calling.cutoffs import Cutoff
    from saresnet_cli.calling.narrowpeak import COLUMNS, narrowpeak_line
    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import open_output

    cutoff = Cutoff(threshold, max_pvalue, max_qvalue)
    if scanned is not None:
        for name in _OF_A_GENOME:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} is for a genome: a scan has been computed.")
        models = chosen_models(model, tf, cell) if model or tf is not None or cell is not None else None
        calls = call_scan(scanned, models, cutoff=cutoff, min_distance=min_distance)
    else:
        calls = run_call(
            chosen_models(model, tf, cell),
            str(genome),
            regions,
            cutoff=cutoff,
            stride=stride,
            max_n=max_n,
            min_distance=min_distance,
            runtime=runtime,
        )
    with calls, open_output(output) as out:
        out.write("".join(f"{line}\n" for line in [*calls.header, "#" + "\t".join(COLUMNS)]).encode())
        for site in with_progress(calls):
            out.write(narrowpeak_line(site))
            out.flush()
    summary = calls.summary
    if scanned is None:
        logging.getLogger("saresnet").info("%s", summary)
    else:
        logging.getLogger("saresnet").info(
            "%s windows read, %s rows written", f"{summary.windows:,}", f"{summary.kept:,}"
        )
