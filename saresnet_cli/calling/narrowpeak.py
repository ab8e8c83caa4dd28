"""Formats binding sites as narrowPeak (ENCODE's BED6+4), which IGV, bedtools and users of MACS read."""

from __future__ import annotations

import math

import numpy as np

from saresnet_cli.calling.sites import Site
from saresnet_cli.running import sigmoid

COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "signalValue", "pValue", "qValue", "peak")


def narrowpeak_line(site: Site) -> bytes:
    """Return a site as a line.

    score: 0 to 1000, the probability by the model times 1000; strand "."; signalValue: logit, 4 decimals; pValue,
    qValue: -log10, 4 decimals, -1 where there is none; peak: the summit, counted from start.
    """
    score = round(1000 * float(sigmoid(np.array(site.logit))))
    where = f"{site.chrom}\t{site.start}\t{site.end}\t{site.name}\t{score}\t."
    values = f"{site.logit:.4f}\t{_minus_log10(site.pvalue)}\t{_minus_log10(site.qvalue)}"
    return f"{where}\t{values}\t{site.summit - site.start}\n".encode()


def _minus_log10(share: float | None) -> str:
    return "-1" if share is None else f"{abs(math.log10(share)):.4f}"  # abs: 1 gives 0, not -0
