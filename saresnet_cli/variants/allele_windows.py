"""The windows over alternate alleles, on the reference and the alternate haplotype, and how their logits compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.variants.alleles import FLANK, Allele


@dataclass(frozen=True)
class Comparison:
    """What alleles change, a row each, and a column a model.

    ref, alt: largest logit of the windows over the allele on either haplotype, (n, models) float64; delta: alt
    - ref. gain: how far a window of the alternate rises above its counterpart at most, 0 where none does;
    loss: how far one of the reference falls, 0 or less. gain_start, loss_start: where that window starts in
    the genome, (n, models) int64, -1 where there is none. NaN where windows that would say it have no logit.
    """

    ref: np.ndarray
    alt: np.ndarray
    delta: np.ndarray
    gain: np.ndarray
    gain_start: np.ndarray
    loss: np.ndarray
    loss_start: np.ndarray


@dataclass(frozen=True)
class AlleleWindows:
    """Windows over alleles; for each allele those of its reference haplotype, then those of the alternate one.

    bases: (length,) uint8 ASCII, every haplotype's stretch one after another; start: (n,) int64, where in them a
    window starts; haplotype: (n,) int64, 2 * allele, 1 more on the alternate; index: (n,) int64, where in its
    stretch a window starts; heads: (2 * alleles + 1,) int64, each haplotype's first window. The rest, (alleles,)
    int64: lengths of left flank, right flank, reference and alternate, and where in the genome the stretch starts.
    """

    bases: np.ndarray
    start: np.ndarray
    haplotype: np.ndarray
    index: np.ndarray
    heads: np.ndarray
    left: np.ndarray
    right: np.ndarray
    reference: np.ndarray
    alternate: np.ndarray
    origin: np.ndarray
    centered: bool

    @classmethod
    def of(cls, alleles: Sequence[Allele], centered: bool = False) -> AlleleWindows:
        """Plan the windows of alleles: all that hold a base of the allele, or span the place where it has none.

        centered: only the one window whose middle is the allele's, moved inside the sequence at its ends.
        """
        parts = [part for a in alleles for part in (a.left, a.reference, a.right, a.left, a.alternate, a.right)]
        left, reference, right, _, alternate, _ = np.array([len(part) for part in parts], np.int64).reshape(-1, 6).T
        lengths = np.stack([left + reference + right, left + alternate + right], axis=1).ravel()
        counts = lengths - FLANK
        offsets = np.cumsum(lengths) - lengths
        if centered:
            middle = np.stack([left + reference // 2, left + alternate // 2], axis=1).ravel()
            index = np.clip(middle - WINDOW // 2, 0, counts - 1)
            haplotype = np.arange(len(lengths))
            heads = np.arange(len(lengths) + 1)
        else:
            heads = np.concatenate([[0], np.cumsum(counts)])
            haplotype = np.repeat(np.arange(len(lengths)), counts)
            index = np.arange(heads[-1]) - heads[haplotype]
        return cls(
            bases=np.concatenate([np.empty(0, np.uint8), *parts]),
            start=offsets[haplotype] + index,
            haplotype=haplotype,
            index=index,
            heads=heads,
            left=left,
            right=right,
            reference=reference,
            alternate=alternate,
            origin=np.array([a.start - len(a.left) for a in alleles], np.int64),
            centered=centered,
        )

    @property
    def clipped(self) -> np.ndarray:
        """Which alleles have fewer windows, or windows out of their middle, at an end of the sequence: (alleles,)."""
        if not self.centered:
            return (self.left < FLANK) | (self.right < FLANK)
        half = WINDOW // 2
        spelled = np.stack([self.reference, self.alternate])
        before, after = self.left + spelled // 2, self.right + spelled - spelled // 2
        moved: np.ndarray = ((before < half) | (after <= half)).any(axis=0)
        return moved

    def compare(self, logits: np.ndarray) -> Comparison:
        """Compare haplotypes: logits (n, models), NaN where a window has none.

        Counterparts of a window are the windows of the other haplotype that start where it starts, if it starts
        before the allele, and end where it ends, if it ends behind it; it is compared with the higher one.
        A window inside an insertion or deletion has none, and is compared with the best one of the other haplotype.
        """
        own = np.where(np.isnan(logits), -np.inf, logits.astype(np.float64))
        heads = self.heads[:-1]
        best = np.maximum.reduceat(own, heads) if len(own) else own
        with np.errstate(invalid="ignore"):
            rise = own - self._counterpart(own, best)
        rise[~np.isfinite(rise)] = -np.inf  # one of the two has no logit
        peak = np.maximum.reduceat(rise, heads) if len(own) else own
        rows = np.arange(len(own))[:, None]
        places = np.where(rise == peak[self.haplotype], rows, len(own))
        first = np.minimum.reduceat(places, heads) if len(own) else places  # of equal windows the first
        start = np.where(peak > 0, self._genomic()[first], -1)
        best[np.isinf(best)] = np.nan
        peak = np.where(np.isinf(peak), np.nan, np.maximum(peak, 0.0))
        ref, alt = best[0::2], best[1::2]
        return Comparison(
            ref=ref,
            alt=alt,
            delta=alt - ref,
            gain=peak[1::2],
            gain_start=start[1::2],
            loss=0.0 - peak[0::2],
            loss_start=start[0::2],
        )

    def _counterpart(self, own: np.ndarray, best: np.ndarray) -> np.ndarray:
        """Return what each window is compared with: (n, models) -> (n, models), -inf where that has no logit."""
        other = self.haplotype ^ 1
        result = best[other]
        if self.centered:
            return result
        count = np.diff(self.heads)
        after = count[self.haplotype] - 1 - self.index  # windows behind this one
        allele = self.haplotype // 2
        same_start = (self.index < self.left[allele]) & (self.index < count[other])
        same_end = (after < self.right[allele]) & (after < count[other])
        result[same_start | same_end] = -np.inf
        result[same_start] = own[(self.heads[other] + self.index)[same_start]]
        by_end = own[(self.heads[other + 1] - 1 - after)[same_end]]
        result[same_end] = np.maximum(result[same_end], by_end)
        return result

    def _genomic(self) -> np.ndarray:
        """Return where each window starts in the genome, (n,) int64; in an insertion, that is where it is inserted."""
        allele = self.haplotype // 2
        starts: np.ndarray = self.origin[allele] + np.minimum(self.index, self.left[allele] + self.reference[allele])
        return starts
