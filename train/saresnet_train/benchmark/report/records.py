"""Reads a folder of results: the record of each cell, and what it says of a method on a set."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_train.benchmark.report.methods import ONLY
from saresnet_train.benchmark.seen import SEEN, read_seen

FORMAT = "saresnet-benchmark-1"
TIERS = {"encode": 31, "gm12878": 26}
"""Sets of each tier of the benchmark."""
POOL = "pool"
"""Tier of the record that keeps the scores of a global model on its validation windows."""
SIZES = ("small", "medium", "large")
SMALL, LARGE = 3_000, 30_000


class RecordError(SaresnetError):
    """A folder of results that has none, a file that is not a record, or records that are not of the same data."""


@dataclass(frozen=True, order=True)
class Set:
    """One set of the benchmark; training: its bound windows to train and validate on."""

    tier: str
    name: str
    training: int = field(default=0, compare=False)

    @property
    def size(self) -> str:
        """Its class by windows to train on, of both classes: small below 3,000, medium to 30,000, large above."""
        windows = 2 * self.training
        return "small" if windows < SMALL else "medium" if windows <= LARGE else "large"

    def __str__(self) -> str:
        return f"{self.tier}/{self.name}"


@dataclass(frozen=True)
class Record:
    """What one cell wrote. content: the JSON as it is; path: its file, which need not be there if it was computed."""

    method: str
    set: Set
    seed: int
    content: Mapping[str, Any]
    path: Path

    @property
    def scores_path(self) -> Path:
        """Its scores."""
        return self.path.with_suffix(".npz")

    def value(self, *keys: str) -> float | None:
        """Return a number by the keys that lead to it, such as "metrics", "forward", "auroc"; None if there is none."""
        found: Any = self.content
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) and math.isfinite(found) else None

    @property
    def numbers(self) -> tuple[str, ...]:
        """What its network was trained in, "float32" or "bfloat16"; nothing where the record does not tell."""
        told = self.content.get("precision") or (self.content.get("chosen") or {}).get("precision")
        return (str(told),) if told else ()

    def count(self, name: str) -> int:
        """Return one of its counts, 0 where there is none."""
        return int(self.value("counts", name) or 0)


class Records:
    """The records of a folder of results, by method and set.

    A value of a method on a set is the mean over its seeds. pretraining: seconds that each global network took.
    seen: by TIER/SET, (n,) bool, which unbound windows of the genome the global networks saw as bound.
    """

    def __init__(
        self,
        found: Iterable[Record],
        skipped: Mapping[tuple[str, str], str],
        pools: Iterable[Record],
        pretraining: Mapping[str, float] | None = None,
        seen: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.cells: dict[tuple[str, Set], tuple[Record, ...]] = {}
        for record in sorted(found, key=lambda r: (r.method, r.set, r.seed)):
            key = (record.method, record.set)
            self.cells[key] = (*self.cells.get(key, ()), record)
        self.skipped = dict(skipped)
        self.pretraining = dict(pretraining or {})
        self.seen = dict(seen or {})
        self.pools = {record.method: record for record in sorted(pools, key=lambda r: -r.seed)}

    def with_records(self, more: Iterable[Record]) -> Records:
        """Return these and more."""
        return Records([*self.all(), *more], self.skipped, self.pools.values(), self.pretraining, self.seen)

    def all(self) -> list[Record]:
        """Return every record that has metrics."""
        return [record for cell in self.cells.values() for record in cell]

    @cached_property
    def methods(self) -> frozenset[str]:
        """The methods that have any record."""
        return frozenset(method for method, _ in self.cells)

    @cached_property
    def sets(self) -> list[Set]:
        """The sets that any method has, tier by tier."""
        return sorted({chosen for _, chosen in self.cells})

    def of(self, method: str) -> dict[Set, tuple[Record, ...]]:
        """Return the records of a method by set."""
        return {chosen: cell for (name, chosen), cell in self.cells.items() if name == method}

    def impossible(self, method: str) -> set[str]:
        """Return the names, TIER/SET, of the sets that a method can't do."""
        return {where for name, where in self.skipped if name == method}

    def lacking(self, method: str) -> list[Set]:
        """Return the sets that a method is asked of, could do, and has no record of."""
        left_out = self.impossible(method)
        asked = self.asked_of(method)
        return [each for each in asked if (method, each) not in self.cells and str(each) not in left_out]

    def asked_of(self, method: str) -> list[Set]:
        """Return the sets that a method is asked of: all, but for a few methods."""
        return [each for each in self.sets if ONLY.get(method, each.size) == each.size]

    def values(self, method: str, *keys: str) -> dict[Set, float]:
        """Return a number of a method by set, the mean over seeds; sets where it is not defined are left out."""
        return {
            chosen: math.fsum(known) / len(known)
            for chosen, cell in self.of(method).items()
            if (known := [v for v in (record.value(*keys) for record in cell) if v is not None])
        }

    def metric(self, method: str, metric: str, strands: str = "forward") -> dict[Set, float]:
        """Return a metric of the test files, bound windows against their shuffles, by set."""
        return self.values(method, "metrics", strands, metric)


