"""The `saresnet benchmark` commands: run and report, one file each."""

from __future__ import annotations

import click

from saresnet_cli.commands.group import LazyGroup

COMMANDS = {
    "run": ("saresnet_train.commands.benchmark_run", "run", "Train and judge every method on every set."),
    "report": ("saresnet_train.commands.benchmark_report", "report", "Write what came of it, as Markdown and HTML."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def benchmark() -> None:
    """Compare methods on the same data, as the paper does (needs the extra "benchmark")."""
