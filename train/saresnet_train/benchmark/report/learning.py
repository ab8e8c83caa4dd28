"""The part on learning: the paper's tables 2 and 3, figures 3 and 4, and where transfer pays."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from saresnet_train.benchmark.report import published
from saresnet_train.benchmark.report.document import Block, Heading, Picture, Table, Text
from saresnet_train.benchmark.report.learning_figures import (
    Pair,
    PooledScores,
    by_training_size,
    global_curves,
    head_to_head,
)
from saresnet_train.benchmark.report.methods import LEARNING, title
from saresnet_train.benchmark.report.scores import pooled
from saresnet_train.benchmark.report.sentences import against
from saresnet_train.benchmark.report.tables import (
    ALL,
    BY_SIZE,
    Source,
    area_table,
    compare,
    comparison_table,
    comparisons,
    difference,
    groups,
    metric_table,
)
from saresnet_train.metrics import auprc, auroc

RECIPES = {"": "our recipe", "paper-": "the paper's recipe"}
"""What the names of its methods begin with, and what a recipe is called."""

_PAIRS = (("direct", "global"), ("direct", "transfer"), ("global", "transfer"))


def learning(source: Source) -> Iterator[Block]:
    """Yield the section on direct, global and transfer learning."""
    methods = [prefix + name for prefix in RECIPES for name in LEARNING]
    yield Heading("Direct, global and transfer learning (tables 2 and 3)")
    yield Text(
        "Direct: each set from scratch. Global: one network of the sets that pre-train, as it is. Transfer: the global "
        "network, trained further on each set. By two recipes of training, ours and the paper's; one strand, as in the "
        "paper. The paper's text tells the optimizer, the dropout and the ranges of the learning rates; the rates "
        "themselves (0.0005, transfer 0.0002), batches of 100 and the end by validation loss are of its authors' "
        "program (github.com/shenlongchen/saresnet). That waits for 9 passes without a better loss, or 6 in transfer, "
        "of 150 at most; so does transfer here, but direct learning waits for 5 of 100 and may end sooner than theirs: "
        "its figures on small sets are not the paper's method at its best. The initial weights are ours too. The "
        "global network has four passes, as many as ours."
    )
    for prefix, recipe in RECIPES.items():
        told = against(source, f"{prefix}direct", f"{prefix}transfer", ("direct", "transfer"))
        yield Text(" ".join(filter(None, (f"By {recipe}.", told, _stopped(source, f"{prefix}direct")))))
    n = len(source.records.sets)
    yield metric_table(source, methods, ALL, f"Tables 2 and 3, all sets, n = {n}", published.TABLE_2_3)
    yield area_table(source, methods, f"AUROC by tier and size, n = {n} sets")
    yield source.command(methods)
    pairs = [(prefix + first, prefix + second) for prefix in RECIPES for first, second in _PAIRS]
    rows = comparisons(source, pairs, groups(source.records))
    if rows:
        yield comparison_table(rows, "AUROC, differences over the sets that both have")
    yield from _head_to_head(source)
    yield from _where_transfer_pays(source)
    yield from _global_pool(source)


def _stopped(source: Source, method: str) -> str:
    """Say when the trainings of a method ended that end by their validation loss; nothing of others."""
    ran, most, patience = (
        list(source.records.values(method, "chosen", *keys).values())
        for keys in (("epochs",), ("recipe", "epochs"), ("recipe", "patience"))
    )
    if not any(patience):
        return ""
    return (
        f"{title(method)}, ended after {min(ran):.0f} to {max(ran):.0f} passes (median {median(ran):.0f}, "
        f"n = {len(ran)}) of {max(most):.0f} that it may have: the validation loss had not fallen for "
        f"{max(patience):.0f}, and the weights before that are kept."
    )


def pair(source: Source, first: str, second: str, names: tuple[str, str] | None = None) -> Pair | None:
    """Return two methods with their AUROC, None where they share no set; names: what the figure calls them."""
    before, after = source.records.metric(first, "auroc"), source.records.metric(second, "auroc")
    found = Pair(*(names or (first, second)), before, after)
    return found if found.sets else None


def _head_to_head(source: Source) -> Iterator[Block]:
    yield Heading("Head to head (figure 3)", 3)
    told = published.FIGURE_3_ABOVE
    yield Text(
        f"In the paper, of {published.SETS} sets, global is above direct on {told['direct', 'global']}, transfer above "
        f"direct on {told['direct', 'transfer']}, and transfer above global on almost all."
    )
    for prefix, recipe in RECIPES.items():
        shown = [
            found
            for first, second in _PAIRS
            if (found := pair(source, prefix + first, prefix + second, (first, second))) is not None
        ]
        if not shown:
            yield Text(f"No figure yet for {recipe}: it needs records of two of {', '.join(LEARNING)}.")
            continue
        counts = "; ".join(
            f"{each.second} above {each.first} on {sum(each.after[s] > each.before[s] for s in each.sets)} "
            f"of {len(each.sets)}"
            for each in shown
        )
        yield Picture(
            f"figure3{'-paper' if prefix else ''}",
            head_to_head(shown),
            f"Scatter plots of AUROC a set, and histograms of the differences, {recipe}",
            f"**Figure 3, {recipe}.** AUROC of each set, two ways of learning at a time (above), and the difference, "
            f"stacked by size of the set (below): {counts}.",
        )


LESS_THAN_BEST = 'Direct learning is not at its best here ("Where transfer pays"): transfer gains less than that.'

DIRECT_AT_ITS_BEST = (
    "By our recipe direct learning is not at its best: batches of 32 in place of 128 and twice the passes gained 0.017 "
    "AUROC on two medium sets; on four small sets, which have batches of 32, twice the passes gained 0.019 "
    "(`benchmarks/results/direct_recipe.json`, by `python benchmarks/direct_recipe.py --data DATA`). What transfer "
    "gains is less by about as much. Four times the passes, or batches of 16, were no better. Large sets, which have "
    "the fewest passes, were not tried: what transfer gains there is at most what is said here, and may be nothing."
)


def _where_transfer_pays(source: Source) -> Iterator[Block]:
    yield Heading("Where transfer pays", 3)
    panels, sentences = [], []
    for prefix, recipe in RECIPES.items():
        first, second = f"{prefix}direct", f"{prefix}transfer"
        found = pair(source, first, second, ("direct", "transfer"))
        if found is None:
            yield Text(f"No comparison yet for {recipe}: it needs records of {first} and {second} on the same sets.")
            continue
        panels.append((recipe, found))
        sentences.append(f"By {recipe}, transfer − direct in mean AUROC: {_by_size(found)}")
    if not panels:
        return
    yield Text(" ".join(sentences))
    yield Text(" ".join(filter(None, (DIRECT_AT_ITS_BEST, _passes(source)))))
    yield Picture(
        "transfer-pays",
        by_training_size(panels),
        "AUROC of transfer minus AUROC of direct learning against the number of training windows",
        "**Where transfer pays.** Difference of AUROC, transfer − direct, against the windows to train on (both "
        "classes). Black: the mean of small, medium and large sets; grey: its 95% interval.",
    )
    yield source.command([prefix + name for prefix in RECIPES for name in ("direct", "transfer")])


def _passes(source: Source) -> str:
    """Say how many passes direct learning has by our recipe; nothing where no record tells."""
    epochs = source.records.values("direct", "chosen", "epochs")
    told = [f"{min(own):.0f} to {max(own):.0f} on {group.title} sets" for group in BY_SIZE if (own := group.of(epochs))]
    return f"Passes of direct learning by our recipe: {', '.join(told)}." if told else ""


def _by_size(found: Pair) -> str:
    parts = []
    for group in BY_SIZE:
        result = compare(found.before, found.after, group)
        if result.n:
            verdict = (
                "too few for an interval"
                if not result.difference.has_interval
                else "not settled"
                if not result.settled
                else "transfer is better"
                if result.difference.mean > 0
                else "direct is better"
            )
            parts.append(f"{difference(result.difference)} on {group.title} sets (n = {result.n}: {verdict})")
    return "; ".join(parts) + "."


def _global_pool(source: Source) -> Iterator[Block]:
    yield Heading("The global model on pooled windows (figure 4)", 3)
    shown: list[PooledScores] = []
    rows = []
    for method, recipe in (("global", "ours"), ("paper-global", "paper's")):
        pool = source.records.pools.get(method)
        parts = [("validation", *pooled([] if pool is None else [pool]))]
        records = [record for cell in source.records.of(method).values() for record in cell[:1]]
        parts.append(("test", *pooled(records)))
        for tier in sorted({record.set.tier for record in records}):
            parts.append((f"test, {tier}", *pooled(r for r in records if r.set.tier == tier)))
        for name, labels, scores, cells in parts:
            if not cells:
                rows.append([f"{title(method)}: {name}", "missing", "", "", ""])
                continue
            if "," not in name:
                shown.append(PooledScores(f"{recipe}, {name}", labels, scores))
            areas = f"{auroc(labels, scores):.3f}", f"{auprc(labels, scores):.3f}"
            sets = str(cells) if name != "validation" else "pool"
            rows.append([f"{title(method)}: {name}", sets, f"{len(labels):,}", *areas])
    for name, value in published.FIGURE_4.items():
        rows.append([f"paper: global, {name}", str(published.SETS), "–", f"{value:.3f}", "–"])
    if shown:
        yield Picture(
            "figure4",
            global_curves(shown),
            "ROC and precision-recall curves of the global model on its validation and test pools",
            "**Figure 4.** The global model on pooled windows, one strand, areas in the legend: its validation pool "
            "(global-VL), and the test windows of all sets together (global-TS), a set's windows counted as often as "
            "there are.",
        )
    else:
        yield Text("No figure yet: it needs the scores of the global model.")
    columns = ["windows put together", "sets", "windows", "AUROC", "AUPRC"]
    yield Table("**Figure 4, areas**", columns, rows)
    yield source.command(["global", "paper-global"])
