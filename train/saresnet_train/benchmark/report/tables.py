"""Tables of means over sets and of paired comparisons, and how their figures are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from saresnet_train.benchmark.report.document import Command, Table
from saresnet_train.benchmark.report.methods import ENSEMBLE, MAIN, title
from saresnet_train.benchmark.report.published import SETS
from saresnet_train.benchmark.report.records import SIZES, TIERS, Records, Set
from saresnet_train.benchmark.report.statistics import Mean, Paired, holm, mean_over_sets, paired

METRICS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auroc": "AUROC",
    "auprc": "AUPRC",
}
"""Columns of tables 2 to 4, and what they are called."""

NONE = "–"
Values = Mapping[Set, float]


@dataclass(frozen=True)
class Group:
    """Sets that are averaged together; tier or size None is any."""

    title: str
    tier: str | None = None
    size: str | None = None

    def has(self, chosen: Set) -> bool:
        """Whether a set belongs to it."""
        return self.tier in (None, chosen.tier) and self.size in (None, chosen.size)

    def of(self, values: Values) -> list[float]:
        """Return the values of its sets."""
        return [value for chosen, value in sorted(values.items()) if self.has(chosen)]


ALL = Group("all")
BY_SIZE = tuple(Group(size, size=size) for size in SIZES)


def by_tier(records: Records) -> tuple[Group, ...]:
    """Return a group a tier, those of the benchmark first."""
    found = {chosen.tier for chosen in records.sets}
    return tuple(Group(tier, tier=tier) for tier in [*TIERS, *sorted(found - set(TIERS))] if tier in found)


def groups(records: Records) -> tuple[Group, ...]:
    """Return all sets, each tier, and each class of size."""
    return (ALL, *by_tier(records), *BY_SIZE)


@dataclass(frozen=True)
class Source:
    """Where a report's numbers are from. folder: the results as a reader names them in a command."""

    records: Records
    folder: str

    def command(self, methods: Iterable[str], genome: bool = False) -> Command:
        """Return what makes the cells of these methods again, and no others; genome: with the scan of chr20."""
        alike: dict[tuple[tuple[int, ...], str], list[str]] = {}
        for name in dict.fromkeys(MAIN if name == ENSEMBLE else name for name in methods):
            for seeds, sets in self._runs(name, genome):
                alike.setdefault((seeds, sets), []).append(name)
        lines = []
        for (seeds, sets), names in alike.items():
            line = f"saresnet benchmark run --data DATA --out {self.folder} --methods {','.join(names)}"
            line += f" --sets {sets}" if sets else ""
            line += "" if seeds == (1,) else f" --seeds {','.join(map(str, seeds))}"
            lines.append(line + (" --genome 20.fa.gz" if genome else ""))
        return Command("\n".join(lines))

    def _runs(self, method: str, scanned: bool) -> list[tuple[tuple[int, ...], str]]:
        """Return with which seeds a method was run on which sets; "" is all sets. scanned: those that scanned chr20."""
        sets_of: dict[int, set[Set]] = {}
        for chosen, cell in self.records.of(method).items():
            for record in (record for record in cell if not scanned or record.content.get("chr20")):
                sets_of.setdefault(record.seed, set()).add(chosen)
        seeds_of: dict[str, list[int]] = {}
        skipped = set() if scanned else self.records.impossible(method)
        for seed, sets in sorted(sets_of.items()):
            seeds_of.setdefault(self._names(set(map(str, sets)) | skipped), []).append(seed)
        return [(tuple(seeds), names) for names, seeds in seeds_of.items()] or [((1,), "")]

    def _names(self, done: set[str]) -> str:
        left: list[str] = []
        for group in by_tier(self.records):
            wanted = [str(chosen) for chosen in self.records.sets if group.has(chosen)]
            left += [group.title] if done >= set(wanted) else [name for name in wanted if name in done]
        return "" if left == [group.title for group in by_tier(self.records)] else ",".join(left)

    def present(self, methods: Sequence[str]) -> list[str]:
        """Return those that have any record, in the same order."""
        return [name for name in methods if name in self.records.methods]


def compare(first: Values, second: Values, group: Group = ALL) -> Paired:
    """Compare two methods, second minus first, over the sets of a group that both have."""
    shared = [chosen for chosen in sorted(first.keys() & second.keys()) if group.has(chosen)]
    return paired([first[chosen] for chosen in shared], [second[chosen] for chosen in shared])


def metric_table(
    source: Source,
    methods: Sequence[str],
    group: Group,
    name: str,
    paper: Mapping[str, Sequence[float]] | None = None,
    names: Mapping[str, str] | None = None,
) -> Table:
    """Return the metrics of methods, means over the sets of a group with intervals; a method without is shown so.

    paper: what the paper reports of a method, by the columns of `published.COLUMNS`, as rows below.
    names: what this table calls methods.
    """
    titles = {method: title(method) for method in methods} | dict(names or {})
    rows = []
    for method in methods:
        means = [mean_over_sets(group.of(source.records.metric(method, metric))) for metric in METRICS]
        most = max(mean.n for mean in means)
        cells = [interval(mean) + (f" [{mean.n}]" if mean.n != most else "") for mean in means]
        rows.append([titles[method], str(most), *(cells if most else ["missing"] * len(METRICS))])
    for method, told in (paper or {}).items():
        rows.append([f"paper: {titles[method]}", str(SETS), *[f"{value:.3f}" for value in told], NONE])
    return Table(f"**{name}**", ["", "sets", *METRICS.values()], rows)


