"""Figures of direct, global and transfer learning: the paper's figures 3 and 4, and where transfer pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from saresnet_train.benchmark.report import style
from saresnet_train.benchmark.report.records import LARGE, SIZES, SMALL, Set
from saresnet_train.benchmark.report.scores import precision_points, roc_points
from saresnet_train.benchmark.report.statistics import mean_over_sets
from saresnet_train.benchmark.report.tables import Values
from saresnet_train.metrics import auprc, auroc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OPEN: Any = {"markersize": 4, "markerfacecolor": "none", "markeredgewidth": 0.9}


@dataclass(frozen=True)
class Pair:
    """Two methods with their AUROC by set; the second is expected to be the better."""

    first: str
    second: str
    before: Values
    after: Values

    @property
    def sets(self) -> list[Set]:
        """The sets that both have."""
        return sorted(self.before.keys() & self.after.keys())

    def arrays(self, size: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the AUROC of both on the sets of a size, two (n,)."""
        chosen = [each for each in self.sets if size in (None, each.size)]
        return np.array([self.before[s] for s in chosen]), np.array([self.after[s] for s in chosen])


def head_to_head(pairs: Sequence[Pair]) -> bytes:
    """Draw figure 3: for each pair a scatter of AUROC, and below it the difference, stacked by size of the set."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, len(pairs), squeeze=False)
        for at, pair in enumerate(pairs):
            _scatter(axes[0, at], pair, "ABCDEF"[at])
            stacked_differences(axes[1, at], pair, "ABCDEF"[at + len(pairs)])

        legend(figure, axes.ravel())

    return style.svg(draw, 2.5 * len(pairs), 5.5)


def _scatter(axes: Axes, pair: Pair, letter: str) -> None:
    for size in SIZES:
        before, after = pair.arrays(size)
        look = style.SIZES[size]
        if len(before):
            axes.plot(
                before,
                after,
                look.marker,
                color=look.colour,
                **_OPEN,
                label=f"{size} sets",
            )
    before, after = pair.arrays()
    low = min(before.min(), after.min()) - 0.01
    axes.plot([low, 1], [low, 1], color=style.BLACK, linewidth=0.6)
    axes.set_xlim(low, 1)
    axes.set_ylim(low, 1)
    axes.set_aspect("equal")
    axes.set_xlabel(f"AUROC, {pair.first}")
    axes.set_ylabel(f"AUROC, {pair.second}")
    above = int((after > before).sum())
    axes.set_title(f"{letter}  {above} of n = {len(before)} above", fontsize=8, loc="left")


def stacked_differences(axes: Axes, pair: Pair, letter: str) -> None:
    """Draw a histogram of the differences between a pair, stacked by size of the set."""
    before, after = pair.arrays()
    spread = after - before
    edges = _edges(spread)
    by_size = [np.subtract(*reversed(pair.arrays(size))) for size in SIZES]
    below = np.zeros(len(edges) - 1)
    for size, values in zip(SIZES, by_size, strict=True):
        look = style.SIZES[size]
        counts = np.histogram(values, edges)[0]
        filled = counts > 0
        axes.bar(
            edges[:-1][filled],
            counts[filled],
            np.diff(edges)[filled] * 0.95,
            below[filled],
            align="edge",
            facecolor="white" if look.hatch else look.colour,
            edgecolor=look.colour,
            hatch=look.hatch,
            linewidth=0.7,
            label=f"{size} sets",
        )
        below += counts
    axes.axvline(0, color=style.BLACK, linewidth=0.8)
    axes.set_xlabel(f"AUROC, {pair.second} − {pair.first}")
    axes.set_ylabel(f"sets (n = {len(spread)})")
    axes.set_title(letter, fontsize=8, loc="left")
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", integer=True)


def _edges(spread: np.ndarray) -> np.ndarray:
    """Return the edges of about 18 bins, one of them 0, (m,)."""
    low, high = min(float(spread.min()), 0.0), max(float(spread.max()), 0.0)
    width = max((high - low) / 16, 1e-6)
    return width * np.arange(np.floor(low / width), np.ceil(high / width) + 1.5)


def legend(figure: Figure, every: Iterable[Axes]) -> None:
    """Put one legend below all panels, each of its names once for a marker and once for a bar."""
    found: dict[tuple[str, str], Any] = {}
    for axes in every:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault((type(handle).__name__, name), handle)
    names = [name for _, name in found]
    columns = 3 if len(names) > 4 else len(names)
    figure.legend(list(found.values()), names, loc="outside lower center", ncols=columns, frameon=False, fontsize=7)


def by_training_size(panels: Sequence[tuple[str, Pair]]) -> bytes:
    """Draw the differences of pairs against the windows to train on, with the mean of each size class.

    panels: a title and a pair each, side by side.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for one, (name, pair) in zip(axes, panels, strict=True):
            _by_training_size(one, name, pair)
        axes[0].set_ylabel("AUROC, transfer − direct")

    return style.svg(draw, 3.9 * len(panels), 3.2)


