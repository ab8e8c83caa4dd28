"""Which parts of a genome are kept from training: to test on, and to validate on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import SaresnetError
from saresnet_cli.genome import Genome
from saresnet_train.background import parse_interval, place
from saresnet_train.codes import OTHER
from saresnet_train.data import first_of_duplicates, read_starts
from saresnet_train.loci import group_by_locus
from saresnet_train.negatives import Interval
from saresnet_train.peaks import Peaks, summit_windows
from saresnet_train.runs import Runs

SHARE = 0.1
"""Share of the peaks that is to test on, and to validate on, where the user does not say."""


# three digits behind a comma are thousands: no comma between parts
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_PART = re.compile(rf"([^,:]+(?::{_NUMBER}-{_NUMBER})?)(?:,|$)")


def parse_parts(text: str) -> tuple[Interval, ...]:
    """Read sequences and ranges separated by commas, `chr8,chr9` or `chr20:40,000,000-50,000,000,chr21`.

    Raises SaresnetError on what is neither.
    """
    parts, at = [], 0
    while at <= len(text):
        # what is no part is cut off at the next comma, for `parse_interval` to complain about
        part = found[1] if (found := _PART.match(text, at)) else text[at:].partition(",")[0]
        parts.append(parse_interval(part.strip()))
        at += len(part) + 1
    return tuple(parts)


def show_parts(parts: tuple[Interval, ...], lengths: dict[str, int]) -> str:
    """Write intervals as `parse_parts` reads them."""
    return ",".join(
        name if start == 0 and end >= lengths[name] else f"{name}:{start}-{end}" for name, start, end in parts
    )


def choose_parts(
    peaks: Peaks, genome: Genome, test: tuple[Interval, ...] = (), valid: tuple[Interval, ...] = ()
) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """Return the parts of the genome to test on and to validate on.

    Those that are given stay, as one where they overlap; the others are chosen: the sequence whose share of the peaks
    is nearest to a tenth, if that is between a twentieth and a fifth; else the last tenth of the peaks in the order of
    the genome. Raises GenomeError for a part that is not in the genome, SaresnetError for parts that overlap.
    """
    chosen: list[tuple[Interval, ...]] = []
    for given, other in ((test, valid), (valid, test)):
        taken = tuple(place(genome, other)) + tuple(part for parts in chosen for part in parts)
        chosen.append(tuple(place(genome, given)) or _choose(peaks, genome, taken))
    for (name, start, end), (name2, start2, end2) in product(*chosen):
        if name == name2 and start < end2 and start2 < end:
            both = f"{name}:{max(start, start2)}-{min(end, end2)}"
            raise SaresnetError(f"{both} is both to test and to validate on", cure="choose parts that do not overlap")
    return chosen[0], chosen[1]


def _choose(peaks: Peaks, genome: Genome, taken: tuple[Interval, ...]) -> tuple[Interval, ...]:
    rank = {name: i for i, name in enumerate(genome.names)}
    number = np.array([rank[name] for name in peaks.chrom.tolist()], np.int64)
    barred = {name for name, _, _ in taken}
    counts = np.bincount(number, minlength=len(rank))
    for name in barred:
        counts[rank[name]] = 0
    shares = counts / max(1, len(peaks))
    nearest = int(np.argmin(np.abs(shares - SHARE)))
    if SHARE / 2 <= shares[nearest] <= 2 * SHARE:
        return ((genome.names[nearest], 0, genome.lengths[genome.names[nearest]]),)
    free = ~_lying_in(peaks, peaks.summit, peaks.summit + 1, taken)
    order = np.lexsort((peaks.summit[free], number[free]))
    names, summits = number[free][order], peaks.summit[free][order]
    first = len(order) - round(SHARE * len(peaks))
    if first <= 0 or first >= len(order):
        return ()
    at = int(names[first])
    # half-way between two peaks of a sequence; a sequence that begins with its own first peak is taken whole
    start = int(summits[first - 1] + summits[first]) // 2 if names[first - 1] == at else 0
    parts = []
    for sequence in np.unique(names[first:]).tolist():
        name = genome.names[sequence]
        whole = Runs.union([start if sequence == at else 0], [genome.lengths[name]])
        there = [(low, high) for other, low, high in taken if other == name]
        left = whole.without(Runs.union([low for low, _ in there], [high for _, high in there]))
        parts += [(name, low, high) for low, high in zip(left.low.tolist(), left.high.tolist(), strict=True)]
    return tuple(parts)


@dataclass(frozen=True)
class Part:
    """Bound windows of a part of a genome: codes, (n, 101) uint8; chrom, (n,) object; start, (n,) int64."""

    codes: np.ndarray
    chrom: np.ndarray
    start: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Split:
    """The windows of peaks by what they are for. dropped: how many are for nothing, by reason."""

    training: Part
    validating: Part
    testing: Part
    dropped: dict[str, int]

    def __str__(self) -> str:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in self.dropped.items() if count)
        return (
            f"{len(self.training):,} peaks to train on, {len(self.validating):,} to validate, "
            f"{len(self.testing):,} to test; left out: {reasons or 'none'}"
        )


def split_peaks(peaks: Peaks, genome: Genome, test: tuple[Interval, ...], valid: tuple[Interval, ...]) -> Split:
    """Split the windows around summits by the part of the genome that they lie in.

    A window is for testing or validation when it lies wholly in such a part, and for training when no
    such part is within 101 bp. One that shares 50 bases on either strand with a window held out, elsewhere in the
    genome, is not trained on. Each window counts once; more than a tenth of N is too many.
    """
    start = summit_windows(peaks, genome)
    dropped = {"in sequences shorter than a window": int((start < 0).sum())}
    rows = np.flatnonzero(start >= 0)
    codes = read_starts(genome, peaks.chrom[rows], start[rows])
    known = np.count_nonzero(codes == OTHER, axis=1) * 10 <= WINDOW
    dropped["with more than a tenth of N"] = int((~known).sum())
    rows, codes = rows[known], codes[known]
    chosen, start = peaks.chosen(rows), start[rows]
    end = start + WINDOW
    near = tuple((name, max(0, low - WINDOW), high + WINDOW) for name, low, high in (*test, *valid))
    masks = [~_touching(chosen, start, end, near), *(_lying_in(chosen, start, end, part) for part in (valid, test))]
    dropped["at the edge of a part that is held out"] = int((~np.any(masks, axis=0)).sum())
    locus = group_by_locus(codes)
    dropped["that share sequence with one held out"] = dropped["that are another peak's window"] = 0
    parts = []
    for i, mask in enumerate(masks):
        held_out = np.any([np.zeros_like(mask), *masks[i + 1 :]], axis=0)
        repeated = mask & np.isin(locus, locus[held_out])
        single = np.flatnonzero(mask & ~repeated)
        kept = single[first_of_duplicates(codes[single])]
        dropped["that share sequence with one held out"] += int(repeated.sum())
        dropped["that are another peak's window"] += len(single) - len(kept)
        parts.append(Part(codes[kept], chosen.chrom[kept], start[kept]))
    training, validating, testing = parts
    return Split(training, validating, testing, dropped)


def _lying_in(peaks: Peaks, start: np.ndarray, end: np.ndarray, parts: tuple[Interval, ...]) -> np.ndarray:
    """Return which stretches, one a peak, lie wholly in one of the parts: (n,) bool."""
    found = np.zeros(len(peaks), bool)
    for name, low, high in parts:
        found |= (peaks.chrom == name) & (low <= start) & (end <= high)
    return found


def _touching(peaks: Peaks, start: np.ndarray, end: np.ndarray, parts: tuple[Interval, ...]) -> np.ndarray:
    """Return which stretches, one a peak, overlap one of the parts: (n,) bool."""
    found = np.zeros(len(peaks), bool)
    for name, low, high in parts:
        found |= (peaks.chrom == name) & (low < end) & (start < high)
    return found
