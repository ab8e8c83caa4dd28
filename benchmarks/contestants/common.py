"""What the contestants share: their options, the windows they score, and the line they print."""

from __future__ import annotations

import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.genome import Genome
from saresnet_cli.windows import count_unknown, cut, window_starts

F = TypeVar("F", bound=Callable[..., Any])

MODEL = "CTCF_GM12878"
SHOWN = 8
"""Logits that a contestant prints, to show that it computes the same network."""


def piece_options(command: F) -> F:
    """Add --genome, --region, --stride and --windows: what is scored."""
    for option in (
        click.option("--windows", type=click.IntRange(1), help="Only the first so many windows."),
        click.option("--stride", type=click.IntRange(1), default=50, show_default=True),
        click.option("--region", default="20:10000000-13000000", show_default=True, help="CHROM:START-END, 0-based."),
        click.option("--genome", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True),
    ):
        command = option(command)
    return command


def threads_option(command: F) -> F:
    """Add --threads."""
    return click.option("--threads", type=click.IntRange(1), default=cores(), show_default=True)(command)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def read_bases(genome: Path, region: str) -> np.ndarray:
    """Return the bases of CHROM:START-END: (length,) uint8 ASCII in upper case."""
    name, span = region.rsplit(":", 1)
    start, end = (int(number) for number in span.replace(",", "").split("-"))
    with Genome(genome) as opened:
        return opened.fetch(opened.resolve(name), start, end)


def read_windows(genome: Path, region: str, stride: int, limit: int | None = None) -> np.ndarray:
    """Return the windows that `saresnet scan` scores there: (n, 101) uint8 ASCII, the first `limit`."""
    bases = read_bases(genome, region)
    starts = window_starts(0, len(bases), len(bases), stride)
    starts = starts[count_unknown(bases, starts) <= 0.1 * WINDOW]
    return cut(bases, starts[:limit])


class Stopwatch:
    """Seconds of the part that is measured, start-up left out."""

    seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add the time of a block."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - begun


def report(**figures: Any) -> None:
    """Print one line of JSON: windows, seconds and whatever else a contestant measured."""
    click.echo(json.dumps(figures))


def shown(logits: np.ndarray) -> list[float]:
    """Return the first logits as they are printed: (n,) float32 -> at most 8 numbers."""
    return [round(float(logit), 5) for logit in logits[:SHOWN]]


def skip(reason: str) -> NoReturn:
    """Print why this contestant can't be measured here, and end."""
    report(skip=reason)
    raise SystemExit(0)


def need(*packages: str) -> dict[str, str]:
    """Return the versions of packages by name; skip the contestant when one is not installed."""
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            skip(f"{name} is not installed: pip install -r benchmarks/requirements.txt")
    return versions
