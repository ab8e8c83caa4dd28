"""What was asked of SAResNet before the benchmark was run, and whether it came out so."""

from __future__ import annotations

from saresnet_train.benchmark.report.document import Table
from saresnet_train.benchmark.report.methods import MAIN, RIVALS, title
from saresnet_train.benchmark.report.records import TIERS
from saresnet_train.benchmark.report.scores import pooled
from saresnet_train.benchmark.report.statistics import Paired, mean_over_sets
from saresnet_train.benchmark.report.tables import ALL, BY_SIZE, NONE, Group, Source, compare, difference, signed
from saresnet_train.metrics import auroc

MEANS = {"encode": 0.925, "gm12878": 0.90}
"""Mean AUROC of transfer over a tier, at least."""
MARGIN = 0.04
"""Mean AUROC of transfer above every rival on small sets: the paper's margin."""
POOLED = 0.89
"""AUROC of the global model on pooled test windows."""


def targets(source: Source) -> Table:
    """Return what was asked beside what was measured; nothing is called met that is not measured on every set."""
    records = source.records
    own = records.metric(MAIN, "auroc")
    rows = []
    for tier, asked in MEANS.items():
        mean = mean_over_sets(Group(tier, tier=tier).of(own))
        what = f"mean AUROC of `{MAIN}`, tier {tier}"
        measured = f"{mean.mean:.3f}, n = {mean.n}" if mean.n else NONE
        rows.append([what, f"at least {asked:.3f}", measured, _met(mean.mean >= asked, mean.n == TIERS[tier])])
    for group in (ALL, *BY_SIZE):
        found, nearest = _nearest(source, group)
        gap = None if found is None else found.difference.mean
        sets = "all sets" if group == ALL else f"{group.title} sets"
        measured = NONE if found is None else f"{difference(found.difference, 3)} over {title(nearest)}"
        measured += "" if found is None or found.settled or not found.difference.has_interval else ", not settled"
        complete = _complete(source, group)
        rows.append([f"mean AUROC above every rival, {sets}", "above 0", measured, _met((gap or 0) > 0, complete)])
        if group.title == "small":
            met = gap is not None and gap >= MARGIN
            if found is not None and found.difference.has_interval and found.difference.low < MARGIN:
                measured += ", the interval reaches below"
            rows.append([f"the same, {sets}", f"at least {signed(MARGIN, 2)}", measured, _met(met, complete)])
    cells = records.of("global")
    labels, scores, n = pooled(cell[0] for cell in cells.values())
    area = auroc(labels, scores) if n else 0.0
    measured = f"{area:.3f}, n = {n}" if n else NONE
    complete = n == sum(TIERS.values())
    rows.append(
        ["AUROC of `global`, pooled test windows", f"at least {POOLED}", measured, _met(area >= POOLED, complete)]
    )
    return Table(f"**What was asked, n = {len(records.sets)} sets**", ["", "asked", "measured", ""], rows)


def _met(reached: bool, complete: bool) -> str:
    return "incomplete" if not complete else "met" if reached else "**not met**"


def _nearest(source: Source, group: Group) -> tuple[Paired | None, str]:
    """Return the comparison with the rival that comes nearest over the sets that both have, and the rival."""
    own = source.records.metric(MAIN, "auroc")
    found = [
        (result, rival)
        for rival in source.present(RIVALS)
        if (result := compare(source.records.metric(rival, "auroc"), own, group)).n
    ]
    return min(found, key=lambda pair: pair[0].difference.mean, default=(None, ""))


def _complete(source: Source, group: Group) -> bool:
    """Whether all sets of a group are there, for every rival and for transfer, or can't be done."""
    records = source.records
    if len(records.sets) < sum(TIERS.values()):
        return False
    return not any(group.has(chosen) for method in (MAIN, *RIVALS) for chosen in records.lacking(method))
