"""The parts on calibration, and on what each method costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from saresnet_train.benchmark.report.document import Block, Heading, Picture, Table, Text
from saresnet_train.benchmark.report.method_figures import reliabilities
from saresnet_train.benchmark.report.methods import ENSEMBLE, OWN, RIVALS, main_methods, ordered, title
from saresnet_train.benchmark.report.records import Record
from saresnet_train.benchmark.report.scores import error_by_chance, read_scores, reliability
from saresnet_train.benchmark.report.statistics import mean_over_sets
from saresnet_train.benchmark.report.tables import ALL, BY_SIZE, NONE, Source, fixed, interval, median


def calibration(source: Source) -> Iterator[Block]:
    """Yield the section on calibration."""
    yield Heading("Calibration")
    yield Text(
        "Bound test windows and their shuffles, one each, so half are bound; one strand. Brier score and loss (natural "
        "logarithm) are means over sets; always saying one half gives 0.250 and 0.693. The calibration error of a set "
        "is the mean distance between probability and share that is bound, in ten bins (seed 1; not for the ensemble); "
        "few windows make it larger than it is, more so where probabilities are near one half: by chance is what a "
        "calibrated method with the same probabilities would show (mean of 20 draws, seed 1). A PWM and a gkm-SVM give "
        "no probabilities."
    )
    records = source.records
    rows, curves = [], {}
    for method in main_methods(records.methods):
        cells = records.of(method).values()
        if not any(record.content.get("calibrated") for cell in cells for record in cell):
            continue
        brier, loss = (mean_over_sets(ALL.of(records.metric(method, name))) for name in ("brier", "loss"))
        first = [cell[0] for cell in cells if cell[0].content.get("calibrated")]
        held = {record.set: (scores.labels, scores.tested()) for record in first if (scores := read_scores(record))}
        if held and method in (*OWN, *RIVALS):
            labels, values = map(np.concatenate, zip(*held.values(), strict=True))
            curves[method] = reliability(labels, values), len(held)
        errors = {chosen: reliability(labels, values).error for chosen, (labels, values) in held.items()}
        chance = {chosen: error_by_chance(values) for chosen, (_, values) in held.items()}
        means = [mean_over_sets(group.of(errors)) for group in (ALL, *BY_SIZE)]
        means += [mean_over_sets(group.of(chance)) for group in (ALL, BY_SIZE[0])]
        shown = [fixed(mean.mean) if mean.n else NONE for mean in means]
        rows.append([title(method), str(brier.n), interval(brier), interval(loss), *shown])
    if not rows:
        yield Text("No figures yet: no record of a method that gives probabilities.")
        return
    parts = [
        ("A  SAResNet", {m: c for m, c in curves.items() if m in OWN}),
        ("B  rivals", {m: c for m, c in curves.items() if m not in OWN}),
    ]
    panels = [(name, shown) for name, shown in parts if shown]
    if panels:
        yield Picture(
            "calibration",
            reliabilities(panels),
            "Reliability curves: the share of windows that is bound against the probability given",
            "**Reliability.** Share of test windows that is bound against the probability that a method gives, ten "
            "bins, windows of all sets together, which hides what the few windows of small sets show (the table "
            "below); n is the number of sets. A bin without windows has no point.",
        )
    n = len(records.sets)
    columns = ["", "sets", "Brier score", "loss", *(f"error, {group.title} sets" for group in (ALL, *BY_SIZE))]
    columns += [f"by chance, {group.title} sets" for group in (ALL, BY_SIZE[0])]
    yield Table(f"**Calibration, n = {n} sets**", columns, rows)
    yield source.command(main_methods(records.methods))


def costs(source: Source) -> Iterator[Block]:
    """Yield the section on seconds and parameters."""
    records = source.records
    yield Heading("Seconds and parameters")
    yield Text(
        "Seconds are wall time as the run measured it, on the device and threads named; what else the machine did at "
        "the time is not recorded, so they tell orders of magnitude, and rows of other numbers (float32, bfloat16) are "
        "not of the same machines. Training is of one set, the mean over its seeds, with any search for settings; the "
        "global networks that transfer starts from are below. Scoring is of a thousand windows, one strand and both. "
        "Settings tried are those that the validation of a set chose among; a dash is one recipe for all sets. Of a "
        "gkm-SVM the parameters are the support vectors and the offset."
    )
    rows = []
    for method in ordered(records.methods):
        found = [record for cell in records.of(method).values() for record in cell]
        training = list(records.values(method, "seconds", "training").values())
        rates = [1000 * v / n for r in found if (v := r.value("seconds", "scoring")) and (n := _scored(r))]
        parameters = _range(int(v) for r in found if (v := r.value("parameters")) is not None)
        tried = _range(n for r in found if (n := _tried(r)))
        where = sorted({", ".join((str(r.content.get("device", "?")), _threads(r), *r.numbers)) for r in found})
        total = math.fsum(training) / 3600
        longest = fixed(max(training, default=math.nan), 1)
        cells = [tried, parameters, fixed(median(training), 1), longest, f"{total:.2f}", fixed(median(rates), 2)]
        rows.append([title(method), str(len(training)), *cells, "; ".join(where)])
    for name, seconds in records.pretraining.items():
        spent = fixed(seconds, 1), fixed(seconds, 1), f"{seconds / 3600:.2f}"
        rows.append([f"pre-training of `{name}`", "1", NONE, NONE, *spent, NONE, NONE])
    columns = ["", "sets", "settings tried", "parameters", "training s, median", "longest", "all, hours"]
    columns += ["scoring s/1,000, median", "on"]
    yield Table(f"**Seconds and parameters, n = {len(records.sets)} sets**", columns, rows)
    if ENSEMBLE in records.methods:
        yield Text("The ensemble's seconds and parameters are the sums of its members'.")
    yield source.command(ordered(records.methods))


def _range(values: Iterable[int]) -> str:
    """Write the smallest and the largest number, once where they are the same."""
    found = sorted(set(values))
    if not found:
        return NONE
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,}–{found[-1]:,}"


def _threads(record: Record) -> str:
    count = record.content.get("threads", "?")
    return "1 thread" if count == 1 else f"{count} threads"


def _tried(record: Record) -> int:
    """Return among how many settings a cell chose, 0 where its record tells none."""
    chosen = record.content.get("chosen") or {}
    search = chosen.get("search")
    tried = search.get("tried") if isinstance(search, dict) else chosen.get("searched")
    return len(tried) if isinstance(tried, list | dict) else 0


def _scored(record: Record) -> int:
    return sum(record.count(name) for name in ("test_positives", "test_negatives", "genomic_negatives"))
