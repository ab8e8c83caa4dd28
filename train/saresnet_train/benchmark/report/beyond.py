"""What the paper does not have: both strands, real unbound windows, a whole chromosome."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import ABLATIONS, MAIN, ordered, spoken, title
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
    n = len(records.sets)
    columns = ["", "", "n", "one strand", "both", "both − one", "higher on", "t-test, Holm", "Wilcoxon, Holm"]
    yield Table(f"**One strand and both, n = {n} sets**", columns, rows)
    yield source.command(main_methods(source))


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
        real = {metric: records.values(method, "genomic", "forward", metric) for metric in ("auroc", "auprc")}
        if not real["auroc"]:
            continue
        shuffled = {metric: _only(records.metric(method, metric), real["auroc"]) for metric in real}
        change = compare(shuffled["auroc"], real["auroc"])
        results.append((method, change))
        both = [records.values(method, "genomic", "both", metric) for metric in ("auroc", "auprc")]
        figures = [shuffled["auroc"], real["auroc"], shuffled["auprc"], real["auprc"], *both]
        means = [interval(mean_over_sets(ALL.of(values))) for values in figures]
        rows.append([title(method), str(change.n), *means[:2], difference(change.difference), *means[2:]])
    if rows:
        for method, change in results:
            if method == MAIN:
                yield Text(f"For {spoken(MAIN)}, " + _lower(compared("with shuffles", "with genomic windows", change)))
        n = max(change.n for _, change in results)
        columns = ["", "n", "AUROC, shuffles", "AUROC, genomic", "genomic − shuffles"]
        columns += ["AUPRC, shuffles", "AUPRC, genomic", "AUROC, genomic, both", "AUPRC, genomic, both"]
        yield Table(f"**Shuffled and genomic negatives, tier gm12878, n = {n} sets**", columns, rows)
        yield source.command(main_methods(source))
    else:
        yield Text("No figures yet: it needs records of tier `gm12878`.")
    yield from _chromosome(source)


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _only(values: Values, others: Values) -> dict[Set, float]:
    return {chosen: value for chosen, value in values.items() if chosen in others}


def _chromosome(source: Source) -> Iterator[Block]:
    yield Heading("A whole chromosome: hg19 chr20", 3)
    yield Text(
        "Windows at stride 50 over chr20, bound where they cover a peak's summit (or centre), both strands. One window "
        "in some hundreds is bound, so the area to look at is that under the precision-recall curve. No training file "
        "holds any of chr20."
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
    rows.append(["share of windows that is bound", *[fixed(bound.get(s), 4) for s in sets], *[""] * 4])
    areas = {method: records.values(method, "chr20", "auroc") for method in found}
    columns = ["", *[each.name for each in sets], "mean", "n", "− PWM", "higher than PWM on"]
    yield Table(f"**AUPRC on chr20, n = {len(sets)} sets**", columns, rows)
    rows = [[title(m), *[fixed(v.get(s)) for s in sets], fixed(mean_over_sets(list(v.values())).mean), str(len(v))]
            for m, v in areas.items()]  # fmt: skip
    yield Table(f"**AUROC on chr20, n = {len(sets)} sets**", columns[:-2], rows)
    yield source.command(list(found), genome=True)
