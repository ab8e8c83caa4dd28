"""`saresnet selftest`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import as_json, debug_option, known, runtime_options

if TYPE_CHECKING:
    from saresnet_cli.runtime import Runtime
    from saresnet_cli.selftest import Result


@click.command()
@click.option(
    "--model", "models", metavar="ID", multiple=True, shell_complete=known("models"),
    help="Only this one; repeatable.",
)  # fmt: skip
@runtime_options
@as_json
@debug_option
def selftest(models: tuple[str, ...], runtime: Runtime, as_json: bool) -> None:
    """Say whether this machine computes what ours did.

    Scores 64 stored windows with every model that is here, on the device in
    hand, and compares the logits with those we have stored. Prints the largest
    difference of each model; the last line says whether all is well, and so does
    the exit code: 0, or 1 with the names of the models that are not.

    \b
    saresnet selftest
    saresnet selftest --model global --device cuda --precision float16
    """
    from saresnet_cli.errors import ModelError
    from saresnet_cli.selftest import selftest as run

    report = run(runtime, told=lambda result: None if as_json else click.echo(_line(result)), models=models)
    if as_json:
        figures = {
            "ok": not report.wrong, "engine": report.engine, "precision": report.precision, "device": report.device,
            "tolerance": report.tolerance, "largest": report.largest, "without": report.without,
            "models": [asdict(result) for result in report.results],
        }  # fmt: skip
        click.echo(json.dumps(figures, indent=2))
    if report.wrong:
        names = ", ".join(result.id for result in report.wrong)
        raise ModelError(f"{report}: {names}", cure="try --engine onnxruntime --device cpu, or install saresnet again")
    if not as_json:
        click.echo(f"ok: {report}")


def _line(result: Result) -> str:
    difference = "." if result.difference is None else f"{result.difference:.1e}"
    return f"{result.id}\t{difference}\t{result.problem or 'ok'}"
