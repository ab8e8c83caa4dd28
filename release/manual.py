"""Manual pages of the command, a page a subcommand, made from the help that the commands themselves give.

    python release/manual.py FOLDER

Format: man(7). The date of the pages is $SOURCE_DATE_EPOCH, else that of CITATION.cff, so that the same sources give
the same bytes.
"""

from __future__ import annotations

import datetime
import inspect
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent

EXIT_STATUS = (
    ("0", "done; also when the reader of a pipe has seen enough."),
    ("1", "an error in data, a model or a file: one line on standard error names it and the cure."),
    ("2", "wrong usage."),
    ("130", "interrupted."),
)
ENVIRONMENT = (
    ("SARESNET_MODELS", "Another folder of models, in place of those installed with the package."),
    ("SARESNET_CACHE", "The folder of fetched models. Default: $XDG_CACHE_HOME/saresnet, else ~/.cache/saresnet."),
    ("SARESNET_MODELS_URL", "Where models are fetched from: a folder, or an HTTP(S) address."),
)


def pages() -> dict[str, str]:
    """Return the manual pages by file name."""
    from saresnet_cli import __version__
    from saresnet_cli.main import cli

    made = {}
    for command, context in commands(cli, click.Context(cli, info_name="saresnet")):
        name = context.command_path.replace(" ", "-")
        made[f"{name}.1"] = page(name, command, context, __version__)
    return made


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield a command and all that are under it, each with its context; hidden ones are left out."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            under = command.get_command(context, name)
            if under is not None and not under.hidden:
                yield from commands(under, click.Context(under, info_name=name, parent=context))


def page(name: str, command: click.Command, context: click.Context, version: str) -> str:
    """Return one manual page; name: with hyphens, as `saresnet-models-list`."""
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH "{roff(name.upper())}" "1" "{day()}" "saresnet {version}" "saresnet manual"',
        ".SH NAME",
        f"{roff(name)} \\- {roff(summary(command))}",
        ".SH SYNOPSIS",
        f".B {roff(context.command_path)}",
        roff(usage),
        ".SH DESCRIPTION",
        *text(command.help or ""),
    ]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for under in command.list_commands(context):
            found = command.get_command(context, under)
            if found is not None and not found.hidden:
                lines += [".TP", f"\\fB{roff(under)}\\fP", roff(summary(found))]
    options = [record for record in (p.get_help_record(context) for p in command.get_params(context)) if record]
    lines.append(".SH OPTIONS")
    for names, meaning in options:
        if names.startswith("-"):  # an argument is in the synopsis
            lines += [".TP", f"\\fB{roff(names.replace(' RANGE', ''))}\\fP", roff(meaning) or "\\&"]
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_STATUS:
        lines += [".TP", f"\\fB{code}\\fP", roff(meaning)]
    if context.parent is None:
        lines.append(".SH ENVIRONMENT")
        for variable, meaning in ENVIRONMENT:
            lines += [".TP", f"\\fB{variable}\\fP", roff(meaning)]
    related = see_also(command, context)
    if related:
        lines += [".SH SEE ALSO", ",\n".join(f".BR {roff(other)} (1)" for other in related).replace(",\n", " ,\n")]
    return "\n".join(lines) + "\n"


def summary(command: click.Command) -> str:
    """Return what a command does, as the NAME section has it: one line without a full stop."""
    first = inspect.cleandoc(command.help or "").split("\n\n")[0]
    return " ".join(first.split()).rstrip(".")


def text(help: str) -> list[str]:
    """Return the lines of a help text: paragraphs, and as it stands what follows a line of \\b."""
    lines: list[str] = []
    for block in re.split(r"\n\n+", inspect.cleandoc(help.partition("\f")[0])):
        if block.startswith("\b"):
            lines += [".PP", ".nf", *(roff(line.rstrip()) for line in block.split("\n")[1:]), ".fi"]
        else:
            lines += [".PP", *(roff(line.strip()) for line in block.split("\n"))]
    return lines[1:] if lines[:1] == [".PP"] else lines


def see_also(command: click.Command, context: click.Context) -> list[str]:
    """Return the names of the pages next to this one: the group's, and those of its commands."""
    names = [context.parent.command_path.replace(" ", "-")] if context.parent is not None else []
    if isinstance(command, click.Group):
        here = context.command_path.replace(" ", "-")
        names += [f"{here}-{under}" for under in command.list_commands(context)]
    return names


def roff(line: str) -> str:
    """Escape a line of text for roff: backslashes, hyphens that are to be copied, controls at its beginning."""
    line = line.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    line = line.replace("~", "\\(ti").replace("^", "\\(ha").replace('"', "\\(dq")
    return "\\&" + line if line.startswith(".") else line


def day() -> str:
    """Return the date of the release, YYYY-MM-DD."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).date().isoformat()
    found = re.search(r"^date-released: *\"?(\d{4}-\d\d-\d\d)", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    return found[1] if found else ""


def main(folder: Path) -> None:
    """Write the pages into a folder, and remove pages that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.1"):
        if old.name not in made:
            old.unlink()
    for name, content in made.items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    # the commands of this source tree, and not those that may be installed
    sys.path[:0] = [str(ROOT), str(ROOT / "train"), str(ROOT / "export")]
    main(Path(sys.argv[1]))
