"""Sentences that say what the numbers say, whichever way they come out."""

from __future__ import annotations

from collections.abc import Sequence

from saresnet_train.benchmark.report.methods import spoken
from saresnet_train.benchmark.report.statistics import Paired, mean_over_sets
from saresnet_train.benchmark.report.tables import ALL, Group, Source, compare, difference, higher_on, pvalue


def over(group: Group) -> str:
    """Say which sets, as in "over all sets", "over the small sets", "over tier encode"."""
    if group == ALL:
        return "over all sets"
    return f"over tier {group.tier}" if group.tier else f"over the {group.size} sets"


def compared(first: str, second: str, result: Paired, metric: str = "AUROC", what: str = "") -> str:
    """Say how the second does against the first."""
    if not result.n:
        return _sentence(f"{second} and {first} share no set yet{f' {what}' if what else ''}.")
    direction = "higher" if result.difference.mean > 0 else "lower" if result.difference.mean < 0 else "equal"
    where = f" {what}" if what else ""
    if direction == "equal":
        return _sentence(f"{second} and {first} have the same mean {metric}{where} (n = {result.n}).")
    text = (
        f"{second} has a {direction} mean {metric} than {first}{where}: {difference(result.difference)}, "
        f"higher on {higher_on(result)} sets"
    )
    return _sentence(text + _doubt(result) + ".")


def against(
    source: Source, first: str, second: str, names: tuple[str, str] | None = None, group: Group = ALL, of: str = ""
) -> str:
    """Say how one method's AUROC does against another's, over the sets of a group that both have.

    names: what the sentence calls them; of: what is added in brackets, such as the network.
    """
    result = compare(source.records.metric(first, "auroc"), source.records.metric(second, "auroc"), group)
    where = over(group)
    if group == ALL and result.n < len(source.records.sets):
        where = f"over the {result.n} sets that both have"
    called = names or (spoken(first), spoken(second))
    return compared(*called, result, what=" ".join(filter(None, [where if result.n else "", f"({of})" if of else ""])))


def _doubt(result: Paired) -> str:
    if not result.difference.has_interval:
        return "; too few sets for an interval"
    if result.settled:
        return ""
    if result.difference.low <= 0 <= result.difference.high:
        return "; the interval includes 0, so this is not settled"
    return f"; the t-test (P = {pvalue(result.ttest)}) does not agree, so this is not settled"


def rank(source: Source, main: str, rivals: Sequence[str], group: Group) -> str:
    """Say whether a method is first in mean AUROC among rivals, each compared over the sets that both have."""
    own = source.records.metric(main, "auroc")
    found = [(compare(source.records.metric(rival, "auroc"), own, group), rival) for rival in source.present(rivals)]
    found = [(result, rival) for result, rival in found if result.n]
    mean = mean_over_sets(group.of(own))
    if not mean.n or not found:
        return _sentence(f"{spoken(main)} {over(group)}: not compared with a rival yet.")
    head = f"mean AUROC {over(group)} ({mean.mean:.3f}, n = {mean.n})"
    result, nearest = min(found, key=lambda pair: pair[0].difference.mean)
    gap = f"{difference(result.difference)} over the {result.n} that both have{_doubt(result)}"
    absent = [spoken(rival) for rival in rivals if rival not in {name for _, name in found}]
    missing = f" Not compared: {', '.join(absent)}." if absent else ""
    if result.difference.mean > 0:
        return _sentence(f"{spoken(main)} is first in {head}; next is {spoken(nearest)}: {gap}.{missing}")
    ahead = sum(one.difference.mean <= 0 for one, _ in found)
    more = f" {ahead} of {len(found)} are ahead of it or level." if ahead > 1 else ""
    return _sentence(f"{spoken(main)} is not first in {head}: against {spoken(nearest)} it has {gap}.{more}{missing}")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
