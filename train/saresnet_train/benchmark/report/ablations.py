"""The parts on attention (the paper's table 4 and figure 5) and on frozen layers (its supplementary table S2)."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report import published
from saresnet_train.benchmark.report.document import Block, Heading, Picture, Text
from saresnet_train.benchmark.report.learning import pair
from saresnet_train.benchmark.report.method_figures import attention as attention_figure
from saresnet_train.benchmark.report.methods import ATTENTION, FREEZING, MAIN, title
from saresnet_train.benchmark.report.sentences import against, compared
from saresnet_train.benchmark.report.tables import (
    ALL,
    Source,
    compare,
    comparison_table,
    comparisons,
    groups,
    metric_table,
)

_SWITCHED = (
    ("transfer-no-attention", "transfer", "transfer, 64 channels"),
    ("transfer-32-no-attention", "transfer-32", "transfer, 32 channels"),
    ("direct-no-attention", "direct", "direct learning, 64 channels"),
)
_NAMES = {"transfer": "64 channels, attention", "direct": "direct, 64 channels, attention"}
_NONE_FROZEN = {MAIN: "none frozen"}


def attention(source: Source) -> Iterator[Block]:
    """Yield the section on attention on and off."""
    n = len(source.records.sets)
    yield Heading("Attention on and off (table 4, figure 5)")
    yield Text(f"`{MAIN}` is the network with attention and 64 channels.")
    yield Text(
        "Each of the four networks was pre-trained once. What that one training left to chance is in all sets of a "
        "network alike, so no interval and no test below covers it: small differences may be of these trainings, not "
        "of attention."
    )
    for without, using, name in _SWITCHED:
        yield Text(against(source, without, using, ("attention off", "attention on"), of=name))
    yield metric_table(source, ATTENTION, ALL, f"Table 4, all sets, n = {n}", published.TABLE_4, _NAMES)
    yield source.command(ATTENTION)
    rows = comparisons(source, [(off, on) for off, on, _ in _SWITCHED], groups(source.records), _NAMES)
    if rows:
        yield comparison_table(rows, "Attention on − off, AUROC")
        yield source.command([name for off, on, _ in _SWITCHED for name in (off, on)])
    wins = published.FIGURE_5_WINS
    told = f"In the paper attention does better on {wins[32]:.1%} of {published.SETS} sets at 32 channels and on "
    yield Text(told + f"{wins[64]:.1%} at 64.")
    pairs = {
        channels: found
        for channels, (off, on) in {32: ATTENTION[:2], 64: ATTENTION[2:]}.items()
        if (found := pair(source, off, on, ("no attention", "attention"))) is not None
    }
    if not pairs:
        yield Text("No figure yet: it needs records with and without attention on the same sets.")
        return
    counts = "; ".join(
        f"{channels} channels: {compare(each.before, each.after).wins} of {len(each.sets)} sets"
        for channels, each in pairs.items()
    )
    yield Picture(
        "figure5",
        attention_figure(pairs),
        "Box plots of AUROC without and with attention, and histograms of the differences",
        f"**Figure 5.** AUROC without and with attention (above), and the difference, stacked by size of the set "
        f"(below). Attention is higher on: {counts}.",
    )


def freezing(source: Source) -> Iterator[Block]:
    """Yield the section on frozen layers."""
    n = len(source.records.sets)
    yield Heading("Frozen layers (supplementary table S2)")
    yield Text(
        "Transfer with layers that keep the weights of the global model; `transfer` freezes none. The paper says that "
        "freezing none scored higher than freezing some; its supplementary table is not among our sources, so its "
        "figures are not beside ours."
    )
    yield metric_table(source, FREEZING, ALL, f"Table S2, all sets, n = {n}", names=_NONE_FROZEN)
    yield source.command(FREEZING)
    yield from (Text(told) for name in FREEZING[1:] if (told := _in_the_same_numbers(source, name)))
    rows = comparisons(source, [(MAIN, name) for name in FREEZING[1:]], groups(source.records), _NONE_FROZEN)
    if not rows:
        yield Text("No comparison yet: it needs records of transfer and of a frozen network on the same sets.")
        return
    for name in FREEZING[1:]:
        yield Text(against(source, MAIN, name, ("none frozen", title(name))))
    yield comparison_table(rows, "Frozen − none frozen, AUROC")


def _in_the_same_numbers(source: Source, name: str) -> str:
    """Compare with none frozen where both learnt in float32, or both in bfloat16; nothing where that is all sets."""
    numbers = [
        {chosen: {n for record in cell for n in record.numbers} for chosen, cell in source.records.of(method).items()}
        for method in (MAIN, name)
    ]
    shared = numbers[0].keys() & numbers[1].keys()
    alike = {chosen for chosen in shared if numbers[0][chosen] == numbers[1][chosen]}
    if not shared - alike:
        return ""
    first, second = (
        {chosen: v for chosen, v in source.records.metric(method, "auroc").items() if chosen in alike}
        for method in (MAIN, name)
    )
    result = compare(first, second)
    told = compared("none frozen", title(name), result, what=f"over the {result.n} sets where both are in the same")
    return f"On {len(shared - alike)} sets one was trained in float32, the other in bfloat16. {told}"
