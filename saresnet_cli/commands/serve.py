"""`saresnet serve`."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, TypeVar

import click

from saresnet_cli.commands.options import chosen_models, debug_option, model_names, quiet_option, runtime_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from saresnet_cli.runtime import Runtime

F = TypeVar("F", bound="Callable[..., Any]")


def limit(name: str, default: int, text: str) -> Callable[[F], F]:
    """Add an option that is a whole number above 0."""
    return click.option(
        name, metavar="N", type=click.IntRange(1), default=default, help=f"{text}  [default: {default:,}]"
    )


@click.command()
@click.argument("genome", metavar="[GENOME.fa]", required=False)
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8080,
              help="0: any that is free.  [default: 8080]")  # fmt: skip
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--allow-host", metavar="NAME", multiple=True, help="A name of this machine; may be repeated.")
@model_names
@limit("--max-bytes", 2_000_000, "Bytes of a request, also when unpacked.")
@limit("--max-bases", 1_000_000, "Bases of a request.")
@limit("--max-sequences", 1000, "Sequences of a request.")
@limit("--max-scores", 200_000, "Windows times models of a request.")
@limit("--max-seconds", 60, "Seconds that a request may take.")
@limit("--jobs", 4, "Requests worked on at a time.")
@limit("--open-models", 32, "Models kept open.")
@runtime_options
@quiet_option
@debug_option
def serve(
    genome: str | None,
    port: int,
    host: str,
    allow_host: tuple[str, ...],
    model: tuple[str, ...],
    tf: str | None,
    cell: str | None,
    max_bytes: int,
    max_bases: int,
    max_sequences: int,
    max_scores: int,
    max_seconds: int,
    jobs: int,
    open_models: int,
    runtime: Runtime,
) -> None:
    """Serve a web page that scores what is pasted into it.

    Open http://127.0.0.1:8080/ in a browser, paste FASTA or name a region of
    GENOME.fa, and choose models: of all that are installed, or of those that
    --tf and --cell or --model name. /api/openapi.json describes the API behind
    the page. Only this machine can reach it unless --host says otherwise.
    Ctrl-C ends it.

    \b
    saresnet serve
    saresnet serve hg38.fa --port 9000
    """
    from saresnet_cli.serving.application import application
    from saresnet_cli.serving.inputs import ServedGenome
    from saresnet_cli.serving.limits import Limits
    from saresnet_cli.serving.server import listen
    from saresnet_cli.serving.server import serve as run_server

    limits = Limits(max_bytes, max_bases, max_sequences, max_scores, jobs, max_seconds, open_models)
    models = chosen_models(model, tf, cell) if model or tf is not None or cell is not None else None
    with contextlib.ExitStack() as stack:
        served = None
        if genome is not None:
            served = ServedGenome(genome)
            stack.callback(served.close)
        listening = stack.enter_context(listen(host, port))
        app, running = application(served, models=models, runtime=runtime, limits=limits, names=[host, *allow_host])
        where, at = listening.getsockname()[:2]
        shown = f"[{where}]" if ":" in where else where

        def ready() -> None:
            logging.getLogger("saresnet").info("serving on http://%s:%d/ until Ctrl-C", shown, at)

        run_server(app, running, listening, ready)
    logging.getLogger("saresnet").info("ended")
