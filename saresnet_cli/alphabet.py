"""The letters of DNA: upper case, IUPAC codes, and what counts as a base."""

from __future__ import annotations

import numpy as np

IUPAC = b"ACGTUNRYSWKMBDHV"
"""Letters that a nucleotide sequence may hold; gaps and stops ("-", "*") are not among them."""

UPPER = bytes(range(256)).upper().translate(bytes.maketrans(b"U", b"T"))
"""Table for `bytes.translate`: lower case to upper case, the U of RNA to T, all else as it is."""

_UPPER = np.frombuffer(UPPER, dtype=np.uint8)
_KNOWN = np.isin(np.arange(256), list(IUPAC + IUPAC.lower()))
_AMBIGUOUS = ~np.isin(np.arange(256), list(b"ACGTacgt"))


def upper(bases: np.ndarray) -> np.ndarray:
    """Return letters in upper case, U as T: (n,) uint8 ASCII -> (n,) uint8."""
    return np.take(_UPPER, bases)


def first_foreign(bases: np.ndarray) -> int | None:
    """Return the index of the first letter that is not an IUPAC nucleotide code, None when all are.

    bases: (n,) uint8 ASCII, either case.
    """
    known = _KNOWN[bases]
    return None if known.all() else int(np.argmin(known))


def count_ambiguous(bases: np.ndarray) -> np.ndarray:
    """Return how many letters before each position are not A, C, G or T.

    bases: (n,) uint8 ASCII -> (n + 1,) int32, from 0; the count in [a, b) is `counts[b] - counts[a]`.
    """
    counts = np.zeros(len(bases) + 1, dtype=np.int32)
    np.cumsum(_AMBIGUOUS[bases], dtype=np.int32, out=counts[1:])
    return counts


def spell(letter: int) -> str:
    """Return a byte as a user should see it: 'E', or '\\xff'."""
    return repr(bytes([letter]))[1:]
