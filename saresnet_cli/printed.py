"""Numbers as they are printed, which is how they count: a filter and a call go by what stands in the file."""

from __future__ import annotations

import numpy as np


def six_decimals(scores: np.ndarray) -> np.ndarray:
    """Round scores to six decimals, as a scan prints them: float64 of any shape, 0 to 1 -> the same shape."""
    rounded: np.ndarray = np.rint(scores * 1e6) / 1e6  # the quotient is the float that the text is read back as
    return rounded


def three_digits(pvalues: np.ndarray) -> np.ndarray:
    """Round p-values to three significant digits, as a scan prints them: (n,) float64 -> (n,) float64, NaN stays."""
    rounded = np.array(pvalues, dtype=np.float64)
    known = np.flatnonzero(rounded > 0)
    values = rounded[known]
    # A power of ten up to 10^22 is exact, so that a whole number over it is the float that "%.3g" is read back as.
    power = 10.0 ** np.clip(2 - np.floor(np.log10(values)), 0, 22)
    scaled = values * power
    digits = np.rint(scaled)
    rounded[known] = digits / power
    for i in halves(scaled, digits):
        rounded[known[i]] = float(f"{values[i]:.3g}")
    return rounded


def halves(scaled: np.ndarray, rounded: np.ndarray) -> list[int]:
    """Return which numbers, (n,) float64, are at a half and were rounded by chance.

    There the rounding of the product that they are decides, where printing goes by the exact value.
    """
    at: list[int] = np.flatnonzero(np.abs(np.abs(scaled - rounded) - 0.5) < 1e-6).tolist()
    return at
