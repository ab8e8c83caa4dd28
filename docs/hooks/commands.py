"""Makes the reference of the commands from the commands themselves: what `--help` says, as a page."""

from __future__ import annotations

import inspect
import re

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from saresnet_cli.main import cli

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the commands where the page has its mark."""
    return markdown.replace(MARK, "\n\n".join(_sections(cli, _context(cli, "saresnet"))))


def _sections(command: click.Command, context: click.Context) -> list[str]:
    """Return a section a command, and after a group those of its commands, in its order."""
    depth = context.command_path.count(" ") + 2
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    rows = [f"| `{names}` | {_plain(text)} |" for names, text in records]
    parts = [f"{'#' * depth} {context.command_path}", f"```text\n{usage}\n```", _prose(command.help or "")]
    parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None  # noqa: S101 - the group has just named it
            parts += _sections(child, _context(child, name, context))
    return parts


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, **command.context_settings)


def _prose(text: str) -> str:
    """Return a help text as Markdown: paragraphs, and as blocks those that click leaves as they are (\\b)."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            paragraphs.append(f"```text\n{paragraph.removeprefix(chr(8)).strip()}\n```")
        else:
            paragraphs.append(_plain(paragraph))
    return "\n\n".join(paragraphs)


def _plain(text: str) -> str:
    """Escape what Markdown would take for HTML, emphasis, a link or a column."""
    return re.sub(r"[<>_*\[\]|]", lambda found: f"&#{ord(found[0])};", text)
