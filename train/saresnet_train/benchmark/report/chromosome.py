"""What the paper does not have: a whole chromosome, scanned."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import MAIN, RIVALS, ordered, spoken, title
from saresnet_train.benchmark.report.records import Set
from saresnet_train.benchmark.report.sentences import compared
from saresnet_train.benchmark.report.statistics import mean_over_sets
from saresnet_train.benchmark.report.tables import (
    NONE,
    Source,
    compare,
    difference,
    fixed,
    higher_on,
)

_PWM = "pwm"


def chromosome(source: Source) -> Iterator[Block]:
    """Yield the section on scans of chr20."""
    yield Heading("A whole chromosome: hg19 chr20", 3)
    yield Text(
        "Windows at stride 50 over chr20, bound where they cover a peak's summit (or centre), both strands. Few "
        "are, so the area to look at is that under the precision-recall curve. No training file holds any of chr20. "
        "The matrix of the PWM was chosen on the validation windows, as everywhere on this page. The models that are "
        "shipped learn from a genome too; `models/results.tsv` has them beside the matrix that does best here."
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
