"""The `saresnet benchmark` commands: run and report, one file each."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "run": ("saresnet_train.commands.benchmark_run", "run", "Train and judge every method on every set."),
    "report": ("saresnet_train.commands.benchmark_report", "report", "Write what came of it, as Markdown and HTML."),
}


class Group(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=Group)
def benchmark() -> None:
    """Compare methods on the same data, as the paper does (needs the extra "benchmark")."""
