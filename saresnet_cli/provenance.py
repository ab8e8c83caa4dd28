"""Says in a table what made it."""

from __future__ import annotations

from collections.abc import Sequence

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.running import Summary


def header(models: Sequence[Model], summary: Summary, about: dict[str, object], columns: Sequence[str]) -> bytes:
    """Return the head of a table: a comment a model that says what made it and how to repeat it, and the columns.

    about: options of the command that decide the result, by name.
    """
    lines = []
    for model in models:
        known = {
            "model": model.id,
            "sha256": model.sha256[:12],
            "window": WINDOW,
            "strands": model.card.strands,
            "engine": summary.engine,
            "precision": summary.precision,
            **about,
        }
        lines.append(f"# saresnet {__version__} " + " ".join(f"{key}={value}" for key, value in known.items()))
    return "\n".join([*lines, "#" + "\t".join(columns), ""]).encode()
