"""Figures that hold methods against each other: the paper's figures 5, 6 and 7, and reliability curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from saresnet_train.benchmark.report import style
from saresnet_train.benchmark.report.learning_figures import Pair, legend, stacked_differences
from saresnet_train.benchmark.report.methods import title
from saresnet_train.benchmark.report.scores import Reliability
from saresnet_train.benchmark.report.statistics import Mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def attention(pairs: Mapping[int, Pair]) -> bytes:
    """Draw figure 5: AUROC without and with attention as boxes, and their differences.

    pairs: without and with attention, by the number of channels.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, len(pairs), squeeze=False, sharey="row")
        for at, (channels, pair) in enumerate(pairs.items()):
            boxes(axes[0, at], {"no attention": pair.arrays()[0], "attention": pair.arrays()[1]}, horizontal=False)
            n = len(pair.sets)
            axes[0, at].set_title(f"{'ABCD'[at]}  {channels} channels, n = {n}", fontsize=8, loc="left")
            axes[0, at].set_ylabel("AUROC")
            stacked_differences(axes[1, at], pair, "ABCD"[at + len(pairs)])
            axes[1, at].set_xlabel("AUROC, attention − no attention")
        legend(figure, axes[1])

    return style.svg(draw, 3.4 * len(pairs), 5)


def boxes(axes: Axes, values: Mapping[str, np.ndarray], horizontal: bool = True) -> None:
    """Draw distributions as boxes (median, quartiles; whiskers to 1.5 times their distance; diamonds beyond)."""
    names = list(values)[::-1] if horizontal else list(values)
    axes.boxplot(
        [values[name] for name in names],
        orientation="horizontal" if horizontal else "vertical",
        tick_labels=names,
        widths=0.55,
        medianprops={"color": style.VERMILION, "linewidth": 1.4},
        flierprops={"marker": "D", "markersize": 2.5, "markeredgewidth": 0.6},
        boxprops={"linewidth": 0.8},
    )


def distributions(values: Mapping[str, Sequence[float]]) -> bytes:
    """Draw figure 6: the distribution of AUROC over sets, by method."""

    def draw(figure: Figure) -> None:
        shown = {f"{title(method)}, n = {len(each)}": np.asarray(each) for method, each in values.items()}
        axes = figure.subplots()
        boxes(axes, shown)
        axes.set_xlabel("AUROC")
        axes.grid(axis="x", linewidth=0.3)

    return style.svg(draw, 6.6, 0.9 + 0.26 * len(values))


def by_metric(panels: Sequence[tuple[str, Mapping[str, Mapping[str, Mean]]]]) -> bytes:
    """Draw figure 7: means of metrics over sets with their intervals.

    panels: a title, and means by method and metric, each.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, 2, squeeze=False, sharey=True).ravel()
        for one, (name, means) in zip(axes, panels, strict=False):
            _by_metric(one, name, means)
        for one in axes[len(panels) :]:
            one.set_axis_off()
        legend(figure, axes)

    return style.svg(draw, 7.4, 5.8)


def _by_metric(axes: Axes, name: str, means: Mapping[str, Mapping[str, Mean]]) -> None:
    metrics = list(next(iter(means.values())))
    step = 0.8 / max(1, len(means))
    for at, (method, found) in enumerate(means.items()):
        look = style.of(method)
        known = [(place, found[metric]) for place, metric in enumerate(metrics) if found[metric].n]
        x = [place + (at - (len(means) - 1) / 2) * step for place, _ in known]
        y = np.array([mean.mean for _, mean in known])
        below = [0 if np.isnan(mean.low) else mean.mean - mean.low for _, mean in known]
        above = [0 if np.isnan(mean.high) else mean.high - mean.mean for _, mean in known]
        axes.errorbar(
            x,
            y,
            yerr=[np.maximum(below, 0), np.maximum(above, 0)],
            color=look.colour,
            marker=look.marker,
            markersize=4,
            linestyle="none",
            elinewidth=0.8,
            label=title(method),
        )
    axes.set_xticks(range(len(metrics)), metrics, fontsize=7)
    for place in range(len(metrics) - 1):
        axes.axvline(place + 0.5, color=style.GREY, linewidth=0.3)
    axes.grid(axis="y", linewidth=0.3)
    axes.set_title(name, fontsize=8, loc="left")


def reliabilities(panels: Sequence[tuple[str, Mapping[str, tuple[Reliability, int]]]]) -> bytes:
    """Draw reliability curves: the share of windows that are bound against the probability that a method gives.

    panels: a title, and by method its curve and the number of sets, each.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for one, (name, curves) in zip(axes, panels, strict=True):
            for method, (found, sets) in curves.items():
                look = style.of(method)
                one.plot(
                    found.probability,
                    found.bound,
                    color=look.colour,
                    marker=look.marker,
                    linestyle=look.line,
                    markersize=3.5,
                    label=f"{title(method)}, n = {sets}",
                )
            one.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.6)
            one.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of binding", ylabel="share that is bound")
            one.set_aspect("equal")
            one.set_title(name, fontsize=8, loc="left")
            one.legend(frameon=False, fontsize=6, loc="upper left")

    return style.svg(draw, 3.7 * len(panels), 3.8)
