"""Formats whole columns of numbers and names as text, without a Python loop over rows.

A column of text is (n, width) uint8: a row's bytes, with NUL where there is none. `lines` joins columns and drops
the NULs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from saresnet_cli.printed import halves

_ZERO = ord("0")
_LARGEST = 1e12  # numbers as large are formatted by Python
_LEAST = -15  # decimal exponent of the smallest number that `significant` has in its table


def lines(*columns: np.ndarray) -> bytes:
    """Return rows of columns of text as lines, separated by tabs."""
    count = len(columns[0])
    tab, end = np.full((count, 1), ord("\t"), np.uint8), np.full((count, 1), ord("\n"), np.uint8)
    parts = [part for column in columns for part in (column, tab)]
    parts[-1] = end
    return np.concatenate(parts, axis=1).tobytes().translate(None, b"\0")


def words(texts: Sequence[str]) -> np.ndarray:
    """Return texts as a column, encoded as UTF-8."""
    packed = np.array([text.encode() for text in texts], dtype=bytes)
    return packed.view(np.uint8).reshape(len(packed), packed.itemsize)


def changes(column: np.ndarray) -> np.ndarray:
    """Return where a column, (n,), differs from the row before, and 0: (stretches,) int64."""
    first: np.ndarray = np.flatnonzero(np.concatenate([[len(column) > 0], column[1:] != column[:-1]])[: len(column)])
    return first


def names(column: np.ndarray) -> np.ndarray:
    """Return a column of names, (n,) object, most of which equal the one before: each is encoded once a stretch."""
    if not len(column):
        return words([])
    first = changes(column)
    return np.repeat(words(column[first].tolist()), np.diff(first, append=len(column)), axis=0)


def integers(values: np.ndarray) -> np.ndarray:
    """Return whole numbers of 0 or more, (n,) int, as a column."""
    return _digits(values, 1)


def fixed(values: np.ndarray, places: int, missing: str) -> np.ndarray:
    """Return numbers, (n,) float, as a column with `places` decimals; `missing` stands for NaN."""
    values = values.astype(np.float64)
    absent = np.isnan(values)
    known = np.where(absent, 0.0, values)
    if not (np.abs(known) < _LARGEST).all():
        return words([missing if value != value else f"{value:.{places}f}" for value in values.tolist()])
    scaled = np.rint(known * 10.0**places).astype(np.int64)
    text = _digits(np.abs(scaled), places + 1)
    sign = np.where(scaled < 0, ord("-"), 0).astype(np.uint8)[:, None]
    point = np.full((len(values), 1), ord("."), np.uint8)
    column = np.concatenate([sign, text[:, :-places], point, text[:, -places:]], axis=1)
    return _replaced(column, absent, missing)


def significant(values: np.ndarray, missing: str) -> np.ndarray:
    """Return numbers of 0 to 1, (n,) float, as a column with 3 significant digits like "%.3g"; `missing` is NaN."""
    values = values.astype(np.float64)
    absent = np.isnan(values)
    known = np.where(absent, 1.0, values)
    if not ((known >= 10.0**_LEAST) & (known <= 1.0)).all():
        return words([missing if value != value else f"{value:.3g}" for value in values.tolist()])
    powers = 10.0 ** np.arange(_LEAST, 1)
    exponent = np.searchsorted(powers, known, side="right") - 1
    power = (10.0 ** np.arange(2 - _LEAST, 1, -1))[exponent]
    scaled = known * power
    digits = np.rint(scaled).astype(np.int64)  # 100 to 1000
    for i in halves(scaled, digits):
        digits[i] = round(float(f"{known[i]:.3g}") * power[i])
    return _replaced(_significant_table()[exponent * 900 + digits - 100], absent, missing)


@cache
def _significant_table() -> np.ndarray:
    """Return each number of 3 significant digits as text, from the smallest; 1000 of one power is 100 of the next."""
    exponents = range(_LEAST - 2, -1)
    texts = [f"{float(f'{digits}e{power}'):.3g}" for power in exponents for digits in range(100, 1000)]
    return words(texts)


def _digits(values: np.ndarray, least: int) -> np.ndarray:
    """Return whole numbers as a column, with zeros in front up to `least` digits."""
    largest = int(values.max()) if len(values) else 0
    width = max(least, len(str(largest)))
    rest: np.ndarray = values.astype(np.uint32 if largest < 2**32 else np.int64)
    text = np.empty((width, len(values)), np.uint8)
    for place in range(width - 1, -1, -1):
        quotient = rest // 10
        digit = (rest - quotient * 10).astype(np.uint8) + np.uint8(_ZERO)
        text[place] = digit if width - place <= least else np.where(rest > 0, digit, np.uint8(0))
        rest = quotient
    return text.T


def _replaced(column: np.ndarray, where: np.ndarray, missing: str) -> np.ndarray:
    if where.any():
        text = words([missing])[0]
        column = np.pad(column, ((0, 0), (0, max(0, len(text) - column.shape[1]))))
        column[where] = np.pad(text, (0, column.shape[1] - len(text)))
    return column
