"""Write what was measured into the documentation: `python benchmarks/table.py`; `--check` only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

import click

from figures import QUIET, Figures, Row

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"


@click.command(context_settings={"show_default": True})
@click.option("--results", type=click.Path(file_okay=False, path_type=Path), default=HERE / "results")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the page is not what the results give.")
def main(results: Path, page: Path, check: bool) -> None:
    """Write the results between the marks `NAME:begin` and `NAME:end` of a page: speed, variants, precision."""
    if not page.is_file():
        raise click.ClickException(f"{page}: no such file; it needs the lines {_mark('speed', 'begin')} and so on")
    old = new = page.read_text()
    for name, render in (("speed", render_speed), ("variants", render_variants), ("precision", render_precision)):
        text = render(results)
        if text:
            new = insert(new, name, text)
    if check:
        if new != old:
            click.echo(f"{page} is not what {results} gives: run python benchmarks/table.py", err=True)
            sys.exit(1)
        return
    page.write_text(new)


def insert(page: str, name: str, text: str) -> str:
    """Put text between the two marks of a page; raises click.ClickException when they are not there."""
    begin, end = _mark(name, "begin"), _mark(name, "end")
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise click.ClickException(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def render_speed(folder: Path) -> str:
    """Return the tables of speed.json, and of cuda.json where there is one; "" without results."""
    path, cuda = folder / "speed.json", folder / "cuda.json"
    if not path.exists():
        return ""
    figures = Figures(json.loads(path.read_text()))
    card = Figures(json.loads(cuda.read_text())) if cuda.exists() else None
    parts = [_machine(figures), _limits(figures), _network(figures), _peers(figures), _others(figures)]
    parts.append(_gpu(card or figures))
    targets = figures.targets()
    if card is not None:
        targets = [*targets[: -len(card.gpu_targets())], *card.gpu_targets()]
    rows = [[t.what, t.asked, t.measured, {True: "met", False: "**not met**", None: "–"}[t.met]] for t in targets]
    parts.append("### Targets\n\n" + _table(["", "asked", "measured", ""], rows))
    return "\n\n".join(part for part in parts if part)


def render_variants(folder: Path) -> str:
    """Return graph_variants.json as a table, a row a form, without the form's own settings; "" without it."""
    path = folder / "graph_variants.json"
    if not path.exists():
        return ""
    results = json.loads(path.read_text())
    race, machine = results["race"], results["machine"]
    busy = 100 * race["other_cpu_s"] / (race["wall_s"] * machine["cores"])
    note = f"{results['settings']['rounds']} turns each; other processes took {busy:.0f}% of the machine."
    rows = [
        [
            name,
            f"{form['windows_per_s']:,} ({form['lowest_and_highest'][0]:,}–{form['lowest_and_highest'][1]:,})",
            f"{form['ratio']:.2f}",
            f"{form['ratio_by_cpu']:.2f}",
            f"{form['largest_logit_difference']:.0e}",
            f"{max(form['auroc_change'].values(), key=abs):+.4f}" if "auroc_change" in form else "",
        ]
        for name, form in results["forms"].items()
    ]
    head = ["form", "windows/s (lowest–highest)", "ratio", "ratio by processor time", "logit differs by"]
    return f"{note}\n\n{_table([*head, 'largest change of AUROC'], rows)}"


def render_precision(folder: Path) -> str:
    """Return precision.json as a table, a row an engine and precision; "" without it."""
    path = folder / "precision.json"
    if not path.exists():
        return ""
    results = json.loads(path.read_text())
    rows = [
        [name, figures["not_run"], "", "", ""]
        if "not_run" in figures
        else [
            name,
            f"{figures['mean_auroc']:.5f}",
            f"{figures['mean_change']:+.5f}",
            f"{figures['largest_change']:+.5f}",
            f"{figures['largest_logit_difference']:.1e}",
        ]
        for name, figures in results["summary"].items()
    ]
    head = ["", "mean AUROC", "mean change", "largest change", "largest change of a logit"]
    return f"{len(results['models'])} models on their test files:\n\n{_table(head, rows)}"


def _machine(figures: Figures) -> str:
    results = figures.results
    machine, settings = results["machine"], results["settings"]
    start, end = settings["sizes"]["region"]
    versions = ", ".join(
        f"{name} {machine['versions'][name]}"
        for name in ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "numpy")  # one of the first two
        if name in machine["versions"]
    )
    lines = [
        f"Measured {results['ended'][:10]} on {machine['cores']} cores of {machine['cpu']} (family/model",
        f"{machine['cpu_family_model']}, {', '.join(machine['cpu_features'])}), {machine['memory_gb']:.0f} GB,",
        f"Python {machine['python']}, {versions}.",
        f"Windows: {settings['sequence']}:{start:,}–{end:,} of {settings['genome']} at stride",
        f"{settings['sizes']['stride']}{_count(figures)}, model {settings['model']}. Medians of {settings['repeats']}",
        "rounds (lowest–highest); in a round each contestant runs once, in a process of its own. Other processes took",
        f"at most {100 * figures.disturbance():.0f}% of the machine. The float32 logits that the contestants print",
        f"differ by at most {max(figures.difference(), 1e-5):.0e}.",
    ]
    if figures.disturbance() > QUIET:
        lines.append("\n**The machine was busy with other work: neither the rates nor the ratios can be relied on.**")
    return "\n".join(lines)


