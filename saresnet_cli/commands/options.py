"""Options that several commands share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from saresnet_cli.commands.types import NumberRange
from saresnet_cli.runtime import DEVICES, ENGINES, PRECISIONS, Runtime

if TYPE_CHECKING:
    from saresnet_cli.model import Model

F = TypeVar("F", bound=Callable[..., Any])


def model_options(command: F) -> F:
    """Add --tf, --cell and --model; the command gets the models that they name as `models`."""

    @wraps(command)
    def with_models(*args: Any, model: tuple[str, ...], tf: str | None, cell: str | None, **options: Any) -> Any:
        return command(*args, models=chosen_models(model, tf, cell), **options)

    return cast(F, model_names(with_models))


def model_names(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --tf, --cell and --model as they are, for a command that may do without; `chosen_models` reads them."""
    for option in (
        click.option(
            "--model", metavar="FILE|ID", multiple=True, shell_complete=known("models"),
            help="A model file or id, instead of --tf; repeatable.",
        ),
        click.option(
            "--cell", metavar="CELL[,...]", shell_complete=known("cells"),
            help="Cell type; a factor with one model needs none.",
        ),
        click.option(
            "--tf", metavar="TF[,...]|all", shell_complete=known("factors"),
            help="Transcription factor, such as CTCF, or several.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def known(what: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return what completes a value in the shell with "factors", "cells" or "models" that are here."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        from saresnet_cli import completion

        found: list[Any] = getattr(completion, what)(context, parameter, incomplete)
        return found

    return complete


def chosen_models(model: tuple[str, ...], tf: str | None, cell: str | None) -> list[Model]:
    """Load the models that the options name; raises click.UsageError when they name none, or in two ways."""
    if not model and tf is None:
        raise click.UsageError("Say which model: --tf and --cell, or --model.")
    if model and (tf is not None or cell is not None):
        raise click.UsageError("Give either --model, or --tf and --cell.")
    from saresnet_cli.model import load_models
    from saresnet_cli.registry.models import Registry

    if tf is None:
        return load_models(model)
    entries = Registry.read().select(names_in(tf), names_in(cell) if cell is not None else None)
    return load_models([entry.id for entry in entries])


def kept_apart(read: tuple[str, ...], written: tuple[str, ...] = ("output",)) -> Callable[[F], F]:
    """Refuse, before the command does anything, to write a result over a file that it reads.

    read, written: parameters of the command, each of a path, several or None. Stands first below `click.command`,
    since it takes them as they were given. Raises OutputError.
    """

    def add(command: F) -> F:
        @wraps(command)
        def checked(*args: Any, **options: Any) -> Any:
            from saresnet_cli.output import check_apart

            check_apart(_paths(options, written), _paths(options, read))
            return command(*args, **options)

        return cast(F, checked)

    return add


def _paths(options: dict[str, Any], names: tuple[str, ...]) -> list[str | Path | None]:
    values = [options[name] for name in names]
    return [path for value in values for path in (value if isinstance(value, tuple) else (value,))]


def window_options(stride: int) -> Callable[[F], F]:
    """Add --stride, with this default, and --max-n."""

    def add(command: F) -> F:
        return click.option(
            "--stride",
            metavar="N",
            type=click.IntRange(1),
            default=stride,
            show_default=True,
            help="Bases between windows.",
        )(max_n_option(command))

    return add


def max_n_option(command: F) -> F:
    """Add --max-n."""
    return click.option(
        "--max-n",
        metavar="SHARE",
        type=NumberRange(0, 1),
        default=0.1,
        show_default=True,
        help="Largest share of N in a window.",
    )(command)


def runtime_options(command: F) -> F:
    """Add --engine, --precision, --device, --threads and --batch-size; the command gets them as `runtime`."""

    @wraps(command)
    def with_runtime(
        *args: Any,
        engine: str,
        precision: str,
        device: str,
        threads: int | None,
        batch_size: int | None,
        **options: Any,
    ) -> Any:
        return command(*args, runtime=Runtime(engine, precision, device, threads, batch_size), **options)

    wrapped: Any = with_runtime
    for option in (
        click.option(
            "--batch-size", metavar="N", type=click.IntRange(1), help="Windows a batch.  [default: 32, CUDA 4096]"
        ),
        click.option("--threads", metavar="N", type=click.IntRange(1), help="[default: all that it may use]"),
        click.option(
            "--precision", metavar="TYPE", type=click.Choice(PRECISIONS), default="float32",
            show_default=True, help="float32, bfloat16 (CPU), tf32 or float16 (CUDA).",
        ),
        click.option(
            "--engine", metavar="ENGINE", type=click.Choice(ENGINES), default="auto",
            show_default=True, help="auto, onnxruntime or openvino (CPU).",
        ),
        click.option(
            "--device", metavar="DEVICE", type=click.Choice(DEVICES), default="auto",
            show_default=True, help="auto, cpu or cuda.",
        ),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return cast(F, wrapped)


def output_options(command: F) -> F:
    """Add -o, --quiet and --debug, and send the library's notices to standard error."""
    command = quiet_option(debug_option(command))
    return click.option("--output", "-o", metavar="FILE", help="Write to FILE (.gz: BGZF), not stdout.")(command)


def quiet_option(command: F) -> F:
    """Add --quiet, and send the library's notices to standard error."""
    return click.option(
        "--quiet",
        "-q",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_listen,
        help="Only errors on stderr.",
    )(command)


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


def names_in(text: str) -> list[str]:
    """Return the names in a list like "CTCF,REST"; raises click.UsageError when there is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise click.UsageError(f"{text!r} names nothing.")
    return names


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().obj["debug"] = True


def _listen(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    log = logging.getLogger("saresnet")
    log.handlers[:] = [handler := logging.StreamHandler(sys.stderr)]
    handler.setFormatter(logging.Formatter("saresnet: %(message)s"))
    log.setLevel(logging.ERROR if value else logging.INFO)
    log.propagate = False
