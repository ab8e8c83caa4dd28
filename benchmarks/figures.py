"""Medians and ratios of what was measured, and the targets that they are held against."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

PEAK_MB = 700
GROWTH = 1.1
"""How much more memory a scan of a whole chromosome may take than one of 5 Mb, to be called not growing."""
STARTUP_S = 1.5
QUIET = 0.05
"""Share of the machine that other processes may take before a warning: threads that wait for each other lose most."""


@dataclass(frozen=True)
class Row:
    """What was measured of one contestant."""

    name: str
    entry: dict

    @property
    def measured(self) -> bool:
        """Whether there is any figure."""
        return bool(self.entry["runs"])

    def values(self, key: str) -> list[float]:
        """Return a figure of every round; empty where it is not told."""
        return [run[key] for run in self.entry["runs"] if key in run]

    def middle(self, key: str) -> float:
        """Return the median of a figure."""
        return median(self.values(key))

    def rates(self) -> list[float]:
        """Return windows, or bases, a second of every round, start-up left out."""
        return [run.get("windows", run.get("bases")) / run["seconds"] for run in self.entry["runs"] if "seconds" in run]

    def rate(self) -> float:
        """Return the median of the rates."""
        return median(self.rates())

    def startup(self) -> float:
        """Return the median of what a run takes beside what it measures: imports, model, first batch, end."""
        return median([run["wall_s"] - run["seconds"] for run in self.entry["runs"] if "seconds" in run])


@dataclass(frozen=True)
class Target:
    """A figure that is asked for. met: None where it was not measured."""

    what: str
    asked: str
    measured: str
    met: bool | None


class Figures:
    """All figures of a file of results, by the names of `plan.Plan`."""

    def __init__(self, results: dict) -> None:
        self.results = results
        self.rows = {name: Row(name, entry) for name, entry in results["jobs"].items()}

    def group(self, name: str) -> list[Row]:
        """Return the contestants of a group, in the order of a round."""
        return [row for row in self.rows.values() if row.entry["group"] == name]

    def has(self, *names: str) -> bool:
        """Whether all these were measured."""
        return all(name in self.rows and self.rows[name].measured for name in names)

    def rate(self, name: str) -> float:
        """Return the median rate of a contestant."""
        return self.rows[name].rate()

    def ratio(self, name: str, other: str) -> float | None:
        """Return the rate of one contestant over that of another; None where one was not measured."""
        return self.rate(name) / self.rate(other) if self.has(name, other) else None

    def gflops(self, name: str, size: str) -> float:
        """Return the median of 10^9 operations a second of a matrix product."""
        return median([run["gflops"][size] for run in self.rows[name].entry["runs"]])

    def limit(self) -> float | None:
        """Return the windows a second, both strands, at the rate of the fastest matrix product; None without one."""
        measured = [row for row in self.group("limit") if row.measured]
        if not measured or not self.has("flops"):
            return None
        best = max(self.gflops(row.name, size) for row in measured for size in row.entry["runs"][0]["gflops"])
        return best * 1e9 / (2 * self.rows["flops"].middle("flop"))

    def share(self, name: str) -> float | None:
        """Return the rate of a contestant over the limit."""
        limit = self.limit()
        return self.rate(name) / limit if limit and self.has(name) else None

    def difference(self) -> float:
        """Return the largest difference between the float32 logits of contestants that compute the same network."""
        shown = [
            run["logits"]
            for row in self.group("network")
            if not row.name.endswith("bfloat16")
            for run in row.entry["runs"]
            if "logits" in run
        ]
        return max((abs(a - b) for one in shown for a, b in zip(one, shown[0], strict=True)), default=0.0)

    def disturbance(self) -> float:
        """Return the largest share of the machine that other processes took in the median run of a job above 1 s."""
        cores = self.results["machine"]["cores"]
        shares = [
            median([run["other_cpu_s"] / (run["wall_s"] * cores) for run in row.entry["runs"]])
            for row in self.rows.values()
            if row.measured and row.entry["group"] != "prepare" and row.middle("wall_s") > 1
        ]
        return max(shares, default=0.0)

    def targets(self) -> list[Target]:
        """Return what was asked for beside what was measured."""
        found = []
        for engine, times, share in (("onnxruntime", 2.7, 0.62), ("openvino", 3.3, 0.78)):
            scan = f"scan_{engine}"
            found.append(_at_least(f"scan, {engine}, over (a)", times, self.ratio(scan, "naive")))
            found.append(_at_least(f"scan, {engine}, share of (d)", share, self.share(scan)))
        found.append(_at_least("scan, openvino, bfloat16, over (a)", 5, self.ratio("scan_bfloat16", "naive")))
        for engine in ("onnxruntime", "openvino", "bfloat16"):
            ratio = self.ratio(f"scan_{engine}", f"engine_{engine}")
            found.append(_at_least(f"scan over engine alone (b), {engine}", 0.95, ratio))
        for engine in ("onnxruntime", "openvino"):
            ratio = self.ratio(f"scan_{engine}", f"one_thread_{engine}")
            found.append(_at_least(f"all threads over one, {engine}", 1.9, ratio))
        for engine in ("onnxruntime", "openvino"):
            cost = self.ratio(f"one_model_{engine}", f"ten_models_{engine}")
            found.append(_at_most(f"ten models over one, time, {engine}", 10, cost, "×"))
        for engine in ("onnxruntime", "openvino"):
            peak = self._middle(f"whole_{engine}", "peak_mb")
            found.append(_at_most(f"peak memory, whole genome, {engine}", PEAK_MB, peak, " MB"))
            short = self._middle(f"short_{engine}", "peak_mb")
            growth = peak / short if peak and short else None
            found.append(_at_most(f"peak memory, whole genome over 5 Mb, {engine}", GROWTH, growth, "×"))
        for engine in ("onnxruntime", "openvino"):
            seconds = self._middle(f"startup_{engine}", "wall_s")
            found.append(_at_most(f"one region, from start to end, {engine}", STARTUP_S, seconds, " s"))
        return [*found, *self.gpu_targets()]

    def gpu_targets(self) -> list[Target]:
        """Return the part of the targets that needs a GPU."""
        return [
            _at_least(
                f"GPU: scan over loop in memory, {precision}",
                0.8,
                self.ratio(f"cuda_scan_{precision}", f"cuda_loop_{precision}"),
            )
            for precision in ("float32", "tf32")
        ]

    def _middle(self, name: str, key: str) -> float | None:
        return self.rows[name].middle(key) if self.has(name) else None


def _at_least(what: str, asked: float, got: float | None) -> Target:
    return Target(what, f"at least {asked:g}", _shown(got), None if got is None else got >= asked)


def _at_most(what: str, asked: float, got: float | None, unit: str) -> Target:
    return Target(what, f"at most {asked:g}{unit}", _shown(got, unit), None if got is None else got <= asked)


def _shown(value: float | None, unit: str = "") -> str:
    if value is None:
        return "not measured"
    return f"{value:.0f}{unit}" if value >= 100 else f"{value:.3g}{unit}"
