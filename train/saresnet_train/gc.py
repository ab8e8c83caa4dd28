"""GC content of windows, in bins, and how to draw windows that are like others in it."""

from __future__ import annotations

import numpy as np

from saresnet_cli.card import WINDOW

GC_BINS = WINDOW // 2 + 1
"""Bins of two bases, which is 0.02 of a window."""


def gc_bins(codes: np.ndarray) -> np.ndarray:
    """Return the bin of each window: (n, 101) uint8 codes -> (n,) int64 below `GC_BINS`; other letters count as A."""
    strong = (codes == 1) | (codes == 2)
    return np.count_nonzero(strong, axis=1) // 2


def gc_shares(codes: np.ndarray) -> np.ndarray:
    """Return which share of the windows is in each bin: (n, 101) uint8 codes -> (GC_BINS,) float64 of sum 1."""
    return np.bincount(gc_bins(codes), minlength=GC_BINS) / len(codes)


def apportion(shares: np.ndarray, count: int) -> np.ndarray:
    """Split `count` by shares of sum 1, (n,) float64: (n,) int64 of sum `count`, the largest remainders rounded up."""
    exact = shares * count
    whole = np.floor(exact).astype(np.int64)
    ranked = np.argsort(whole - exact, kind="stable")
    whole[ranked[: count - int(whole.sum())]] += 1
    return whole


def first_of_each(bins: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the indices of the first `wanted[b]` members of each bin b, or of all where there are fewer.

    bins: (n,) int64; wanted: (bins,) int64 -> (m,) int64, by bin.
    """
    order = np.argsort(bins, kind="stable")
    ranked = bins[order]
    place = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
    return order[place < wanted[ranked]]