def _by_training_size(axes: Axes, name: str, pair: Pair) -> None:
    tiers = sorted({chosen.tier for chosen in pair.sets})
    for tier, colour, marker in zip(tiers, (style.BLUE, style.VERMILION, style.GREEN), "o^s", strict=False):
        sets = [chosen for chosen in pair.sets if chosen.tier == tier]
        axes.plot(
            [2 * chosen.training for chosen in sets],
            [pair.after[chosen] - pair.before[chosen] for chosen in sets],
            marker,
            color=colour,
            **_OPEN,
            label=f"{tier}, n = {len(sets)}",
        )
    low, high = min(2 * s.training for s in pair.sets), max(2 * s.training for s in pair.sets)
    bounds = {"small": (low * 0.9, SMALL), "medium": (SMALL, LARGE), "large": (LARGE, high * 1.1)}
    for size, (start, end) in bounds.items():
        before, after = pair.arrays(size)
        if len(before):
            mean = mean_over_sets(after - before)
            axes.plot([start, end], [mean.mean, mean.mean], color=style.BLACK, linewidth=1.2)
            if mean.has_interval:
                axes.fill_between([start, end], mean.low, mean.high, color=style.GREY, alpha=0.25, linewidth=0)
    for edge in (SMALL, LARGE):
        axes.axvline(edge, color=style.GREY, linewidth=0.6, linestyle=":")
    axes.axhline(0, color=style.BLACK, linewidth=0.6)
    axes.set_xscale("log")
    axes.set_xlabel("windows to train on, both classes")
    axes.set_title(f"{name}, n = {len(pair.sets)}", fontsize=8, loc="left")
    axes.legend(frameon=False, fontsize=7)


@dataclass(frozen=True)
class PooledScores:
    """Windows of several sets put together: labels (n,) bool and scores (n,)."""

    name: str
    labels: np.ndarray
    scores: np.ndarray


def global_curves(pools: Sequence[PooledScores]) -> bytes:
    """Draw figure 4: ROC and precision-recall curves of pooled windows."""
    looks = [
        (style.BLUE, "-"),
        (style.VERMILION, "--"),
        (style.BLACK, ":"),
        (style.ORANGE, "-."),
        (style.GREEN, (0, (5, 1))),
        (style.PURPLE, (0, (3, 1, 1, 1))),
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for pool, (colour, line) in zip(pools, looks, strict=False):
            n = f"n = {len(pool.labels):,}"
            roc = roc_points(pool.labels, pool.scores)
            area = auroc(pool.labels, pool.scores)
            left.plot(*roc, color=colour, linestyle=line, label=f"{pool.name}: {area:.3f}\n({n})")
            area = auprc(pool.labels, pool.scores)
            points = precision_points(pool.labels, pool.scores)
            right.plot(*points, color=colour, linestyle=line, label=f"{pool.name}: {area:.3f}")
        left.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.6)
        left.set(xlabel="false positive rate", ylabel="true positive rate", title="A  ROC, area")
        right.set(xlabel="recall", ylabel="precision", title="B  precision-recall, area (n as in A)", ylim=(0.45, 1.01))
        for axes in (left, right):
            axes.title.set_fontsize(8)
            axes.legend(frameon=False, fontsize=7, loc="lower center" if axes is right else "lower right")

    return style.svg(draw, 7.2, 3.4)
