"""TSV: a table with one header line, NA for what is missing, and no comments, for pandas, R and csvkit."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

import numpy as np

from saresnet_cli.formats import digits
from saresnet_cli.formats.layout import Files, Layout
from saresnet_cli.genome import Genome
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.scanning import Block

WINDOW_COLUMNS = ("chrom", "start", "end")
LONG_COLUMNS = (*WINDOW_COLUMNS, "model", "score", "logit", "pvalue")
_NA = "NA"
_log = logging.getLogger("saresnet")


@contextlib.contextmanager
def open_writer(
    path: str | None, made: ScanProvenance, layout: Layout, genome: Genome, files: Files
) -> Iterator[Callable[[Block], None]]:
    """Open a TSV file; yields what writes a block."""
    ids = [model.id for model in made.models]
    with files.open(path) as out:

        def write(block: Block) -> None:
            out.write(wide_lines(block, layout.value) if layout.wide else long_lines(block, ids))
            out.flush()

        for line in made.lines():  # a comment would be the header to pandas and R
            _log.info("made by %s", line)
        if files.headed:
            out.write(("\t".join((*WINDOW_COLUMNS, *ids) if layout.wide else LONG_COLUMNS) + "\n").encode())
        yield write


def long_lines(block: Block, ids: list[str]) -> bytes:
    """Format scores, a line a window and model; the numbers are those of BED."""
    row, column = np.nonzero(block.keep)
    return digits.lines(
        *(text[row] for text in _windows(block)),
        digits.words(ids)[column],
        digits.fixed(block.score[row, column], 6, _NA),
        digits.fixed(block.logit[row, column], 4, _NA),
        digits.significant(block.pvalue[row, column], _NA),
    )


def wide_lines(block: Block, value: str) -> bytes:
    """Format one value of each model, a line a window; value: "logit", "score" or "pvalue"."""
    columns = wide_values(block, value).T
    if value == "pvalue":
        return digits.lines(*_windows(block), *(digits.significant(column, _NA) for column in columns))
    places = 4 if value == "logit" else 6
    return digits.lines(*_windows(block), *(digits.fixed(column, places, _NA) for column in columns))


def wide_values(block: Block, value: str) -> np.ndarray:
    """Return one value of each window and model, (n, models), NaN where the filters leave it out."""
    values: np.ndarray = getattr(block, value)
    return np.where(block.keep, values, np.nan)


def _windows(block: Block) -> list[np.ndarray]:
    return [digits.names(block.chrom), digits.integers(block.start), digits.integers(block.end)]
