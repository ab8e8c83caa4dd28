"""Options that several commands share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from saresnet_cli.model import Model

F = TypeVar("F", bound=Callable[..., Any])


def model_options(command: F) -> F:
    """Add --tf, --cell and --model; read them with `chosen_model`."""
    for option in (
        click.option("--model", metavar="FILE_OR_ID", help="A model file, or an id, instead of --tf and --cell."),
        click.option("--cell", help="Cell type, such as GM12878; not needed where the factor has one model."),
        click.option("--tf", help="Transcription factor, such as CTCF."),
    ):
        command = option(command)
    return command


def engine_options(command: F) -> F:
    """Add --device, --threads and --batch-size."""
    for option in (
        click.option("--batch-size", type=click.IntRange(1), help="Windows in a batch.  [default: 64, CUDA 4096]"),
        click.option("--threads", type=click.IntRange(1), help="Threads of the CPU.  [default: all it may use]"),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
    ):
        command = option(command)
    return command


def output_options(command: F) -> F:
    """Add -o, --quiet and --debug, and send the library's notices to standard error."""
    command = debug_option(command)
    for option in (
        click.option(
            "--quiet",
            "-q",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_listen,
            help="Only errors on stderr.",
        ),
        click.option("--output", "-o", metavar="FILE", help="Write to FILE (.gz: BGZF) instead of standard output."),
    ):
        command = option(command)
    return command


def debug_option(command: F) -> F:
    """Add --debug, which `main` acts upon."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_debug,
        help="Show the traceback of an error.",
    )(command)


def as_json(command: F) -> F:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")(command)


def chosen_model(model: str | None, tf: str | None, cell: str | None) -> Model:
    """Load the model that the options name; raises click.UsageError when they name none, or two."""
    if model is None and tf is None:
        raise click.UsageError("Say which model: --tf and --cell, or --model.")
    if model is not None and (tf is not None or cell is not None):
        raise click.UsageError("Give either --model, or --tf and --cell.")
    from saresnet_cli.model import load_model

    return load_model(model, tf=tf, cell=cell)


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().obj["debug"] = True


def _listen(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    log = logging.getLogger("saresnet")
    log.handlers[:] = [handler := logging.StreamHandler(sys.stderr)]
    handler.setFormatter(logging.Formatter("saresnet: %(message)s"))
    log.setLevel(logging.ERROR if value else logging.INFO)
    log.propagate = False
