"""What the figures look like: colours that the colour-blind tell apart, and a marker, a line and a hatch of its own
for each method, so that they can be told apart in grey too."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saresnet_cli.figures import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE, GREY = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#777777",
)
"""The palette of Okabe and Ito, without its yellow, and a grey."""


@dataclass(frozen=True)
class Style:
    """How one method or class of sets is drawn."""

    colour: str
    marker: str
    line: Any = "-"
    hatch: str = ""


METHODS = {
    "transfer": Style(BLUE, "o", "-"),
    "ensemble": Style(SKY, "P", (0, (3, 1, 1, 1))),
    "paper-transfer": Style(BLUE, "s", "--"),
    "direct": Style(GREEN, "^", "-."),
    "paper-direct": Style(GREEN, "v", ":"),
    "global": Style(ORANGE, "D", "--"),
    "paper-global": Style(ORANGE, "d", ":"),
    "expectation-luo": Style(VERMILION, "X", "--"),
    "cnn-zeng": Style(PURPLE, "v", "-."),
    "deeptf": Style(ORANGE, "P", ":"),
    "deepbind": Style(SKY, "<", (0, (5, 1))),
    "gkmsvm": Style(GREY, ">", (0, (3, 1, 1, 1))),
    "pwm": Style(BLACK, "*", ":"),
}
OTHER = Style(GREY, ".", "-")

SIZES = {
    "small": Style(VERMILION, "o", "-", ""),
    "medium": Style(SKY, "s", "--", "///"),
    "large": Style(BLACK, "^", ":", "xxx"),
}


def of(method: str) -> Style:
    """Return how a method is drawn."""
    return METHODS.get(method, OTHER)


_SETTINGS: Any = {
    "font.size": 8.0,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "svg.fonttype": "none",  # text stays text: small, and it can be searched
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def svg(draw: Callable[[Figure], None], width: float, height: float) -> bytes:
    """Return a figure as SVG: the same data gives the same bytes. width and height: inches.

    Raises SaresnetError when matplotlib is missing.
    """
    with drawing():
        import matplotlib
        from matplotlib.figure import Figure

        matplotlib.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        data = io.BytesIO()
        figure.savefig(data, format="svg", metadata=_NO_METADATA)
    return _small(data.getvalue().decode()).encode()


def _small(text: str) -> str:
    """Say the same in less: coordinates to a hundredth of a point, each style once, by a class.

    Fonts as wide as DejaVu Sans are named for who does not have it.
    """

    def rounded(attribute: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", attribute[0].replace("\n", ""))

    classes: dict[str, str] = {}

    def named(attribute: re.Match[str]) -> str:
        return f' class="{classes.setdefault(attribute[1], f"s{len(classes)}")}"'

    text = re.sub(r' (?:d|x|y)="[^"]*"', rounded, text)
    text = re.sub(r' transform="rotate\(-?0 [^"]*"', "", text)  # turns by nothing
    text = text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    text = re.sub(r' style="([^"]*)"', named, text)
    rules = "".join(f".{name}{{{rule}}}" for rule, name in classes.items())
    return re.sub(r"\n +", "\n", text.replace("</style>", f"{rules}</style>", 1))
