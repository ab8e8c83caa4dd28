"""Whether this machine computes what we computed: stored windows, scored by every model, against stored logits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import ModelError
from saresnet_cli.model import Model, load_model
from saresnet_cli.registry.index import Entry
from saresnet_cli.registry.models import Registry
from saresnet_cli.runtime import Runtime, available_threads

FILE = "selftest.fa"
"""The stored windows, in the folder of the shipped models; made by `train/make_selftest.py`."""

TOLERANCE = {"float32": 5e-4, "tf32": 0.1, "float16": 0.1, "bfloat16": 0.5}
"""By how much a logit may differ. float32 differs by 2e-5 between engines, bfloat16 by 0.14 (benchmarks/precision.py);
tf32 and float16 have three bits more than bfloat16."""


@dataclass(frozen=True)
class Result:
    """How a model did.

    difference: the largest of a logit from the stored one, None where none could be computed; problem: what is
    wrong, None where all is well.
    """

    id: str
    difference: float | None
    problem: str | None = None


@dataclass
class Report:
    """What a self-test found.

    engine, precision, device: what computed; without: ids of models that have no logits stored for these windows.
    """

    engine: str = ""
    precision: str = ""
    device: str = ""
    results: list[Result] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[Result]:
        """Those models that are damaged, or don't compute what they should."""
        return [result for result in self.results if result.problem is not None]

    @property
    def tolerance(self) -> float:
        """By how much a logit may differ."""
        return TOLERANCE[self.precision]

    @property
    def largest(self) -> float:
        """The largest difference of all."""
        return max((result.difference for result in self.results if result.difference is not None), default=0.0)

    def __str__(self) -> str:
        count, wrong = len(self.results), len(self.wrong)
        what = f"{wrong} of {count} models do not compute" if wrong else f"{count} models compute"
        return (
            f"{what} what they should on {self.device or 'this machine'}, {self.precision} "
            f"(largest difference of a logit {self.largest:.1g}, allowed {self.tolerance:g})"
            + (f"; {len(self.without)} have no stored logits" if self.without else "")
        )


@lru_cache(maxsize=1)
def stored_windows() -> np.ndarray:
    """Return the stored windows: (n, 101) uint8 ASCII, read-only, as they stand, in either case.

    Raises ModelError when they are not installed.
    """
    try:
        text = (resources.files("saresnet_models") / FILE).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise ModelError(f"{FILE} is not installed", cure="install saresnet again") from error
    rows = [line for line in text.split(b"\n") if line and not line.startswith(b">")]
    if {len(row) for row in rows} != {WINDOW}:
        raise ModelError(f"does not hold windows of {WINDOW} bp", path=FILE, cure="install saresnet again")
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, WINDOW)


def digest(windows: np.ndarray) -> str:
    """Return what names a set of windows: 16 hexadecimal digits."""
    return hashlib.sha256(windows.tobytes()).hexdigest()[:16]


def describe(model: Model) -> dict[str, Any]:
    """Return what a model gives for the stored windows, as an index lists it (`Entry.selftest`).

    windows: their digest; logits: to five decimals, by onnxruntime in float32 on the CPU.
    """
    windows = stored_windows()
    with Runtime("onnxruntime", device="cpu", threads=1).open([model]) as scorer:
        logits = scorer.logits(windows)[:, 0]
    return {"windows": digest(windows), "logits": [round(float(logit), 5) for logit in logits]}


def selftest(
    runtime: Runtime | None = None,
    told: Callable[[Result], None] = lambda result: None,
    models: Sequence[str] = (),
) -> Report:
    """Score the stored windows with every model that is here, and compare the logits with the stored ones.

    runtime: what to compute with; told: is called with each result, in the order of the models; models: ids of those
    to test, default all. Raises DeviceError when what `runtime` asks for is not there, ModelError when a model is
    not here, or none has logits to compare with.
    """
    runtime = runtime or Runtime()
    report = Report(precision=runtime.precision)
    name = digest(stored_windows())
    registry = Registry.read()
    entries = []
    chosen = [registry.get(id) for id in models] or registry.entries
    for entry in {entry.id: entry for entry in chosen}.values():
        if entry.selftest.get("windows") == name:
            entries.append(entry)
        else:
            report.without.append(entry.id)
    for result in _checked(entries, runtime, report):
        report.results.append(result)
        told(result)
    if not report.results:
        raise ModelError("no model has logits to compare with: nothing was tested", cure="install saresnet again")
    return report


def _checked(entries: list[Entry], runtime: Runtime, report: Report) -> Iterator[Result]:
    """Compare models one after the other until one could be opened, and the rest side by side where that is a CPU."""
    left = iter(entries)
    for entry in left:
        yield _check(entry, runtime, report)
        if report.device:
            break
    if not report.device.startswith("CPU"):
        yield from (_check(entry, runtime, report) for entry in left)
        return
    # to open a model takes several times as long as its 64 windows, and is the work of one core
    one = replace(runtime, threads=1, device="cpu")
    with ThreadPoolExecutor(runtime.threads or available_threads()) as pool:
        yield from pool.map(lambda entry: _check(entry, one), left)


def _check(entry: Entry, runtime: Runtime, report: Report | None = None) -> Result:
    """Compare one model with the logits stored for it, and tell the report what computed it."""
    windows = stored_windows()
    try:
        model = load_model(entry.id)
        wanted = np.asarray(entry.selftest["logits"], np.float64).reshape(len(windows))
        with runtime.open([model]) as scorer:
            if report is not None:
                report.engine, report.device = scorer.engine, scorer.device
            logits = scorer.logits(windows)[:, 0]
        differences = np.abs(logits - wanted)
    except ModelError as error:
        return Result(entry.id, None, str(error))
    except (KeyError, ValueError, TypeError) as error:
        return Result(entry.id, None, f"its stored logits can't be read ({error})")
    if not np.isfinite(differences).all():
        return Result(entry.id, None, "its logits are no numbers")
    worst = int(np.argmax(differences))
    problem = None
    if differences[worst] > TOLERANCE[runtime.precision]:
        problem = f"window {worst + 1} has logit {logits[worst]:.5f}, not {wanted[worst]:.5f}"
    return Result(entry.id, float(differences[worst]), problem)
