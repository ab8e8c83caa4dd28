"""Draws explanations: every base as a letter, as high as what it adds to the logit."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import OutputError
from saresnet_cli.explaining.explanations import Explanations
from saresnet_cli.figures import check_format, drawing, missing, save

ROWS = 12
"""Explanations that fit in one picture, one below the other."""

COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
"""Of the letters: Okabe and Ito's, which colour-blind people can tell apart."""

FIELDS = ("chrom", "start", "end", "name", "model")
"""What the name of a picture may hold in braces."""


class LogoFiles:
    """Pictures of explanations, one file for all, or a file each where its name has a field, as in {name}.svg.

    path: PNG or SVG, by its end; fields are `FIELDS`. Raises OutputError on another name, at once, and, while
    explanations are added, when there are more than `ROWS` of them in one picture, or two pictures of one name.
    """

    def __init__(self, path: str) -> None:
        check_format(path)
        check_logomaker()
        self._path = path
        try:
            used = [field for _, field, _, _ in string.Formatter().parse(path) if field is not None]
        except ValueError as error:
            raise OutputError(f"braces do not match ({error})", path=path) from error
        unknown = [field for field in used if field not in FIELDS]
        if unknown:
            raise OutputError(
                f"there is no field {{{unknown[0]}}}", path=path, cure="use " + ", ".join(f"{{{f}}}" for f in FIELDS)
            )
        self._each = bool(used)
        self._rows: list[Explanations] = []
        self._written: set[str] = set()

    def add(self, explanations: Explanations) -> None:
        """Take in explanations; with a field in the name their pictures are drawn now."""
        for row in explanations.rows():
            if self._each:
                self._draw_one(row)
            elif len(self._rows) == ROWS:
                raise OutputError(
                    f"more than {ROWS} explanations do not fit in one picture",
                    path=self._path,
                    cure="give fewer, or a picture each, named as in logo.{name}.{start}.png",
                )
            else:
                self._rows.append(row)

    def close(self) -> None:
        """Draw the one picture of all; raises OutputError when nothing was explained."""
        if self._each:
            return
        if not self._rows:
            raise OutputError("nothing was explained, so there is nothing to draw", path=self._path)
        draw(self._rows, self._path)

    def _draw_one(self, row: Explanations) -> None:
        fields = {field: str(getattr(row, field)[0]).replace("/", "_") for field in FIELDS}
        path = self._path.format(**fields)
        if path in self._written:
            raise OutputError("two pictures have this name", path=path, cure="put {start} or {model} into it as well")
        self._written.add(path)
        draw([row], path)


def draw(rows: Sequence[Explanations], path: str | Path) -> None:
    """Draw explanations one below the other, each a table of one row, and write them as PNG or SVG.

    Letters stand for the window's own bases, as high as their attribution, in logit; below zero they are upside
    down. Raises OutputError on another kind of file, SaresnetError when matplotlib or logomaker is missing.
    """
    check_format(path)
    with drawing():
        check_logomaker()
        import logomaker
        import pandas
        from matplotlib.figure import Figure

        figure = Figure(figsize=(14, 1.9 * len(rows) + 0.3), layout="constrained")
        for axes, row in zip(figure.subplots(len(rows), squeeze=False)[:, 0], rows, strict=True):
            start = int(row.start[0])
            heights = row.contribution[0] * row.one_hot[0]
            table = pandas.DataFrame(heights.astype(np.float64), columns=list("ACGT"), index=start + np.arange(WINDOW))
            logomaker.Logo(table, ax=axes, color_scheme=COLOURS, flip_below=True, shade_below=0.35, show_spines=False)
            axes.axhline(0, color="black", linewidth=0.5)
            axes.spines["left"].set_visible(True)
            axes.set_xlim(start - 1, start + WINDOW)
            ticks = [at for at in range(start, start + WINDOW) if at % 10 == 0]
            axes.set_xticks(ticks, [f"{at:,}" for at in ticks])
            axes.set_xlabel(f"position on {row.chrom[0]} (0-based)")
            axes.set_ylabel("attribution (logit)")
            axes.set_title(_title(row), fontsize=9, loc="left")
        save(figure, path)


def check_logomaker() -> None:
    """Raise SaresnetError unless logomaker is there to draw letters."""
    try:
        import logomaker  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing(error) from error


def _title(row: Explanations) -> str:
    name = "" if row.name[0] in (".", row.chrom[0]) else f"{row.name[0]}  "
    place = f"{row.chrom[0]}:{row.start[0]:,}-{row.end[0]:,}"
    return f"{name}{place}  {row.model[0]}  logit {row.logit[0]:.2f}"
