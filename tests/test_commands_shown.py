"""The documentation: every `saresnet` command line in it parses, those that no test runs included."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from saresnet_cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "models" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ENDS = {"|", "||", "&", "&&", ";", ";;", ">", "<", ">>", "(", ")", "done"}
STANDS_FOR_MORE = {"…", "..."}


def code(text: str) -> list[str]:
    """Return the command lines of a page: of its blocks, and what stands between backticks."""
    lines: list[str] = []
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        if kind == "python":
            continue
        block = re.sub(r"\\\n\s*", " ", block)
        typed = re.findall(r"^\$ (.*)", block, re.M)  # without a prompt, all is typed
        lines += typed or block.splitlines()
    prose = re.sub(r"^```.*?^```|^<!-- .*? -->$", "", text, flags=re.M | re.S)
    return lines + [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose)]


def commands(line: str) -> list[list[str]]:
    """Return the arguments of each `saresnet` in a command line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a quote that ends elsewhere: prose
        return []
    found: list[list[str]] = []
    for at, word in enumerate(words):
        module = word == "saresnet_cli" and words[at - 1] == "-m"
        program = word == "saresnet" and (at == 0 or words[at - 1] in ENDS | {"do", "saresnet"})
        if (module or program) and words[at + 1 : at + 2] != ["saresnet"]:  # an image, whose program is called the same
            rest = words[at + 1 :]
            found.append(rest[: next((i for i, word in enumerate(rest) if word in ENDS), len(rest))])
    return found


def parse(arguments: list[str]) -> None:
    """Raise UsageError on a command, an option, a choice or an argument that there is not."""
    command: click.Command = cli
    context = click.Context(cli, info_name="saresnet")
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        name, *arguments = arguments
        if name in STANDS_FOR_MORE:
            return
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"no command {name}")
        command, context = found, click.Context(found, info_name=name, parent=context)
    given = [word for word in arguments if word not in STANDS_FOR_MORE]
    try:
        values, rest, _ = command.make_parser(context).parse_args(list(given))
    except click.BadOptionUsage as error:
        if error.option_name == given[-1]:  # `saresnet scan --format`: named, not used
            return
        raise
    if rest:
        raise click.UsageError(f"too many arguments: {rest}")
    for parameter in command.params:
        value = values.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)


def shown(page: Path) -> list[str]:
    return [shlex.join(arguments) for line in code(page.read_text()) for arguments in commands(line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_that_a_page_shows_are_commands(page: Path) -> None:
    for arguments in shown(page):
        try:
            parse(shlex.split(arguments))
        except click.UsageError as error:
            pytest.fail(f"saresnet {arguments}: {error.format_message()}")


def test_each_command_is_shown_somewhere() -> None:
    lines = [shlex.split(arguments) for page in PAGES for arguments in shown(page)]
    said = {" ".join(words[:count]) for words in lines for count in (1, 2)}

    def paths(group: click.Group, before: str) -> list[str]:
        context = click.Context(group)
        found = [(f"{before}{name}", group.get_command(context, name)) for name in group.list_commands(context)]
        return [
            path
            for name, command in found
            for path in (paths(command, f"{name} ") if isinstance(command, click.Group) else [name])
        ]

    assert [path for path in paths(cli, "") if path not in said] == []


@pytest.mark.parametrize(
    "line",
    [
        "saresnet scam genome.fa",
        "saresnet scan genome.fa --stribe 5",
        "zcat x | saresnet call --scan - -x",
        "saresnet scan genome.fa --format wig",
        "saresnet scan genome.fa regions.bed another.bed",
        "docker run x saresnet saresnet scan --nothing",
        "torchrun -m saresnet_cli train pretrian",
        "for i in 1 2; do saresnet scan g.fa --sard $i/2; done",
        "saresnet models sow",
    ],
)
def test_a_wrong_command_is_seen(line: str) -> None:
    with pytest.raises(click.UsageError):
        [parse(arguments) for arguments in commands(line)]


def test_a_right_command_passes() -> None:
    line = "x=1; saresnet scan g.fa -o 'a.{model}.bw' --format bigwig > y && saresnet call --scan - | saresnet …"
    assert [arguments[:1] for arguments in commands(line)] == [["scan"], ["call"], ["…"]]
    for arguments in commands(line):
        parse(arguments)
