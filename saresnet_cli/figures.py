"""Makes figures with matplotlib: the same data gives the same bytes, and no display is needed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from saresnet_cli.errors import OutputError, SaresnetError
from saresnet_cli.output import open_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg")
OTHERS = (".pdf", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".webp", ".bmp", ".eps", ".ps")
"""What names of pictures end in that can't be written."""

_STYLE: dict = {
    "svg.hashsalt": "saresnet",  # ids in the file come from this, not from chance
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_DPI = 100


def check_format(path: str | Path) -> None:
    """Raise OutputError unless a picture can be written under this name, and matplotlib is there to draw it."""
    if Path(path).suffix.lower() not in FORMATS:
        raise OutputError("a picture is PNG or SVG", path=path, cure="give a name that ends in .png or .svg")
    with drawing():
        pass


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Set matplotlib up for the figures that are drawn and saved within; raises SaresnetError where it is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise missing(error) from error
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # not what a user's matplotlibrc says
        matplotlib.rcParams.update(_STYLE)
        yield


def missing(error: ModuleNotFoundError) -> SaresnetError:
    """Return the error for a picture that lacks a library."""
    return SaresnetError(f"a picture needs {error.name}, which is not installed", cure="pip install 'saresnet[plot]'")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG or SVG, by the name of the file; raises OutputError. Call it within `drawing`."""
    kind = Path(path).suffix.lower()[1:]
    data = io.BytesIO()
    figure.savefig(data, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else {"Software": None})
    with open_output(path) as out:
        out.write(data.getvalue())
