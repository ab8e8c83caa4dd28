"""Options of every command: what is common to them."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from saresnet_cli.main import cli


def commands(group: click.Group, name: str = "saresnet") -> Iterator[tuple[str, click.Command]]:
    """Every command, with its name."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


@pytest.mark.parametrize("text", ["nan", "-NaN", "inf", "-inf", "1e999"])
def test_numbers_are_finite(text: str) -> None:
    seen = set()
    for name, command in commands(cli):
        for option in command.params:
            if isinstance(option.type, click.types.FloatParamType):
                seen.add(f"{name} {option.name}")
                with pytest.raises(click.BadParameter):
                    option.type.convert(text, option, None)
    assert {"saresnet scan min_score", "saresnet call threshold", "saresnet train finetune validation"} <= seen
    assert len(seen) > 20


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("saresnet finetune", {"tf", "cell"}),
        ("saresnet train finetune", {"tf", "cell", "identity"}),
        ("saresnet export", {"tf", "cell", "identity"}),
    ],
)
def test_what_a_new_model_is_called_can_be_written_anywhere(name: str, options: set[str]) -> None:
    by_name = {option.name: option for option in dict(commands(cli))[name].params}
    for option in map(by_name.__getitem__, options):
        assert option.type.convert("NF-kB(p65)_x.1", option, None) == "NF-kB(p65)_x.1"
        for text, better in (("My TF", "My_TF"), ("a/b", "a_b"), ("a\tb", "a_b"), ("", "My_TF")):
            with pytest.raises(click.BadParameter, match=f"; write {better}"):
                option.type.convert(text, option, None)