def area_table(
    source: Source,
    methods: Sequence[str],
    name: str,
    metric: str = "auroc",
    strands: str = "forward",
    paper: Mapping[str, Mapping[str, float]] | None = None,
) -> Table:
    """Return one metric of methods, a column for each group of sets; n in brackets where a method lacks sets.

    paper: what the paper reports of a method, by group, as rows below.
    """
    columns = groups(source.records)
    totals = [sum(map(group.has, source.records.sets)) for group in columns]
    rows = []
    for method in methods:
        values = source.records.metric(method, metric, strands)
        means = [mean_over_sets(group.of(values)) for group in columns]
        cells = [
            ("missing" if total else NONE)
            if mean.n == 0
            else interval(mean) + (f" [{mean.n}]" if mean.n != total else "")
            for mean, total in zip(means, totals, strict=True)
        ]
        rows.append([title(method), *cells])
    for method, told in (paper or {}).items():
        cells = [f"{told[group.title]:.3f}" if group.title in told else NONE for group in columns]
        rows.append([f"paper: {title(method)}", *cells])
    heads = [f"{group.title} (n = {total})" for group, total in zip(columns, totals, strict=True)]
    return Table(f"**{name}**", ["", *heads], rows)


@dataclass(frozen=True)
class Comparison:
    """A row of a table of comparisons: what is compared, over which sets, and what came out."""

    name: str
    group: Group
    result: Paired


def comparisons(
    source: Source,
    pairs: Sequence[tuple[str, str]],
    over: Sequence[Group],
    names: Mapping[str, str] | None = None,
) -> list[Comparison]:
    """Compare AUROC of pairs of methods, second minus first, over groups; those that share no set are left out.

    names: what the table calls methods.
    """
    found = []
    for first, second in pairs:
        values = source.records.metric(first, "auroc"), source.records.metric(second, "auroc")
        name = " − ".join((names or {}).get(method, title(method)) for method in (second, first))
        for group in over:
            result = compare(*values, group)
            if result.n:
                found.append(Comparison(name, group, result))
    return found


def comparison_table(rows: Sequence[Comparison], name: str, sets: bool = True) -> Table:
    """Return comparisons with their tests, corrected by Holm over the rows of the same group of sets.

    sets: whether a column says over which sets.
    """
    corrected = [_by_group(rows, test) for test in ("ttest", "wilcoxon")]
    lines = []
    for row, ttest, wilcoxon in zip(rows, *corrected, strict=True):
        result = row.result
        tests = [pvalue(result.ttest), pvalue(ttest), pvalue(result.wilcoxon), pvalue(wilcoxon)]
        lines.append(
            [
                row.name,
                *([row.group.title] if sets else []),
                str(result.n),
                difference(result.difference),
                higher_on(result),
                *tests,
            ]
        )
    tests = ["t-test P", "Holm", "Wilcoxon P", "Holm"]
    columns = ["", *(["over"] if sets else []), "n", "mean difference", "higher on", *tests]
    return Table(f"**{name}**", columns, lines)


def _by_group(rows: Sequence[Comparison], test: str) -> list[float | None]:
    corrected: list[float | None] = [None] * len(rows)
    for group in {row.group for row in rows}:
        places = [at for at, row in enumerate(rows) if row.group == group]
        for at, value in zip(places, holm([getattr(rows[at].result, test) for at in places]), strict=True):
            corrected[at] = value
    return corrected


def fixed(value: float | None, digits: int = 3) -> str:
    """Write a number, a dash for None and NaN."""
    return NONE if value is None or math.isnan(value) else f"{value:.{digits}f}"


def interval(mean: Mean, digits: int = 3) -> str:
    """Write a mean and its interval, `0.931 (0.920–0.941)`."""
    if mean.n == 0:
        return NONE
    text = fixed(mean.mean, digits)
    return f"{text} ({mean.low:.{digits}f}–{mean.high:.{digits}f})" if mean.has_interval else text


def difference(mean: Mean, digits: int = 4) -> str:
    """Write a mean difference and its interval with signs, `+0.0041 (+0.0010 to +0.0072)`."""
    if mean.n == 0:
        return NONE
    text = signed(mean.mean, digits)
    if not mean.has_interval:
        return text
    return f"{text} ({signed(mean.low, digits)} to {signed(mean.high, digits)})"


def signed(value: float, digits: int = 4) -> str:
    """Write a number with its sign, a minus as long as a plus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def higher_on(result: Paired) -> str:
    """Write on how many sets the second was higher: `40 of 57 (70%)`."""
    ties = f", {result.ties} equal" if result.ties else ""
    return f"{result.wins} of {result.n} ({100 * result.wins / result.n:.0f}%{ties})" if result.n else NONE


def pvalue(value: float | None) -> str:
    """Write a P-value with two digits."""
    return NONE if value is None else "1" if value > 0.995 else f"{value:.2g}"


def median(values: Iterable[float]) -> float:
    """Return the median, NaN of none."""
    values = list(values)
    return float(np.median(values)) if values else math.nan
