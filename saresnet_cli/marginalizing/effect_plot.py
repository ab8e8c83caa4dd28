"""Draws what motifs do to a score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saresnet_cli.figures import check_format, drawing, save
from saresnet_cli.marginalizing.marginals import Marginal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = 40
"""Motifs in a picture: of more, those that change the score most."""

_BEFORE, _AFTER = "#999999", "#0072B2"


def draw(marginals: Sequence[Marginal], path: str | Path) -> None:
    """Draw marginals as PNG or SVG: one as its logits before and after, several as their differences.

    Several are boxes from the mean that raises most to the one that lowers most (box: quartiles; whiskers: 5 to 95 %);
    of more than `ROWS` those of the largest mean, up or down. Raises OutputError on another kind of file or none to
    draw, SaresnetError when matplotlib is missing.
    """
    check_format(path)
    if not marginals:
        raise ValueError("no marginals")
    with drawing():
        from matplotlib.figure import Figure

        if len(marginals) == 1:
            figure = Figure(figsize=(6, 3.6), layout="constrained")
            _distributions(figure.subplots(), marginals[0])
        else:
            shown = sorted(marginals, key=lambda m: -abs(m.difference.mean()))[:ROWS]
            shown.sort(key=lambda m: m.difference.mean())
            figure = Figure(figsize=(8, 1.2 + 0.24 * len(shown)), layout="constrained")
            _differences(figure.subplots(), shown, len(marginals))
        save(figure, path)


def _distributions(axes: Axes, marginal: Marginal) -> None:
    both = np.concatenate([marginal.before, marginal.after])
    bins = np.histogram_bin_edges(both, 60)
    for values, colour, label in ((marginal.before, _BEFORE, "before"), (marginal.after, _AFTER, "after")):
        axes.hist(values, bins.tolist(), color=colour, alpha=0.7, label=f"{label}, mean {values.mean():.2f}")
    axes.set_xlabel(f"logit of {marginal.model}")
    axes.set_ylabel(f"backgrounds of {len(marginal.before):,}")
    axes.set_title(_label(marginal, models=False), fontsize=9, loc="left")
    axes.legend(frameon=False)


def _differences(axes: Axes, shown: Sequence[Marginal], total: int) -> None:
    models = sorted({marginal.model for marginal in shown})
    boxes = axes.boxplot(
        [marginal.difference for marginal in shown],
        orientation="horizontal",
        whis=(5, 95),
        showfliers=False,
        widths=0.7,
        patch_artist=True,
        medianprops={"color": "black"},
    )
    for box in boxes["boxes"]:
        box.set_facecolor(_AFTER)
        box.set_alpha(0.6)
    axes.axvline(0, color="black", linewidth=0.5)
    axes.set_yticks(range(1, len(shown) + 1), [_label(marginal, models=len(models) > 1) for marginal in shown])
    axes.set_xlabel("difference in logit" + (f" of {models[0]}" if len(models) == 1 else ""))
    axes.set_ylabel("motif put in")
    if len(shown) < total:
        axes.set_title(f"the {len(shown)} of {total} that change it most", fontsize=9, loc="left")


def _label(marginal: Marginal, models: bool) -> str:
    motif = marginal.motif
    parts = [
        motif.id,
        motif.name if motif.name != "." else "",
        f"({marginal.strand})",
        marginal.model if models else "",
    ]
    return " ".join(part for part in parts if part)
