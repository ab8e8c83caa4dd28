"""Windows as base codes: 0 A, 1 C, 2 G, 3 T, 4 any other letter."""

from __future__ import annotations

import numpy as np

OTHER = 4

_CODE_OF = np.full(256, OTHER, np.uint8)
for _code, _letters in enumerate((b"Aa", b"Cc", b"Gg", b"Tt")):
    for _letter in _letters:
        _CODE_OF[_letter] = _code
_LETTER_OF = np.frombuffer(b"ACGTN", np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, OTHER], np.uint8)


def encode(bases: np.ndarray) -> np.ndarray:
    """Return the base codes of ASCII letters: uint8, any shape -> uint8, the same shape."""
    return _CODE_OF[bases]


def decode(codes: np.ndarray) -> np.ndarray:
    """Return ASCII letters (ACGTN) of base codes: uint8, any shape -> uint8, the same shape."""
    return _LETTER_OF[codes]


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Return the other strand: (..., length) uint8 -> the same shape."""
    return _COMPLEMENT[codes][..., ::-1]
