"""What the paper does not have: both strands, real unbound windows, a whole chromosome."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import ABLATIONS, MAIN, RIVALS, ordered, spoken, title
from saresnet_train.benchmark.report.records import Set
from saresnet_train.benchmark.report.sentences import compared
from saresnet_train.benchmark.report.statistics import holm, mean_over_sets
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
    signed,
)

_PWM = "pwm"


def main_methods(source: Source) -> list[str]:
    """Return the methods that have records, without the ablations."""
    return ordered(source.records.methods - set(ABLATIONS))


def strands(source: Source) -> Iterator[Block]:
    """Yield the section on one strand against both."""
    yield Heading("One strand or both")
    yield Text(
        "One strand: the window as it is given, as in the paper. Both: the mean of the values of the window and its "
        "reverse complement, which is how models are shipped. A method that gives both strands one score by itself is "
        "left out."
    )
    records = source.records
    rows, results = [], []
    for method in main_methods(source):
        symmetric = [record.content.get("symmetric") for cell in records.of(method).values() for record in cell]
        if all(symmetric):
            continue
        for metric, name in (("auroc", "AUROC"), ("auprc", "AUPRC")):
            one, both = records.metric(method, metric, "forward"), records.metric(method, metric, "both")
            results.append((method, metric, compare(one, both)))
            means = [interval(mean_over_sets(ALL.of(values))) for values in (one, both)]
            result = results[-1][2]
            rows.append([title(method), name, str(result.n), *means, difference(result.difference), higher_on(result)])
    if not rows:
        yield Text("No figures yet.")
        return
    corrected = [holm([getattr(result, test) for *_, result in results]) for test in ("ttest", "wilcoxon")]
    for row, ttest, wilcoxon in zip(rows, *corrected, strict=True):
        row += [pvalue(ttest), pvalue(wilcoxon)]
    for method, metric, result in results:
        if method == MAIN and metric == "auroc":
            yield Text(f"For {spoken(MAIN)}, " + _lower(compared("one strand", "the mean over both", result)))
            yield Text(_gap(source))
    n = len(records.sets)
    columns = ["", "", "n", "one strand", "both", "both − one", "higher on", "t-test, Holm", "Wilcoxon, Holm"]
    yield Table(f"**One strand and both, n = {n} sets**", columns, rows)
    yield source.command(main_methods(source))


def _gap(source: Source) -> str:
    """Say what transfer gains over direct learning by one strand and by both."""
    gaps = [
        compare(source.records.metric("direct", "auroc", way), source.records.metric(MAIN, "auroc", way)).difference
        for way in ("forward", "both")
    ]
    if not gaps[0].n:
        return "Direct learning and transfer share no set yet."
    one, both = (signed(gap.mean) for gap in gaps)
    return f"Transfer − direct learning in mean AUROC: {one} by one strand, {both} by both (n = {gaps[0].n})."


def _real(source: Source, method: str, metric: str, way: str = "forward") -> dict[Set, float]:
    return source.records.values(method, "genomic", way, metric)


def on_real_dna(source: Source) -> str:
    """Say how the main method does against all others on windows of the genome that are not bound."""
    own = _real(source, MAIN, "auroc")
    others = [method for method in (*RIVALS, "direct", "global") if _real(source, method, "auroc")]
    if not own or not others:
        return f"{spoken(MAIN)} was not judged on unbound windows of the genome beside others yet."
    found = {method: compare(own, _real(source, method, "auroc")) for method in others}
    ahead = [method for method in others if found[method].difference.mean > 0]
    text = (
        f"Against unbound windows of the genome in place of shuffles (tier gm12878, all trained on shuffles) "
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
        "Tier `gm12878` has windows of the genome that are not bound (`genomic.negative.fa.gz`); the bound windows are "
        "the same. All methods were trained on shuffles. One strand, but for the last two columns."
    )
    records = source.records
    rows, results = [], []
    for method in main_methods(source):
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
        yield source.command(main_methods(source))
    else:
        yield Text("No figures yet: it needs records of tier `gm12878`.")
    yield from _chromosome(source)


def _share_bound(source: Source) -> float:
    """Return the mean share of windows that are bound, with genomic ones in place of shuffles."""
    shares = {}
    for record in source.records.all():
        bound, unbound = record.count("test_positives"), record.count("genomic_negatives")
        if unbound:
            shares[record.set] = bound / (bound + unbound)
    return mean_over_sets(list(shares.values())).mean


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _only(values: Values, others: Values) -> dict[Set, float]:
    return {chosen: value for chosen, value in values.items() if chosen in others}


def _chromosome(source: Source) -> Iterator[Block]:
    yield Heading("A whole chromosome: hg19 chr20", 3)
    yield Text(
        "Windows at stride 50 over chr20, bound where they cover a peak's summit (or centre), both strands. Few "
        "are, so the area to look at is that under the precision-recall curve. No training file holds any of chr20. "
        "The models that are shipped learn from a genome too; `models/results.tsv` has them beside the PWM."
    )
    records = source.records
    found = {method: records.values(method, "chr20", "auprc") for method in ordered(records.methods)}
    found = {method: values for method, values in found.items() if values}
    if not found:
        yield Text("No figures yet: no record has a scan of chr20 (`--genome 20.fa.gz`).")
        return
    sets = sorted({chosen for values in found.values() for chosen in values})
    bound: dict[Set, float] = {}
    for method in found:
        for chosen, cell in records.of(method).items():
            positives, negatives = (cell[0].value("chr20", name) for name in ("positives", "negatives"))
            if positives and negatives:
                bound[chosen] = positives / (positives + negatives)
    rows = []
    pwm = found.get(_PWM, {})
    for method, values in found.items():
        result = compare(pwm, values)
        beside = [difference(result.difference), higher_on(result)] if method != _PWM else [NONE, NONE]
        mean = fixed(mean_over_sets(list(values.values())).mean)
        rows.append([title(method), *[fixed(values.get(s)) for s in sets], mean, str(len(values)), *beside])
        if method == MAIN:
            yield Text(compared(title(_PWM), spoken(method), result, "AUPRC", "on chr20"))
        elif method in RIVALS and method != _PWM and MAIN in found:
            beside_main = compare(found[MAIN], values)
            yield Text(compared(spoken(MAIN), title(method), beside_main, "AUPRC", "on chr20"))
    shares = [f"{1 / bound[s]:,.0f}" if s in bound else NONE for s in sets]
    rows.append(["one window of so many is bound", *shares, *[""] * 4])
    areas = {method: records.values(method, "chr20", "auroc") for method in found}
    columns = ["", *[each.name for each in sets], "mean", "n", "− PWM", "higher than PWM on"]
    yield Table(f"**AUPRC on chr20, n = {len(sets)} sets**", columns, rows)
    rows = [[title(m), *[fixed(v.get(s)) for s in sets], fixed(mean_over_sets(list(v.values())).mean), str(len(v))]
            for m, v in areas.items()]  # fmt: skip
    yield Table(f"**AUROC on chr20, n = {len(sets)} sets**", columns[:-2], rows)
    yield source.command(list(found), genome=True)
