"""`saresnet train pretrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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
@click.argument("positives", nargs=-1, type=FILE)
@click.option("--data", type=FOLDER, help="Data folder with a manifest.tsv: the training positives of all its sets.")
@click.option("--tier", multiple=True, help="Only the sets of this tier (repeatable).")
@background_options
@recipe_options
@network_options
@run_options
def pretrain(positives: tuple[Path, ...], data: Path | None, tier: tuple[str, ...], out: Path, **options: Any) -> None:
    """Train the global model on the bound windows of many experiments.

    POSITIVES are FASTA files of 101-bp windows; --data takes those of a data
    folder. Exact duplicates count once; a tenth, by locus, validates. Negatives
    are dinucleotide shuffles and, with --background, windows of a real genome.
    Started again with the same options, a run goes on where it stopped.
    """
    if bool(positives) == (data is not None):
        raise click.UsageError("give either POSITIVES or --data")
    from saresnet_train.data import read_manifest
    from saresnet_train.recipe import PRETRAIN

    files = list(positives) or [s.train_positive for s in read_manifest(data or "", tier)]
    recipe, background = chosen_training(PRETRAIN, options)
    from saresnet_train.pretrain import pretrain as run  # last, since it loads torch

    network = chosen_network(options, recipe.dropout)
    run(files, out, recipe, background=background, network=network, hardware=chosen_hardware(options), **options)
