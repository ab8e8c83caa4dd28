"""The part on all methods, the paper's table 5 and figures 6 and 7, and the part on remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from saresnet_train.benchmark.report import published
from saresnet_train.benchmark.report.document import Block, Heading, Items, Picture, Table, Text
from saresnet_train.benchmark.report.method_figures import by_metric, distributions
from saresnet_train.benchmark.report.methods import ENSEMBLE, MAIN, OWN, RIVALS, remedies, spoken, title
from saresnet_train.benchmark.report.sentences import against, rank
from saresnet_train.benchmark.report.statistics import Mean, mean_over_sets
from saresnet_train.benchmark.report.tables import (
    ALL,
    BY_SIZE,
    METRICS,
    Source,
    area_table,
    by_tier,
    compare,
    comparison_table,
    comparisons,
    groups,
    median,
    pvalue,
    signed,
)


def all_methods(source: Source) -> Iterator[Block]:
    """Yield the section that holds all methods against each other."""
    n = len(source.records.sets)
    methods = [*source.present(OWN), *remedies(source.records.methods), *RIVALS]
    yield Heading("All methods (table 5, figures 6 and 7)")
    yield Items([rank(source, MAIN, RIVALS, group) for group in groups(source.records)])
    yield Text(_margin(source))
    yield Text(_ended(source))
    yield area_table(source, methods, f"Table 5, AUROC, n = {n} sets", paper=published.TABLE_5)
    yield area_table(source, methods, f"The same, AUPRC, n = {n} sets", "auprc")
    yield source.command(methods)
    rows = comparisons(source, [(rival, MAIN) for rival in RIVALS], groups(source.records))
    if rows:
        yield comparison_table(rows, f"{title(MAIN)} − each rival, AUROC, over the sets that both have")
    told = "; ".join(f"{title(name)} {pvalue(p)}" for name, p in published.TABLE_5_PVALUES.items())
    yield Text(f"The paper's P-values of its t-test, SAResNet against each: {told}.")
    values = {m: list(found.values()) for m in methods if (found := source.records.metric(m, "auroc"))}
    if not values:
        return
    medians = [(median(values[m]), m) for m in RIVALS if m in values]
    ours = "Median AUROC"
    if MAIN in values:
        ours += f" of {spoken(MAIN)}: {median(values[MAIN]):.3f} (n = {len(values[MAIN])})"
    if medians:
        best, name = max(medians)
        ours += f"; of the best rival, {title(name)}: {best:.3f} (n = {len(values[name])})"
    paper = published.FIGURE_6_MEDIANS
    yield Text(f"{ours}. The paper: {paper['transfer']:.3f} and {paper['next']:.3f}.")
    yield Picture(
        "figure6",
        distributions(values),
        "Box plots of AUROC over sets, by method",
        "**Figure 6.** AUROC over sets by method: median, quartiles, whiskers to 1.5 times their distance. n is the "
        "number of sets that a method has.",
    )
    shown = [name for name in (MAIN, *RIVALS) if name in values]
    if not shown:
        return
    panels: list[tuple[str, dict[str, dict[str, Mean]]]] = []
    for group in (*BY_SIZE, ALL):
        count = sum(map(group.has, source.records.sets))
        means = {
            name: {
                label: mean_over_sets(group.of(source.records.metric(name, metric)))
                for metric, label in METRICS.items()
            }
            for name in shown
        }
        if count:
            panels.append((f"{'ABCD'[len(panels)]}  {group.title} sets, n = {count}", means))
    yield Picture(
        "figure7",
        by_metric(panels),
        "Means of accuracy, precision, recall, F1, AUROC and AUPRC by method and size of the set",
        "**Figure 7.** Means over small, medium, large and all sets with 95% intervals (five sets or more). n counts "
        "the sets of the class; table 5 says which methods have fewer.",
    )


def _margin(source: Source) -> str:
    """Say the margin over the best rival on small sets beside the paper's."""
    told = published.TABLE_5
    best = max((name for name in told if name != MAIN), key=lambda name: told[name]["small"])
    paper = told[MAIN]["small"] - told[best]["small"]
    own = source.records.metric(MAIN, "auroc")
    found = [
        (result.difference.mean, rival, result.n)
        for rival in source.present(RIVALS)
        if (result := compare(source.records.metric(rival, "auroc"), own, BY_SIZE[0])).n
    ]
    if not found:
        return "The margin on small sets: not compared yet."
    margin, rival, n = min(found)
    return (
        f"On small sets the margin over the nearest rival ({title(rival)}, n = {n}) is {signed(margin, 3)}; "
        f"in the paper {signed(paper, 3)} (over {title(best)}, n = {published.SETS_BY_SIZE['small']})."
    )


