"""`saresnet train finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from saresnet_cli.commands.types import Name, NumberRange
from saresnet_train.commands.options import (
    FILE,
    FOLDER,
    background_options,
    chosen_hardware,
    chosen_network,
    chosen_training,
    network_options,
    recipe_options,
    run_options,
)


@click.command()
@click.argument("positives", required=False, type=FILE)
@click.option("--negatives", type=FILE, help="FASTA of unbound windows, in place of shuffles.")
@click.option("--peaks", type=FILE, help="BED or narrowPeak of bound sites, in place of POSITIVES; needs --genome.")
@click.option("--genome", type=FILE, help="FASTA that the peaks lie on.")
@click.option("--data", type=FOLDER, help="Data folder with a manifest.tsv, in place of POSITIVES; needs --set.")
@click.option("--set", "name", help="Set of the data folder, such as CTCF_GM12878 or encode/CTCF_GM12878.")
@click.option(
    "--also",
    multiple=True,
    metavar="SET",
    help="Add the positives of another set of the data folder, such as the same factor in another cell (repeatable).",
)
@click.option("--from", "start", type=FILE, help="Checkpoint of the global model.")
@click.option("--from-scratch", is_flag=True, help="Learn from nothing (the paper's direct learning).")
@click.option(
    "--freeze",
    "frozen",
    type=click.Choice(["none", "stem", "stage2", "head-only"]),
    default="none",
    show_default=True,
    help="Train all but these layers (supplementary table S2).",
)
@click.option(
    "--rank",
    type=click.IntRange(min=1),
    metavar="R",
    help="Let convolutions learn a matrix of this rank beside their weights, not all of them.",
)
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="Train on so many of the positives at most.")
@click.option("--tf", type=Name(), help="Factor, for the model card.")
@click.option("--cell", type=Name(), help="Cell, for the model card.")
@click.option("--id", "identity", type=Name(), help="Id of the model; default: TF_CELL.")
@click.option("--validation", type=NumberRange(0.01, 0.5), default=0.1, show_default=True)
@background_options
@recipe_options
@network_options
@run_options
def finetune(
    positives: Path | None,
    negatives: Path | None,
    peaks: Path | None,
    genome: Path | None,
    data: Path | None,
    name: str | None,
    also: tuple[str, ...],
    start: Path | None,
    from_scratch: bool,
    frozen: str,
    rank: int | None,
    most: int | None,
    tf: str | None,
    cell: str | None,
    identity: str | None,
    validation: float,
    out: Path,
    **options: Any,
) -> None:
    """Transfer the global model to one experiment.

    The bound windows come from POSITIVES (a FASTA file of 101-bp windows), from
    --peaks and --genome (101 bp around each summit), or from --data and --set.
    With --background, negatives are windows of a real genome as well as
    shuffles, which is what makes a scanner. Started again with the same
    options, a run goes on where it stopped.
    """
    if sum(given is not None for given in (positives, peaks, data)) != 1:
        raise click.UsageError("give one of POSITIVES, --peaks or --data")
    if (peaks is None) != (genome is None) or (data is None) != (name is None):
        raise click.UsageError("--peaks needs --genome, and --data needs --set")
    if also and data is None:
        raise click.UsageError("--also needs --data")
    if (start is None) != from_scratch:
        raise click.UsageError("give either --from CHECKPOINT or --from-scratch")
    if start is not None and (options["channels"], options["attention"]) != ("64", True):
        raise click.UsageError("--channels and --no-attention go with --from-scratch; a checkpoint has its own")
    import numpy as np

    from saresnet_cli.naming import check_name
    from saresnet_train.data import distinct, find_set, read_peaks, read_windows
    from saresnet_train.recipe import FINETUNE
    from saresnet_train.training_set import Experiment

    recipe, background = chosen_training(FINETUNE, options)
    source = ""
    if data is not None:
        chosen = find_set(data, name or "")
        added = [find_set(data, other) for other in also]
        tf, cell = tf or chosen.tf, cell or chosen.cell
        for what, called in (("tf", tf), ("cell", cell)):  # of the manifest
            check_name(what, called)
        codes = distinct(np.concatenate([read_windows(s.train_positive) for s in (chosen, *added)]))
        source = "; with ".join(s.source for s in (chosen, *added))
    elif peaks is not None:
        codes, source = read_peaks(peaks, genome or ""), peaks.name
    else:
        codes, source = read_windows(positives or ""), (positives or Path()).name
    if most is not None:
        codes = codes[np.sort(np.random.default_rng(options["seed"]).permutation(len(codes))[:most])]
    own = None if negatives is None else read_windows(negatives)
    experiment = Experiment(
        identity or f"{tf or 'unknown'}_{cell or 'unknown'}", tf or "unknown", cell or "unknown", codes, own, source
    )
    from saresnet_train.finetune import finetune as run  # last, since it loads torch

    network = chosen_network(options, recipe.dropout)
    run(
        experiment,
        out,
        recipe,
        start=start,
        background=background,
        network=network,
        frozen=frozen,
        rank=rank or 0,
        validation=validation,
        hardware=chosen_hardware(options),
        **options,
    )
