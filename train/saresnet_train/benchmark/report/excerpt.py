"""The small table that another page quotes, between marks of its own."""

from __future__ import annotations

import re
from pathlib import Path

from saresnet_cli.errors import OutputError
from saresnet_cli.output import open_output
from saresnet_train.benchmark.report.document import Table
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.methods import LEARNING, MAIN, RIVALS, title
from saresnet_train.benchmark.report.published import SETS, TABLE_5
from saresnet_train.benchmark.report.statistics import mean_over_sets
from saresnet_train.benchmark.report.tables import ALL, BY_SIZE, Source

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
_GROUPS = (ALL, *BY_SIZE)


def excerpt(source: Source) -> Table:
    """Return the mean AUROC of each method that was run, over all sets and by size.

    The best comes first, and those that lack sets last, with n in brackets: their means are of other sets.
    """
    sizes = {group: sum(map(group.has, source.records.sets)) for group in _GROUPS}
    found = {}
    for method in source.present((*LEARNING, *RIVALS)):
        values = source.records.metric(method, "auroc")
        found[method] = [mean_over_sets(group.of(values)) for group in _GROUPS]
    rows = []
    for method, means in sorted(found.items(), key=lambda row: (row[1][0].n < sizes[ALL], -row[1][0].mean)):
        cells = [
            "–" if not mean.n else f"{mean.mean:.3f}" + (f" [{mean.n}]" if mean.n < size else "")
            for mean, size in zip(means, sizes.values(), strict=True)
        ]
        rows.append([title(method), *cells])
    told = TABLE_5[MAIN]
    rows.append([f"paper: {title(MAIN)}, its {SETS} sets", *(f"{told[group.title]:.3f}" for group in _GROUPS)])
    return Table("", ["mean AUROC", *(f"{group.title} ({size})" for group, size in sizes.items())], rows)


def quoted(page: str, source: Source) -> str:
    """Return a page with the table between its marks; raises ValueError where it has none."""
    table = markdown([excerpt(source)], "").strip()
    page, marks = re.subn(f"{BEGIN}\n.*?{END}", lambda _: f"{BEGIN}\n{table}\n{END}", page, flags=re.DOTALL)
    if marks != 1:
        raise ValueError(f"it has not one pair of {BEGIN} and {END}")
    return page


def quote(path: Path, source: Source) -> None:
    """Write the table into a page; raises OutputError where it has no marks, or can't be written."""
    try:
        page = quoted(path.read_text(), source)
    except (OSError, ValueError) as error:
        raise OutputError(f"can't take the table: {error}", path=path, cure=f"put {BEGIN} and {END} into it") from error
    with open_output(path) as out:
        out.write(page.encode())
