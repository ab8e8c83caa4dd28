"""bedGraph: a track as text, sorted like `LC_ALL=C sort -k1,1 -k2,2n`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from saresnet_cli.formats import digits
from saresnet_cli.formats.layout import Files, Layout
from saresnet_cli.formats.track import VALUE_NAMES, Stretches, Track
from saresnet_cli.genome import Genome
from saresnet_cli.output import temporary_folder
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.scanning import Block


@contextlib.contextmanager
def open_writer(
    path: str | None, made: ScanProvenance, layout: Layout, genome: Genome, files: Files
) -> Iterator[Callable[[Block], None]]:
    """Open a bedGraph file; yields what takes in a block. It is written when the block ends."""
    with (
        files.open(path) as out,
        Track(made.models[0], genome, made.stride, layout.value, temporary_folder(path)) as track,
    ):
        yield track.add
        out.write(made.header(("chrom", "start", "end", VALUE_NAMES[layout.value])))
        places = 6 if layout.value == "score" else 4
        for stretches in track.stretches():
            for begin in range(0, len(stretches.start), 1 << 16):
                out.write(_lines(stretches, begin, begin + (1 << 16), places))


def _lines(stretches: Stretches, begin: int, end: int, places: int) -> bytes:
    """Format some of the stretches: score with 6 decimals, logit and -log10 of the p-value with 4."""
    start = stretches.start[begin:end]
    return digits.lines(
        digits.words([stretches.chrom]).repeat(len(start), axis=0),
        digits.integers(start),
        digits.integers(stretches.end[begin:end]),
        digits.fixed(stretches.value[begin:end], places, "nan"),
    )
