"""The first part of the report, what it shows in short and what was run, and the last, how it was computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saresnet_train.benchmark.report import published
from saresnet_train.benchmark.report.document import Block, Command, Heading, Items, Table, Text
from saresnet_train.benchmark.report.learning import LESS_THAN_BEST
from saresnet_train.benchmark.report.methods import (
    ENSEMBLE,
    EXPECTED,
    MAIN,
    ONLY,
    RIVALS,
    ordered,
    spoken,
    title,
)
from saresnet_train.benchmark.report.real_dna import on_real_dna
from saresnet_train.benchmark.report.records import TIERS, Set
from saresnet_train.benchmark.report.scores import Agreement
from saresnet_train.benchmark.report.sentences import against, rank
from saresnet_train.benchmark.report.statistics import FEWEST, RESAMPLES, SEED, mean_over_sets
from saresnet_train.benchmark.report.tables import ALL, BY_SIZE, Source, by_tier, interval
from saresnet_train.benchmark.report.targets import targets

POOLED_SETS = 194
"""Sets whose training files the global models were trained on."""

TITLE = "The paper's comparison, judged on the same data for every method"


def overview(source: Source) -> Iterator[Block]:
    """Yield the title, how to read the report, and its main findings."""
    records = source.records
    tiers = [f"{sum(map(group.has, records.sets))} of tier {group.title}" for group in by_tier(records)]
    sizes = [f"{sum(map(group.has, records.sets))} {group.title}" for group in BY_SIZE]
    yield Heading(TITLE, 1)
    yield Text(
        f"Every method was judged on the same fixed test files: {len(records.sets)} sets ({', '.join(tiers)}; "
        f"{', '.join(sizes)}). The rivals and direct learning see the training file of a set alone. Global and "
        f"transfer begin with a network that was pre-trained on the training files of {POOLED_SETS} sets, one million "
        f"bound windows, {POOLED_SETS - sum(TIERS.values())} of those sets not judged here: that is what transfer is, "
        "and part of what it gains. Bound windows that share 50 bases are in the training files of all sets or in the "
        "test files of all sets, so no network has seen the bound windows that it is judged on, nor their shuffles; of "
        "unbound windows of a genome the global networks have seen some, which are told apart."
    )
    yield Text(
        f"The paper (Shen et al., Briefings in Bioinformatics, 2021) has {published.SETS} sets of the same kind, so "
        "its figures, given beside ours, are for orientation."
    )
    yield Text(
        "Figures are means over sets, with 95% bootstrap intervals over sets in parentheses; n is a number of sets, in "
        "brackets where a method has fewer than its column says. Small sets have fewer than 3,000 training windows of "
        "both classes, medium sets up to 30,000, large ones more. Negatives are dinucleotide shuffles and one strand "
        "is scored, as in the paper, unless a section says otherwise."
    )
    yield Text(
        "The command beside a table runs its cells; DATA is the data folder. Cells that are there are not run again: "
        "give another `--out`, or remove a cell's JSON file. `--sets encode/CTCF_GM12878` takes one set."
    )
    yield Heading("In short")
    yield Items(list(dict.fromkeys(_findings(source))))
    yield targets(source)


def _findings(source: Source) -> Iterator[str]:
    records = source.records
    own = records.metric(MAIN, "auroc")
    means = [(group, mean) for group in by_tier(records) if (mean := mean_over_sets(group.of(own))).n]
    if means:
        told = "; ".join(f"{interval(mean)} over tier {group.tier}, n = {mean.n}" for group, mean in means)
        yield f"Mean AUROC of {spoken(MAIN)}: {told}."
    yield rank(source, MAIN, RIVALS, ALL)
    direct = against(source, "direct", MAIN)
    yield f"{direct} {LESS_THAN_BEST}" if records.of("direct") else direct
    yield on_real_dna(source)
    yield against(source, "transfer-no-attention", MAIN, ("attention off", "attention on"), of="transfer, 64 channels")
    lacking = [method for method in EXPECTED if records.lacking(method)]
    if lacking:
        yield f'Not complete yet: {", ".join(f"`{method}`" for method in lacking)} ("What was run", below).'


def coverage(source: Source) -> Iterator[Block]:
    """Yield what was run and what is missing."""
    records = source.records
    expected = ordered({*EXPECTED, *records.methods} | {name for name, _ in records.skipped})
    yield Heading("What was run")
    rows, lacking, without, skips = [], [], [], []
    tiers = by_tier(records)
    for method in expected:
        done = records.of(method)
        cells = []
        for tier in tiers:
            asked = set(filter(tier.has, records.asked_of(method)))
            total = len(asked) if method in ONLY else TIERS.get(tier.title, len(asked))
            left_out = sum(where.startswith(f"{tier.title}/") for where in records.impossible(method))
            have = len(asked & set(done))
            cells.append(f"{have} of {total}" + (f", {left_out} can't be done" if left_out else ""))
        counts = sorted({len(cell) for cell in done.values()})
        seeds = "–".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else "–"
        rows.append([title(method), f"`{method}`", *cells, seeds])
        reasons = [f"{where} ({why})" for (name, where), why in sorted(records.skipped.items()) if name == method]
        if reasons:
            skips.append(f"`{method}`, {len(reasons)}: {', '.join(reasons)}.")
        absent = records.lacking(method)
        if done and absent and method != ENSEMBLE:
            lacking.append(f"`{method}` lacks {_names(absent)}.")
        elif not done and not reasons:
            without.append(f"`{method}`")
    yield Table(
        f"**Sets that each method has, n = {len(records.sets)}**",
        ["", "name", *[t.title for t in tiers], "seeds"],
        rows,
    )
    yield Text(" ".join(f"Of {size} sets alone is asked: `{method}`." for method, size in ONLY.items()))
    unseen = [
        f"Tier {tier}: {count - have} of its {count} sets have no record of any method."
        for tier, count in TIERS.items()
        if (have := sum(each.tier == tier for each in records.sets)) < count
    ]
    if without:
        lacking.append(f"No record yet of {', '.join(without)}.")
    if unseen or lacking:
        yield Text("Missing:")
        yield Items([*unseen, *lacking])
    else:
        yield Text("Nothing is missing.")
    if skips:
        yield Text("What can't be done:")
        yield Items(skips)


def _names(sets: Sequence[Set]) -> str:
    by_tier: dict[str, list[str]] = {}
    for each in sets:
        by_tier.setdefault(each.tier, []).append(each.name)
    return "; ".join(f"{tier} ({len(names)}): {', '.join(names)}" for tier, names in by_tier.items())


def notes(source: Source, checked: Agreement, command: str) -> Iterator[Block]:
    """Yield how the figures were computed."""
    records = source.records.all()
    versions = sorted(
        {f"{name} {version}" for record in records for name, version in (record.content.get("versions") or {}).items()}
    )
    made = sum(record.method == ENSEMBLE for record in records)
    computed = f", and {made} computed from those of several seeds" if made else ""
    devices = sorted({str(record.content.get("device", "?")) for record in records})
    precisions = sorted({p for r in records for p in r.numbers})
    yield Heading("How it was computed")
    yield Items(
        [
            "A set with several seeds counts once, with the mean over its seeds. A metric that is not defined "
            "(precision when no window is called bound) is left out, and n says so.",
            f"Intervals: {RESAMPLES:,} bootstrap resamples of the sets, seed {SEED}, expanded percentiles (Hesterberg "
            f"2015); none below {FEWEST} sets. They say how the mean would vary with other sets, not with other seeds. "
            "Sets of one factor or cell type are alike, and count as independent.",
            "Windows to validate on are a tenth of a set's training windows, taken by locus.",
            "Tests: paired over sets, two-sided, the t-test and Wilcoxon's signed-rank test; Holm's correction over "
            "the rows of a table that are of the same sets, for each test. Differences are second minus first. "
            "Settled: the interval leaves out 0 and the t-test, not corrected, has P below 0.05.",
            "Accuracy, precision, recall and F1 are at each method's own threshold, log-odds 0 for those that give "
            "log-odds.",
            f"Records: {len(records) - made}{computed}; devices: {', '.join(devices)}; numbers: "
            f"{', '.join(precisions) or 'not told'}; versions: {', '.join(versions) or 'not told'}.",
            _agreement(checked),
        ]
    )
    yield Text("This page is written from the records by:")
    yield Command(command)


def _agreement(checked: Agreement) -> str:
    if not checked.cells:
        return "No cell has kept its scores, so no area could be computed again."
    text = (
        f"The areas of {checked.cells} cells were computed again from their scores, which are kept as float16: AUROC "
        f"differs from the record by at most {checked.auroc:.1e}, AUPRC by {checked.auprc:.1e}."
    )
    if checked.without:
        text += f" Without scores: {', '.join(checked.without)}."
    return text
