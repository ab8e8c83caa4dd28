"""In-silico saturation mutagenesis: what every single change of a window does to its logit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from saresnet_cli.card import WINDOW

CHANGES = 3 * WINDOW
"""Changes of a window: three at each of its bases."""

_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_CODE_OF = np.full(256, 4, np.int64)
_CODE_OF[_LETTERS] = _CODE_OF[np.frombuffer(b"acgt", np.uint8)] = np.arange(4)
# The three other bases of A, C, G, T; the last row, of other letters, is never used.
_OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2]])


class Effects(NamedTuple):
    """What is known of n windows by each model.

    logit: (n, models) float32, of the windows. effect: (n, models, 101, 4) float32, what putting A, C, G or T there
    does to the logit: 0 for the base that is there, NaN where the window has another letter. contribution: the same
    shape, float32, what each base adds to the logit, or would add if it stood there; 0 where effect is NaN.
    missing: (n, models) float64, what the contributions of a window's own bases lack to sum to its logit less that
    of the references; NaN where a method has no references.
    """

    logit: np.ndarray
    effect: np.ndarray
    contribution: np.ndarray
    missing: np.ndarray


class Mutagenesis:
    """Explains windows by scoring all their single changes; for any model."""

    name = "ism"

    def windows(self, windows: np.ndarray) -> np.ndarray:
        """Return each window followed by its changes: (n, 101) uint8 ASCII -> (m, 101) uint8 ASCII.

        Changes go by position, then by base in the order A, C, G, T. Letters other than these are not changed, so
        that m is n, and 3 for each base that is one.
        """
        code = codes(windows)
        changed = np.repeat(windows[:, None, :], 1 + CHANGES, axis=1)
        changed[:, 1 + np.arange(CHANGES), np.repeat(np.arange(WINDOW), 3)] = _LETTERS[
            _OTHERS[code].reshape(-1, CHANGES)
        ]
        return changed[_made(code)]

    def explain(self, windows: np.ndarray, logits: np.ndarray) -> Effects:
        """Return the effects of all changes of windows (n, 101) from logits (m, models) of `self.windows`.

        The contribution of a base is its effect less the mean effect of the three others: of the base that
        is there, minus the mean effect of its changes.
        """
        code = codes(windows)
        models = logits.shape[1]
        every = np.full((len(windows), 1 + CHANGES, models), np.nan, dtype=np.float32)
        every[_made(code)] = logits
        changed = (every[:, 1:] - every[:, :1]).reshape(-1, WINDOW, 3, models)
        effect = np.zeros((len(windows), WINDOW, 4, models), dtype=np.float32)
        np.put_along_axis(effect, np.repeat(_OTHERS[code][..., None], models, axis=3), changed, axis=2)
        effect[code == 4] = np.nan
        effect = np.moveaxis(effect, 3, 1)
        contribution = np.nan_to_num((4 * effect - effect.sum(axis=3, keepdims=True)) / 3, nan=0.0)
        return Effects(every[:, 0], effect, contribution, np.full((len(windows), models), np.nan))


def codes(bases: np.ndarray) -> np.ndarray:
    """Return 0 to 3 for A, C, G, T, 4 for another letter: uint8 ASCII, any shape -> int64, the same shape."""
    return _CODE_OF[bases]


def _made(code: np.ndarray) -> np.ndarray:
    """Return which windows and changes there are: (n, 101) codes -> (n, 304) bool."""
    made = np.ones((len(code), 1 + CHANGES), dtype=bool)
    made[:, 1:] = np.repeat(code < 4, 3, axis=1)
    return made
