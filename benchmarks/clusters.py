"""Write what a human genome costs into docs/clusters.md, from the rates in results/speed.json.

`python benchmarks/clusters.py`; `--check` only compares. The rate of 64 cores was not measured: it is that of one
thread 64 times, which shards of a thread each come to where cores are alike. That of a GPU was not, and is left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from figures import Row
from table import insert

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "clusters.md"
BASES = 3_100_000_000
STRIDES = (101, 50, 10)
CORES = 64
ENGINES = {"onnxruntime": "onnxruntime", "openvino": "OpenVINO", "bfloat16": "OpenVINO, bfloat16"}


def duration(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"


def render(speed: dict) -> str:
    """Return the table as Markdown."""
    jobs = {name: Row(name, entry) for name, entry in speed["jobs"].items()}
    lines = [
        f"| stride | windows | engine | windows/s, 2 cores | 2 cores | {CORES} cores, computed | GPU |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for stride in STRIDES:
        windows = BASES / stride
        for engine, name in ENGINES.items():
            two = jobs[f"bgzf_{engine}"].rate()
            single = jobs.get(f"one_thread_{engine}")
            many = duration(windows / (single.rate() * CORES)) if single is not None and single.measured else "–"
            lines.append(
                f"| {stride} | {windows / 1e6:.0f} million | {name} | {two:,.0f} | {duration(windows / two)} | {many} "
                "| not measured |"
            )
    machine = speed["machine"]
    lines += [
        "",
        f"Rates: `benchmarks/results/speed.json`, {speed['begun'][:10]}, {machine['cores']} cores of {machine['cpu']}.",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the page is not what the results give.")
def main(check: bool) -> None:
    """Write the table."""
    old = PAGE.read_text()
    new = insert(old, "costs", render(json.loads((HERE / "results" / "speed.json").read_text())))
    if check:
        if new != old:
            click.echo(f"{PAGE} is not what speed.json gives: run python benchmarks/clusters.py", err=True)
            sys.exit(1)
        return
    PAGE.write_text(new)


if __name__ == "__main__":
    main()
