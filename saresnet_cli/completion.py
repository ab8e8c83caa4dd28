"""Completion in the shell: commands, options, names of models, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

if TYPE_CHECKING:
    import click

    from saresnet_cli.registry import Entry

VARIABLE = "_SARESNET_COMPLETE"
"""Environment variable by which the shell's script asks."""

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


def script(command: click.Command, shell: str) -> str:
    """Return what a shell has to read to complete `saresnet`; shell: one of SHELLS."""
    complete = SHELLS[shell](command, {}, "saresnet", VARIABLE)
    return complete.source_template % complete.source_vars()


def answer(command: click.Command, instruction: str) -> int:
    """Answer the shell on standard output; returns the exit code.

    instruction: what VARIABLE holds, "SHELL_complete" or "SHELL_source". What the command line means nothing to is
    completed as a file, which click leaves out for arguments of text.
    """
    shell, _, what = instruction.partition("_")
    if shell not in SHELLS or what not in ("complete", "source"):
        return 1
    if what == "source":
        print(script(command, shell))
        return 0
    complete = SHELLS[shell](command, {}, "saresnet", VARIABLE)
    words, incomplete = complete.get_completion_args()
    items = complete.get_completions(words, incomplete)
    if not items and not incomplete.startswith("-"):
        items = [CompletionItem(incomplete, type="file")]
    for item in items:
        print(complete.format_completion(item))
    return 0


def factors(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete --tf: factors of the models that are here, several with commas, or all."""
    return _listed(["all", *(entry.tf for entry in _entries() if entry.tf != "any")], incomplete)


def cells(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete --cell: those of the factors that stand in --tf, else all."""
    tfs = {tf.strip().lower() for tf in (context.params.get("tf") or "all").split(",")}
    return _listed(
        [e.cell for e in _entries() if e.cell != "any" and ("all" in tfs or e.tf.lower() in tfs)], incomplete
    )


def models(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete --model: ids of the models that are here, else files."""
    return [CompletionItem(entry.id) for entry in _entries() if entry.id.lower().startswith(incomplete.lower())]


def _listed(names: list[str], incomplete: str) -> list[CompletionItem]:
    """Complete the last name of a list with commas; names that are in it already are left out."""
    before, comma, last = incomplete.rpartition(",")
    used = {name.strip().lower() for name in before.split(",")}
    found = sorted({n for n in names if n.lower().startswith(last.lower()) and n.lower() not in used}, key=str.lower)
    return [CompletionItem(f"{before}{comma}{name}") for name in found]


def _entries() -> tuple[Entry, ...]:
    from saresnet_cli.errors import SaresnetError
    from saresnet_cli.registry import Registry

    try:
        return Registry.read().entries
    except SaresnetError:  # the command itself will say what is wrong
        return ()