def _ended(source: Source) -> str:
    """Say how many trainings of rivals that were chosen ended by the number of their epochs, not by their loss."""
    told, trials = [], []
    for rival in source.present(RIVALS):
        chosen = [(record.content.get("chosen") or {}) for cell in source.records.of(rival).values() for record in cell]
        ran = [ended for each in chosen if (ended := _ran_to_the_end(each)) is not None]
        if ran:
            told.append(f"{title(rival)} {sum(ran)} of {len(ran)}")
            searches = [search for each in chosen if (search := _search(each)) is not None]
            tried = [trial["epochs"] >= search["epochs"] for search in searches for trial in search["tried"]]
            trials.append(f"{title(rival)} {sum(tried)} of {len(tried)}")
    if not told:
        return "No record tells yet how the trainings of the rivals ended."
    return (
        "The trainings of neural rivals end when their validation loss stays, or with the last epoch that they may "
        f"have. The one that counts ran to its last epoch: {', '.join(told)}; of all trainings that a search compared, "
        f"which have fewer epochs: {', '.join(trials)}. Where the best of a search ran to its last epoch, it is "
        "trained on, to 100 at most. A record where it was not is of an earlier version; trained by this one, it ended "
        "with a higher validation loss, so it stays."
    )


def _search(chosen: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the search of a neural rival, None where a record tells none."""
    search = chosen.get("search")
    return search if isinstance(search, dict) and "epochs" in search else None


def _ran_to_the_end(chosen: Mapping[str, Any]) -> bool | None:
    """Return whether the training that counts was ended by its epochs, None where a record does not tell."""
    search = _search(chosen)
    if search is None:
        return None
    trained = chosen.get("trained", search["tried"][search["chosen"]]["epochs"])
    return bool(trained >= chosen.get("most", search["epochs"]))


def tried_remedies(source: Source) -> Iterator[Block]:
    """Yield the section on what was tried to do better than transfer."""
    records = source.records
    tried = remedies(records.methods)
    yield Heading("Remedies: what was tried to do better")
    yield Text(f"Each against `{MAIN}`, AUROC of one strand over the sets that both have.")
    sentences = []
    for name in tried:
        sentences.append(against(source, MAIN, name, (f"`{MAIN}`", f"`{name}` ({title(name)})")))
    if ENSEMBLE not in tried:
        sentences.append(f"No `{ENSEMBLE}`: it needs `{MAIN}` from several seeds.")
    yield Items([*sentences, _seeds(source)])
    if not tried:
        yield Text("No other remedy has a record.")
        return
    n = len(records.sets)
    yield area_table(source, [MAIN, *tried], f"Remedies, AUROC, n = {n} sets; of other sets where n is in brackets")
    yield source.command([MAIN, *tried])
    rows = comparisons(source, [(MAIN, name) for name in tried], groups(records))
    if rows:
        yield comparison_table(rows, f"Remedy − {MAIN}, AUROC")


def _seeds(source: Source) -> str:
    """Say how much AUROC differs between seeds."""
    cells = [
        [value for record in cell if (value := record.value("metrics", "forward", "auroc")) is not None]
        for cell in source.records.of(MAIN).values()
    ]
    spreads = [float(np.std(values, ddof=1)) for values in cells if len(values) > 1]
    if not spreads:
        return f"`{MAIN}` has one seed a set, so how much AUROC differs between seeds is not known."
    typical = float(np.sqrt(np.mean(np.square(spreads))))
    counts = sorted({len(values) for values in cells if len(values) > 1})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return (
        f"Between seeds, the AUROC of `{MAIN}` on a set has a standard deviation of {typical:.4f} "
        f"(root mean square over the {len(spreads)} sets with {seeds} seeds)."
    )


def every_set(source: Source) -> Iterator[Block]:
    """Yield the AUROC of each set by each main method."""
    methods = [*source.present(OWN), *source.present([ENSEMBLE]), *source.present(RIVALS)]
    values = {method: source.records.metric(method, "auroc") for method in methods}
    rows = []
    for group in by_tier(source.records):
        for chosen in sorted(filter(group.has, source.records.sets), key=lambda each: (each.training, each.name)):
            cells = [f"{values[m][chosen]:.3f}" if chosen in values[m] else "–" for m in methods]
            rows.append([str(chosen), f"{2 * chosen.training:,}", chosen.size, *cells])
    yield Heading("Every set")
    columns = ["", "training windows", "size", *[f"`{method}`" for method in methods]]
    yield Table(f"**AUROC of each set, n = {len(rows)}**", columns, rows)
    yield source.command(methods)
