"""Which windows pass: by logit, p-value or q-value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from saresnet_cli.calling.merging import Place, SiteMerger
from saresnet_cli.calling.qvalues import PValueCounts
from saresnet_cli.calling.scored_windows import ScoredWindows, Spool

_log = logging.getLogger("saresnet")


@dataclass(frozen=True)
class Cutoff:
    """Which windows are called, by one of three; by none of them, each model's own decision threshold (its card's).

    threshold: least logit. max_pvalue: largest p-value. max_qvalue: largest Benjamini-Hochberg q-value among
    all windows of the scan. Raises ValueError on more than one, or one out of range.
    """

    threshold: float | None = None
    max_pvalue: float | None = None
    max_qvalue: float | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in vars(self).values()) > 1:
            raise ValueError("give one of threshold, max_pvalue and max_qvalue")
        for name, value in (("max_pvalue", self.max_pvalue), ("max_qvalue", self.max_qvalue)):
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{name} {value} is not above 0 and at most 1")

    @property
    def by_share(self) -> bool:
        """Whether windows are called by p-value or q-value, which take a background."""
        return self.max_pvalue is not None or self.max_qvalue is not None

    @property
    def by_model(self) -> bool:
        """Whether windows are called by each model's own threshold."""
        return self.threshold is None and not self.by_share

    def words(self, own: float) -> str:
        """Return what is called, in the words of a header; own: the model's threshold."""
        given = {name: value for name, value in vars(self).items() if value is not None} or {"threshold": own}
        return " ".join(f"{name}={value:g}" for name, value in given.items())


def by_value(
    windows: Iterable[ScoredWindows], merger: SiteMerger, cutoff: Cutoff, threshold: Callable[[str], float]
) -> Iterator[tuple[ScoredWindows, Place]]:
    """Yield the windows that pass by logit or p-value, and the place of the last one looked at."""
    limits = np.empty(0)
    for rows in windows:
        if cutoff.max_pvalue is not None:
            passes = rows.pvalue <= cutoff.max_pvalue
        else:
            if len(limits) < len(merger.models):
                given = cutoff.threshold
                limits = np.array([threshold(id) if given is None else given for id in merger.models])
            passes = rows.logit >= limits[rows.model]
        yield rows.take(passes), (int(rows.sequence[-1]), int(rows.start[-1]))


def by_qvalue(
    windows: Iterable[ScoredWindows], merger: SiteMerger, max_qvalue: float, name: str | None
) -> Iterator[tuple[ScoredWindows, Place]]:
    """Yield the windows that pass by q-value, after all were looked at; the merger gets the q-values."""
    counts: dict[int, PValueCounts] = {}
    with Spool() as held:
        for rows in windows:
            for model in np.unique(rows.model).tolist():
                counts.setdefault(model, PValueCounts()).add(rows.pvalue[rows.model == model])
            held.add(rows.take(rows.pvalue <= max_qvalue))  # a q-value is never below its p-value
        limits = np.full(len(merger.models), -1.0)
        for model, count in counts.items():
            pvalues, qvalues = merger.qvalues[model] = count.qvalues()
            if name is not None and pvalues[-1] < 0.5:
                _log.warning(
                    "%s: no p-value of %s is above 0.5: if rows were taken out of this scan, q-values are too low",
                    name,
                    merger.models[model],
                )
            limits[model] = max(pvalues[qvalues <= max_qvalue], default=-1.0)
            if qvalues[0] > max_qvalue:
                id, least = merger.models[model], qvalues[0]
                _log.warning("%s: no q-value is at most %g, the lowest is %.3g", id, max_qvalue, least)
        for rows in held.read():
            yield rows.take(rows.pvalue <= limits[rows.model]), (int(rows.sequence[-1]), int(rows.start[-1]))
