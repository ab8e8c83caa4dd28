"""Write the results of run.py and fuzz.py into docs/hard-conditions.md: `python tests/hard/page.py`."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "hard-conditions.md"
RESULTS = ROOT / "benchmarks" / "results"


def hard(results: dict) -> str:
    """Return the table of run.py as Markdown."""
    lines = ["| tried | | processor s | peak MB | it said |", "| --- | --- | --- | --- | --- |"]
    for entry in results.values():
        what = entry["what"]
        if "skipped" in entry:
            lines.append(f"| {what} | – | – | – | {entry['skipped']} |")
        for name, run in entry.items():
            if isinstance(run, dict):
                said = run["said"].removeprefix("saresnet: ").partition("; ")
                words = f"exit code {run['exit']}: {said[0]}"
                lines.append(f"| {what} | {name.replace('_', ' ')} | {run['cpu_s']} | {run['peak_mb']} | {words} |")
                what = ""
    machine = next(iter(results.values()))
    lines += [
        "",
        f"`benchmarks/results/hard.json`; one thread, Python {machine['python']}, on a machine with other work.",
    ]
    return "\n".join(lines)


def fuzzed(result: dict) -> str:
    """Return the line of fuzz.py as Markdown."""
    files = ", ".join(f"{count:,} {name}" for name, count in result["files"].items())
    return (
        f"The longest run so far, {result['seconds'] / 60:.0f} minutes: {files}; nothing but results and clean errors "
        f"(`benchmarks/results/fuzz.json`)."
    )


def render(page: str) -> str:
    """Return the page with what the results say between its marks."""
    for name, write in (("hard", hard), ("fuzz", fuzzed)):
        text = write(json.loads((RESULTS / f"{name}.json").read_text()))
        before, _, rest = page.partition(f"<!-- {name}:begin -->")
        _, _, after = rest.partition(f"<!-- {name}:end -->")
        page = f"{before}<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text()))
