"""From peaks on a genome to the windows that a network is trained, validated and tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.genome import Genome
from saresnet_train.background import MARGIN, around
from saresnet_train.gc import gc_shares
from saresnet_train.holdout import Part, Split, choose_parts, show_parts, split_peaks
from saresnet_train.negatives import GenomicWindows, Interval, shuffle_dinucleotides
from saresnet_train.peaks import Peaks, read_summits
from saresnet_train.recipe import Recipe
from saresnet_train.training_set import TrainingSet, check_enough, validation_windows

FLANK = (200, 1000)
"""Bases from a summit to the middle of a window beside the peak, least and most."""


@dataclass(frozen=True)
class PeakSet:
    """Peaks of one experiment and how to use them.

    id: of the model; peaks: BED or narrowPeak; genome: FASTA. test, valid: parts of the genome
    that are kept from training; where there are none, they are chosen (`choose_parts`). exclude: BED files of
    regions without negatives, beside the peaks. top: how many of the strongest peaks to learn from, default all.
    """

    id: str
    peaks: Path
    genome: Path
    test: tuple[Interval, ...] = ()
    valid: tuple[Interval, ...] = ()
    exclude: tuple[Path, ...] = ()
    top: int | None = None


@dataclass(frozen=True)
class Prepared:
    """The windows of a peak set.

    test, valid: parts of the genome, as they were chosen, and in words. unbound: windows of the part to test
    on that are not bound.
    """

    split: Split
    test: tuple[Interval, ...]
    valid: tuple[Interval, ...]
    test_text: str
    valid_text: str
    training: TrainingSet
    unbound: GenomicWindows

    def negatives(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what the bound windows to test on are judged against, as many each, (n, 101) uint8 codes.

        Their dinucleotide shuffles; windows of the genome that are not bound, with the same GC content.
        """
        bound = self.split.testing.codes
        genomic = self.unbound.draw(len(bound), np.random.default_rng((seed, 22)), gc_shares(bound))
        return shuffle_dinucleotides(bound, (seed, 21)), genomic


def prepare(source: PeakSet, recipe: Recipe, seed: int) -> Prepared:
    """Cut the windows of a peak set and find where its negatives may lie.

    Raises RegionError or GenomeError on peaks that are not on the genome, SaresnetError when there
    are too few peaks to train, validate or test on, or no window for a kind of negative.
    """
    with Genome(source.genome) as genome:
        every = read_summits(source.peaks, genome)
        excluded = [interval for path in source.exclude for interval in around(read_summits(path, genome))]
        peaks = every.strongest(source.top) if source.top is not None else every
        test, valid = choose_parts(peaks, genome, source.test, source.valid)
        split = split_peaks(peaks, genome, test, valid)
        texts = show_parts(test, genome.lengths), show_parts(valid, genome.lengths)
    for part, option, text in (
        (split.testing, "--test-chroms", texts[0]),
        (split.validating, "--valid-chroms", texts[1]),
    ):
        if not len(part):
            where = f"no peak lies in {text}" if text else "too few peaks to keep some from training"
            raise SaresnetError(where, path=source.peaks, cure=f"choose other {option}, or give more peaks")
    check_enough(source.id, len(split.training))
    free = GenomicWindows(source.genome, [*around(every), *_around_summits(every), *excluded])
    near = [(name, start - WINDOW, end + WINDOW) for name, start, end in (*test, *valid)]
    background = _some(free.without(near), "to train on", source)
    flanks = background.within(_beside(split.training))
    if recipe.flanks and not len(flanks.free):
        raise GenomeError("no window beside the peaks is free", path=source.genome, cure="use --flanks 0")
    judged = _some(free.within(valid), "to validate on", source)
    validation = validation_windows(split.validating.codes, judged, seed, match_gc=recipe.match_gc)
    training = TrainingSet(
        split.training.codes,
        split.validating.codes,
        validation,
        background,
        flanks if recipe.flanks else None,
        held_out=f"{len(split.testing)} to test",
    )
    return Prepared(split, test, valid, *texts, training, _some(free.within(test), "to test on", source))


def _some(windows: GenomicWindows, purpose: str, source: PeakSet) -> GenomicWindows:
    if not len(windows.free):
        raise GenomeError(
            f"no window without a peak is left {purpose}", path=source.genome, cure="hold out other parts"
        )
    return windows


def _around_summits(peaks: Peaks) -> list[Interval]:
    """Return the intervals around summits that no negative may touch: a peak may be narrower than its window."""
    reach = WINDOW // 2 + MARGIN
    rows = zip(peaks.chrom.tolist(), peaks.summit.tolist(), strict=True)
    return [(name, summit - reach, summit + reach + 1) for name, summit in rows]


def _beside(part: Part) -> list[Interval]:
    """Return the intervals on either side of bound windows that windows beside a peak lie in."""
    least, most, half = *FLANK, WINDOW // 2
    intervals = []
    for name, start in zip(part.chrom.tolist(), part.start.tolist(), strict=True):
        middle = start + half
        intervals.append((name, middle - most - half, middle - least + half + 1))
        intervals.append((name, middle + least - half, middle + most + half + 1))
    return intervals
