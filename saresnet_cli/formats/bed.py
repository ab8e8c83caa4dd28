"""BED: a row a window and model, BED6 with the columns logit and pvalue."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from saresnet_cli.formats import digits
from saresnet_cli.formats.layout import Files, Layout
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.scanning import Block

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "logit", "pvalue")


@contextlib.contextmanager
def open_writer(
    path: str | None, made: ScanProvenance, layout: Layout, genome: Genome, files: Files
) -> Iterator[Callable[[Block], None]]:
    """Open a BED file; yields what writes a block."""
    with files.open(path) as out:

        def write(block: Block) -> None:
            out.write(bed_lines(block, made.models))
            out.flush()

        if files.headed:
            out.write(made.header(BED_COLUMNS))
        yield write


def bed_lines(block: Block, models: Sequence[Model]) -> bytes:
    """Format scores as BED6 plus logit and pvalue ("." where a model has no background), a line a window and model.

    score: 6 decimals, 0 to 1; logit: 4 decimals; pvalue: 3 digits.
    """
    row, column = np.nonzero(block.keep)
    return digits.lines(
        digits.names(block.chrom)[row],
        digits.integers(block.start)[row],
        digits.integers(block.end)[row],
        digits.words([model.id for model in models])[column],
        digits.fixed(block.score[row, column], 6, "."),
        digits.words(["."])[np.zeros_like(row)],
        digits.fixed(block.logit[row, column], 4, "."),
        digits.significant(block.pvalue[row, column], "."),
    )
