"""What the paper does not have: windows of a real genome where the factor is not bound, in place of shuffles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import MAIN, RIVALS, main_methods, spoken, title
from saresnet_train.benchmark.report.records import RecordError, Set
from saresnet_train.benchmark.report.scores import read_scores
from saresnet_train.benchmark.report.statistics import mean_over_sets
from saresnet_train.benchmark.report.tables import (
    ALL,
    NONE,
    Source,
    Values,
    compare,
    difference,
    fixed,
    higher_on,
    interval,
    pvalue,
)
from saresnet_train.benchmark.seen import SEEN, STRETCH
from saresnet_train.metrics import auroc


def _real(source: Source, method: str, metric: str, way: str = "forward") -> dict[Set, float]:
    return source.records.values(method, "genomic", way, metric)


@lru_cache(maxsize=2)
def _unseen(source: Source) -> dict[str, dict[Set, float]]:
    """Return the AUROC of each method against the genomic windows that no global network saw as bound, by set."""
    found: dict[str, dict[Set, float]] = {}
    for method in main_methods(source.records.methods):
        for chosen, cell in source.records.of(method).items():
            seen = source.records.seen.get(str(chosen))
            held = [scores for record in cell if seen is not None and (scores := read_scores(record)) is not None]
            areas = []
            for scores in held:
                labels, values = scores.beside_genome()
                if seen is None or len(values) != scores.positives + len(seen):
                    raise RecordError(
                        f"it knows other unbound windows of {chosen} than `{method}` has scored",
                        path=SEEN, cure="remove it, and `saresnet benchmark run` makes it again",
                    )  # fmt: skip
                kept = np.r_[np.ones(scores.positives, bool), ~seen]
                if not seen.all():
                    areas.append(auroc(labels[kept], values[kept]))
            if areas:
                found.setdefault(method, {})[chosen] = float(np.mean(areas))
    return found


def on_real_dna(source: Source) -> str:
    """Say how the main method does against all others on windows of the genome that are not bound.

    Those count that no global network saw as bound, where it is known which these are: the others tell against it.
    """
    unseen = _unseen(source)
    areas = unseen if MAIN in unseen else {m: _real(source, m, "auroc") for m in main_methods(source.records.methods)}
    own = areas.get(MAIN, {})
    others = [method for method in (*RIVALS, "direct", "global") if areas.get(method)]
    if not own or not others:
        return f"{spoken(MAIN)} was not judged on unbound windows of the genome beside others yet."
    found = {method: compare(own, areas[method]) for method in others}
    ahead = [method for method in others if found[method].difference.mean > 0]
    which = ", and those windows left out that the global networks learnt as bound" if areas is unseen else ""
    text = (
        f"Against unbound windows of the genome in place of shuffles (tier gm12878; all trained on shuffles{which}) "
        f"{spoken(MAIN)} has a mean AUROC of {mean_over_sets(list(own.values())).mean:.3f}"
    )
    if not ahead:
        return f"{text} and is ahead of all {len(others)} others (n = {len(own)})."
    best = max(ahead, key=lambda method: found[method].difference.mean)
    return (
        f"{text}, and {len(ahead)} of {len(others)} others are ahead of it, {title(best)} by "
        f"{difference(found[best].difference)} over the {found[best].n} sets that both have. So the models that are "
        "shipped are trained against windows of a genome too, and are judged apart (README.md, models/README.md)."
    )


def genomic(source: Source) -> Iterator[Block]:
    """Yield the section on shuffled and genomic negatives, and on chr20."""
    yield Heading("Shuffled and real unbound DNA")
    yield Text(
        "Tier `gm12878` has windows of the genome where the factor is not bound (`genomic.negative.fa.gz`); the bound "
        "windows are the same. All methods were trained on shuffles. One strand, but for the last two columns of the "
        "first table."
    )
    records = source.records
    rows, results = [], []
    for method in main_methods(source.records.methods):
        real = {metric: _real(source, method, metric) for metric in ("auroc", "auprc")}
        if not real["auroc"]:
            continue
        shuffled = {metric: _only(records.metric(method, metric), real["auroc"]) for metric in real}
        change = compare(shuffled["auroc"], real["auroc"])
        results.append(change)
        both = [_real(source, method, metric, "both") for metric in ("auroc", "auprc")]
        figures = [shuffled["auroc"], real["auroc"], shuffled["auprc"], real["auprc"], *both]
        means = [interval(mean_over_sets(ALL.of(values))) for values in figures]
        rows.append([title(method), str(change.n), *means[:2], difference(change.difference), *means[2:]])
    if rows:
        yield Text(on_real_dna(source))
        n = max(change.n for change in results)
        columns = ["", "n", "AUROC, shuffles", "AUROC, genomic", "genomic − shuffles"]
        columns += ["AUPRC, shuffles", "AUPRC, genomic", "AUROC, genomic, both", "AUPRC, genomic, both"]
        share = fixed(_share_bound(source))
        rows.append(["always the same score", str(n), "0.500", "0.500", "", "0.500", share, "0.500", share])
        yield Table(f"**Shuffled and genomic negatives, tier gm12878, n = {n} sets**", columns, rows)
        yield from _seen_and_unseen(source)
        yield source.command(main_methods(source.records.methods))
    else:
        yield Text("No figures yet: it needs records of tier `gm12878`.")


def _seen_and_unseen(source: Source) -> Iterator[Block]:
    """Yield what becomes of it without the windows that the global networks have seen as bound."""
    seen, unseen = source.records.seen, _unseen(source)
    if MAIN not in unseen:
        yield Text(f"Which of these windows the global networks have seen is not known: `{SEEN}` is not there.")
        return
    known = [seen[str(chosen)] for chosen in unseen[MAIN]]
    count, total = sum(int(each.sum()) for each in known), sum(map(len, known))
    shares = [each.mean() for each in known]
    yield Text(
        f"The global networks have seen {count:,} of the {total:,} ({count / total:.0%}; {min(shares):.0%} to "
        f"{max(shares):.0%} of a set): these share {STRETCH} bases in a row with a bound window of the training files "
        "of all sets, mostly of another factor. What starts from such a network was taught the contrary of what is "
        "asked here, which a method that sees the training file of its set alone was not. So the table below has the "
        "windows that were not seen beside all, and the sentence above is of them."
    )
    rows = []
    own = _real(source, MAIN, "auroc")
    for method, areas in unseen.items():
        everything = _only(_real(source, method, "auroc"), areas)
        means = [interval(mean_over_sets(list(values.values()))) for values in (everything, areas)]
        beside = [compare(own, everything), compare(unseen[MAIN], areas)]
        cells = [cell for each in beside for cell in (difference(each.difference), higher_on(each))]
        cells.append(pvalue(beside[1].ttest))
        rows.append([title(method), str(len(areas)), *means, *(cells if method != MAIN else [NONE] * len(cells))])
    columns = ["", "n", "AUROC, all", "AUROC, unseen", f"all, − {title(MAIN)}", "higher on"]
    columns += [f"unseen, − {title(MAIN)}", "higher on", "t-test P"]
    yield Table(f"**Genomic negatives that no network has seen, tier gm12878, n = {len(known)} sets**", columns, rows)


def _share_bound(source: Source) -> float:
    """Return the mean share of windows that are bound, with genomic ones in place of shuffles."""
    shares = {}
    for record in source.records.all():
        bound, unbound = record.count("test_positives"), record.count("genomic_negatives")
        if unbound:
            shares[record.set] = bound / (bound + unbound)
    return mean_over_sets(list(shares.values())).mean


def _only(values: Values, others: Values) -> dict[Set, float]:
    return {chosen: value for chosen, value in values.items() if chosen in others}