def _count(figures: Figures) -> str:
    counts = {
        run["windows"]
        for row in figures.group("network")
        if row.name.startswith(("engine", "scan"))
        for run in row.entry["runs"]
    }
    return f" ({' or '.join(f'{count:,}' for count in sorted(counts))} windows)" if counts else ""


def _limits(figures: Figures) -> str:
    limit = figures.limit()
    if limit is None:
        return ""
    flop = figures.rows["flops"]
    rows = []
    for row in figures.group("limit"):
        if row.measured:
            sizes = row.entry["runs"][0]["gflops"]
            cells = [f"{figures.gflops(row.name, size):.0f}" for size in sizes]
            rows.append([row.entry["what"], row.entry["runs"][0]["library"], *cells, str(row.entry["threads"])])
    text = (
        f"The limit (d) is the fastest of these. A window takes 2 × {flop.middle('flop') / 1e6:.2f} MFLOP for both\n"
        f"strands, products with padding left out (2 × {flop.middle('flop_padded') / 1e6:.2f} with them): the limit\n"
        f"is {limit:,.0f} windows/s."
    )
    columns = ["10⁹ operations/s", "library", "2048²", "4096²", "threads"]
    return f"### The limit\n\n{_table(columns, rows)}\n\n{text}"


def _network(figures: Figures) -> str:
    rows = []
    for row in figures.group("network"):
        if not row.measured:
            rows.append(_not_run(row, 6))
            continue
        ratio = figures.ratio(row.name, "naive")
        share = None if row.name.endswith("bfloat16") else figures.share(row.name)  # the limit is of float32
        what = row.entry["what"] + _setting(row)
        rows.append([what, _spread(row.rates()), _fixed(ratio), _fixed(share), *_costs(row)])
    columns = ["", "windows/s", "× (a)", "share of (d)", "threads", "peak MB", "start-up s"]
    text = (
        "Windows/s leaves out start-up (imports, opening the model, a first batch, the end of the process), which has\n"
        "a column of its own; `scan` counts from the first read to the last row."
    )
    return f"### The same network\n\n{_table(columns, rows)}\n\n{text}"


def _peers(figures: Figures) -> str:
    stride = figures.results["settings"]["sizes"]["stride"]
    rows = []
    for row in figures.group("peer"):
        if not row.measured:
            rows.append(_not_run(row, 5))
        elif "bases" in row.entry["runs"][0]:
            windows = [rate / stride for rate in row.rates()]
            rows.append([row.entry["what"], f"{row.rate() / 1e6:,.0f} Mb/s", _spread(windows), *_costs(row)])
        else:
            vectors = f"{row.middle('support_vectors'):.0f} support vectors"
            rows.append([row.entry["what"], vectors, _spread(row.rates()), *_costs(row)])
    columns = ["", "", "windows/s", "threads", "peak MB", "start-up s"]
    text = (
        "These are other models, not this network, cheaper and worse: a PWM (CTCF, JASPAR MA0139.1, both strands,\n"
        "hits at p-value 1e-4), whose windows/s are bases/s over the stride, and a gkm-SVM, whose cost grows with its\n"
        "support vectors."
    )
    return f"### Other models\n\n{_table(columns, rows)}\n\n{text}"


def _others(figures: Figures) -> str:
    rows = []
    for group in ("threads", "models", "startup", "memory"):
        for row in figures.group(group):
            if not row.measured:
                rows.append(_not_run(row, 5))
                continue
            rate = "" if group == "startup" else _spread(row.rates())
            wall = _spread(row.values("wall_s"), 2)
            rows.append([row.entry["what"], rate, wall, *_costs(row)[:2], f"{row.middle('cpu_s'):.1f}"])
    columns = ["`saresnet scan`", "windows/s", "from start to end, s", "threads", "peak MB", "processor s"]
    return f"### Threads, models, memory\n\n{_table(columns, rows)}"


def _gpu(figures: Figures) -> str:
    gpu = figures.results["machine"]["gpu"]
    rows = []
    for row in figures.group("gpu"):
        if row.measured:
            best = figures.ratio(row.name, f"cuda_loop_{row.name.rsplit('_', 1)[1]}")
            rows.append([row.entry["what"], _spread(row.rates()), _fixed(best), *_costs(row)[1:]])
    if not rows:
        return "### GPU\n\nNot run: no CUDA device."
    columns = ["", "windows/s", "× loop in memory", "peak MB", "start-up s"]
    return f"### GPU\n\nOn one {gpu}.\n\n{_table(columns, rows)}"


def _costs(row: Row) -> list[str]:
    threads = str(row.entry["threads"])
    return [threads, f"{row.middle('peak_mb'):.0f}", f"{row.startup():.1f}" if row.rates() else ""]


def _setting(row: Row) -> str:
    settings = sorted({str(run["setting"]) for run in row.entry["runs"] if "setting" in run})
    return f" ({'; '.join(settings)})" if settings else ""


def _spread(values: list[float], digits: int = 0) -> str:
    middle, low, high = median(values), min(values), max(values)
    if len(values) == 1:
        return f"{middle:,.{digits}f}"
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def _fixed(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _not_run(row: Row, cells: int) -> list[str]:
    return [row.entry["what"], f"not run: {row.entry.get('not_run', 'left out')}", *[""] * (cells - 1)]


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _mark(name: str, side: str) -> str:
    return f"<!-- {name}:{side} -->"


if __name__ == "__main__":
    main()
