"""The background of a model: windows where its factor is not expected, and how it scores them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW, Background
from saresnet_cli.errors import GenomeError
from saresnet_train import background as training
from saresnet_train.codes import OTHER, decode
from saresnet_train.negatives import Interval, shuffle_dinucleotides

SHUFFLES = 20_000
STRIDE = 50
THRESHOLD_PVALUE = 1e-3
"""Share of background windows at the decision threshold."""


def shuffled_windows(positives: np.ndarray, count: int = SHUFFLES, seed: int = 0) -> np.ndarray:
    """Make `count` dinucleotide shuffles of bound windows: (n, 101) uint8 codes -> (count, 101) uint8 ASCII.

    Each window gives as many as the others, to within one; of more than `count`
    windows, `count` that are spread evenly give one each.
    """
    chosen = positives[np.linspace(0, len(positives), count, endpoint=False).astype(np.int64)]
    return decode(shuffle_dinucleotides(chosen, (seed, 13)))


def genomic_windows(
    source: training.Background, positives: np.ndarray | None, only: tuple[Interval, ...], count: int
) -> np.ndarray:
    """Take windows of a genome at stride 50, spread evenly when there are more than `count`: (m, 101) uint8 ASCII.

    None holds an N, touches an excluded region, or stands where one of the bound
    windows `positives`, (n, 101) uint8 codes, does. only: parts of the genome
    to take them from. Raises GenomeError when none is left.
    """
    # Without positives one window of N stands in, which is found nowhere.
    bound = positives if positives is not None and len(positives) else np.full((1, WINDOW), OTHER, np.uint8)
    windows = source.windows(bound, only)
    starts = windows.every(STRIDE)
    if not len(starts):
        raise GenomeError("it has no window to calibrate on", path=source.genome, cure="exclude less")
    if len(starts) > count:
        starts = starts[np.linspace(0, len(starts) - 1, count).astype(np.int64)]
    return decode(windows.take(starts))


def threshold(backgrounds: dict[str, Background]) -> float:
    """Return the logit above which a window is called bound.

    That which one in a thousand background windows of a genome reaches; without
    a genome 0, the probability 0.5 of the paper.
    """
    genomic = backgrounds.get("genomic")
    if genomic is None:
        return 0.0
    return round(min(genomic.threshold(THRESHOLD_PVALUE), genomic.logit[-1]), 4)


def describe_genome(path: Path, count: int, excluded: tuple[Path, ...], only: tuple[Interval, ...]) -> str:
    """Say in words what genomic windows are."""
    where = ", ".join(f"{name}:{start}-{end}" if end < 1 << 40 else name for name, start, end in only)
    return f"{count} windows of {path.name}{f' ({where})' if where else ''} at multiples of {STRIDE} bp, without N" + (
        f", none within {training.MARGIN} bp of {', '.join(sorted(p.name for p in excluded))}" if excluded else ""
    )