def read_records(folder: Path | str) -> Records:
    """Read `METHOD/TIER/SET/seedN.json` of a folder of results; folders with a dot in front are left out.

    Raises RecordError when there is none, on a file that is not a record, and when two records of a set were not made
    of the same data.
    """
    folder = Path(folder)
    found: list[Record] = []
    pools: list[Record] = []
    skipped: dict[tuple[str, str], str] = {}
    sets: dict[tuple[str, str], tuple[Set, tuple[int, int], Path]] = {}
    for path in sorted(folder.glob("*/*/*/seed*.json")):
        method, tier, name = path.relative_to(folder).parts[:3]
        if method.startswith("."):
            continue
        content = _read(path, method, tier, name)
        if "skipped" in content:
            skipped[method, f"{tier}/{name}"] = str(content["skipped"])
            continue
        chosen = Set(tier, name, _bound(content))
        record = Record(method, chosen, content["seed"], content, path)
        if tier == POOL:
            pools.append(record)
            continue
        tested = record.count("test_positives"), record.count("test_negatives")
        chosen, known, other = sets.setdefault((tier, name), (chosen, tested, path))
        if tested != known:
            cure = "remove the one that is not of this benchmark's data"
            raise RecordError(f"its numbers of test windows are not those of {other}", path=path, cure=cure)
        found.append(replace(record, set=chosen))
    if not found:
        raise RecordError(
            "it has no METHOD/TIER/SET/seed1.json", path=folder, cure="`saresnet benchmark run` makes them"
        )
    pretraining = {path.stem: _seconds(path) for path in sorted(folder.glob("pretrained/*.tsv"))}
    return Records(found, skipped, pools, pretraining, read_seen(folder / SEEN))


def _seconds(path: Path) -> float:
    """Return how long a training took, by its history."""
    try:
        with path.open(newline="") as lines:
            return sum(float(row["seconds"]) for row in csv.DictReader(lines, delimiter="\t"))
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError("it is not the history of a training", path=path, cure="remove it") from error


def _bound(content: Mapping[str, Any]) -> int:
    counts = content.get("counts") or {}
    return int(counts.get("train_positives") or counts.get("training", 0) + counts.get("validating", 0))


def _read(path: Path, method: str, tier: str, name: str) -> Mapping[str, Any]:
    cure = "remove it, and `saresnet benchmark run` makes it again"
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise RecordError("it can't be read as JSON", path=path, cure=cure) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("seed"), int):
        raise RecordError(f"it is not a record ({FORMAT})", path=path, cure=cure)
    if (content.get("method"), content.get("tier"), content.get("set")) != (method, tier, name):
        raise RecordError("it is the record of another cell than its folder says", path=path, cure=cure)
    if "skipped" not in content and not isinstance(content.get("metrics"), dict):
        raise RecordError("it has no metrics", path=path, cure=cure)
    return content
