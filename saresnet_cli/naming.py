"""What a model may be called: its id, factor and cell stand in headers, columns, names of files and options."""

from __future__ import annotations

from typing import NamedTuple

from saresnet_cli.errors import ModelError


class Fault(NamedTuple):
    """What is wrong with a name, in words that begin with it, and a name in place of it."""

    message: str
    better: str


def check_name(what: str, name: str) -> None:
    """Raise ModelError, with a name in place of it, when a model can't be called so; what: "id", "tf" or "cell"."""
    if fault := fault_of(name):
        raise ModelError(f"the {what} {fault.message}", cure=f"--{what} {fault.better}")


def fault_of(name: str) -> Fault | None:
    """Return what is wrong with a name: nothing, where it has no blanks, no "/" and no control characters."""
    if not name:
        return Fault("'' is no name", "My_TF")
    if all(map(_allowed, name)):
        return None
    better = "".join(letter if _allowed(letter) else "_" for letter in name).strip("_")
    return Fault(f"{name!r} holds a blank, '/' or a control character", better or "My_TF")


def _allowed(letter: str) -> bool:
    return letter.isprintable() and not letter.isspace() and letter != "/"
