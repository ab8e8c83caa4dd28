"""The PWM that the motif scanners use: CTCF of JASPAR."""

from __future__ import annotations

import numpy as np
from pyjaspar import jaspardb

RELEASE, MATRIX = "JASPAR2022", "MA0139.1"
PVALUE = 1e-4
PSEUDOCOUNT = 0.25
BACKGROUND = 0.25


def counts() -> np.ndarray:
    """Return the counts of the matrix: (4, length) float64, rows A, C, G, T."""
    motif = jaspardb(release=RELEASE).fetch_motif_by_id(MATRIX)
    return np.array([motif.counts[base] for base in "ACGT"], np.float64)
