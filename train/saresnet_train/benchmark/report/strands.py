"""What the paper does not have: one strand against both."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import MAIN, main_methods, spoken, title
from saresnet_train.benchmark.report.sentences import compared
from saresnet_train.benchmark.report.statistics import holm, mean_over_sets
from saresnet_train.benchmark.report.tables import (
    ALL,
    Source,
    compare,
    difference,
    higher_on,
    interval,
    pvalue,
    signed,
)

_PWM = "pwm"


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
    for method in main_methods(source.records.methods):
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
    yield source.command(main_methods(source.records.methods))


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


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
