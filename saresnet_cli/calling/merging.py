"""Merges the sites of several models into one stream, sorted by place."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.calling.sites import Found, Site, SiteFinder

Place = tuple[int, int]
"""Number of a sequence and start in it."""


@dataclass
class SiteMerger:
    """Finds the sites of each model among windows that passed, and yields those of all models in order.

    models, sequences: names by number, lists that may grow meanwhile. qvalues: by model, the p-values
    that occurred, ascending, and their q-values.
    """

    models: list[str]
    sequences: list[str]
    min_distance: int

    def __post_init__(self) -> None:
        self.qvalues: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._finders: dict[int, SiteFinder] = {}
        self._waiting: list[tuple[Place, int, Found]] = []
        self._count: dict[int, int] = {}
        SiteFinder(self.min_distance)  # raises at once

    def add(self, windows: ScoredWindows, end: Place) -> Iterator[Site]:
        """Take in windows that passed; yield the sites that nothing can come before any more.

        end: where the last window lies of all that were looked at, passed or not.
        """
        for model in np.unique(windows.model).tolist():
            finder = self._finders.setdefault(model, SiteFinder(self.min_distance))
            self._wait(model, finder.add(windows.take(windows.model == model)))
        for model, finder in self._finders.items():
            self._wait(model, finder.close_before(*end))
        pending = [finder.pending for finder in self._finders.values() if finder.pending is not None]
        yield from self._before(min([end, *pending]))

    def rest(self) -> Iterator[Site]:
        """Yield the sites that are left when there are no more windows."""
        for model, finder in self._finders.items():
            self._wait(model, finder.finish())
        yield from self._before((len(self.sequences), 0))

    def _wait(self, model: int, found: list[Found]) -> None:
        for site in found:
            heapq.heappush(self._waiting, ((site.sequence, site.start), model, site))

    def _before(self, place: Place) -> Iterator[Site]:
        while self._waiting and self._waiting[0][0] < place:
            _, model, found = heapq.heappop(self._waiting)
            self._count[model] = number = self._count.get(model, 0) + 1
            id = self.models[model]
            qvalue = None
            if model in self.qvalues:
                pvalues, qvalues = self.qvalues[model]
                qvalue = float(qvalues[np.searchsorted(pvalues, found.pvalue)])
            yield Site(
                chrom=self.sequences[found.sequence],
                start=found.start,
                end=found.end,
                name=f"{id}_{number}",
                model=id,
                summit=found.summit,
                logit=found.logit,
                pvalue=None if math.isnan(found.pvalue) else found.pvalue,
                qvalue=qvalue,
            )
