"""Options that the training commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from saresnet_cli.commands.types import NumberRange

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_BACKGROUND = (
    click.option("--background", type=FILE, metavar="FASTA", help="Genome to draw unbound windows from."),
    click.option(
        "--hold-out",
        multiple=True,
        metavar="CHROM:START-END",
        help="Part of the background genome that training never sees, to judge on (repeatable).",
    ),
    click.option(
        "--exclude",
        type=FILE,
        multiple=True,
        metavar="PEAKS",
        help="BED or narrowPeak of bound sites, left out of the background (repeatable).",
    ),
)

_RECIPE = (
    click.option("--recipe", type=click.Choice(["default", "paper"]), default="default", show_default=True),
    click.option("--epochs", type=click.IntRange(min=1), help="Passes over the positives."),
    click.option("--learning-rate", type=NumberRange(min=0, min_open=True)),
    click.option("--batch-size", type=click.IntRange(min=2)),
    click.option("--dropout", type=NumberRange(0, 1, max_open=True)),
    click.option("--weight-decay", type=NumberRange(min=0)),
    click.option("--shuffles", type=NumberRange(min=0), help="Dinucleotide shuffles a positive."),
    click.option("--fresh/--fixed", default=None, help="New shuffles each epoch, or the same."),
    click.option("--genomic", type=NumberRange(min=0), help="Windows of --background a positive."),
    click.option("--match-gc/--any-gc", default=None, help="Draw them with the GC content of the positives, or any."),
    click.option("--hard", type=NumberRange(0, 1), help="Share of --genomic drawn near the hardest windows."),
    click.option("--shift", type=click.IntRange(0, 50), help="Bases that a shifted positive moves by at most."),
    click.option("--shifted", type=NumberRange(0, 1), help="Share of positives that is shifted."),
    click.option("--keep", type=click.Choice(["last", "best"]), help="Weights of the last or the best epoch."),
    click.option("--patience", type=click.IntRange(min=0), help="Epochs without progress before the end; 0: none."),
)

_RUN = (
    click.option(
        "-o", "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the run."
    ),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        show_default=True,
        help="Of the products; auto is bfloat16 where the processor has it.",
    ),
    click.option("--compile", "compiled", is_flag=True, help="Compile the network first: for long runs on a CPU."),
    click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: all cores there are."),
    click.option(
        "--save-every",
        type=NumberRange(min=0),
        default=120.0,
        show_default=True,
        help="Seconds between checkpoints.",
    ),
    click.option("--quiet", is_flag=True, help="Say nothing but errors."),
)

_NETWORK = (
    click.option("--channels", type=click.Choice(["32", "64"]), default="64", show_default=True, help="Table 4."),
    click.option("--attention/--no-attention", default=True, show_default=True, help="Table 4."),
)

RECIPE_FIELDS = (
    "epochs", "learning_rate", "batch_size", "dropout", "weight_decay", "shuffles", "fresh", "genomic", "match_gc",
    "hard", "shift", "shifted", "keep", "patience",
)  # fmt: skip


def _stack(options: tuple[Callable[..., Any], ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return wrap


background_options = _stack(_BACKGROUND)
recipe_options = _stack(_RECIPE)
run_options = _stack(_RUN)
network_options = _stack(_NETWORK)


def chosen_training(presets: dict, options: dict) -> tuple[Any, Any]:
    """Take the options of recipe and background out of `options`; returns a Recipe, and a Background or None.

    Raises click.UsageError where windows of a background are asked for, and there is none.
    """
    from saresnet_train.background import Background, parse_interval

    asked = options["genomic"]
    recipe = presets[options.pop("recipe")].changed(**{field: options.pop(field) for field in RECIPE_FIELDS})
    genome, hold_out, exclude = options.pop("background"), options.pop("hold_out"), options.pop("exclude")
    if recipe.hard and (genome is None or not recipe.genomic):
        raise click.UsageError("--hard needs --background, and --genomic above 0")
    if genome is not None:
        return recipe, Background(genome, tuple(parse_interval(text) for text in hold_out), tuple(exclude))
    if hold_out or exclude:
        raise click.UsageError("--hold-out and --exclude need --background")
    if asked or recipe.match_gc:
        raise click.UsageError(f"{'--genomic' if asked else '--match-gc'} needs --background")
    return recipe.changed(genomic=0.0, shifted=0.0) if recipe.genomic else recipe, None


def chosen_network(options: dict, dropout: float) -> Any:
    """Take the network's options out of `options` and return its NetworkConfig."""
    from saresnet_train.network import NetworkConfig

    return NetworkConfig(channels=int(options.pop("channels")), attention=options.pop("attention"), dropout=dropout)


def chosen_hardware(options: dict) -> Any:
    """Take what is about the hardware out of `options` and set torch up for it."""
    from saresnet_train.hardware import Hardware

    return Hardware.find(
        options.pop("device"), options.pop("precision"), options.pop("threads"), options.pop("compiled")
    )
