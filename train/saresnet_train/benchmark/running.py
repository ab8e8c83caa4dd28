"""Running the benchmark: cell after cell, as many at a time as there are cores, going on where it was ended."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import torch

from saresnet_cli.errors import SaresnetError
from saresnet_cli.runtime import available_threads
from saresnet_train.benchmark import pool
from saresnet_train.benchmark.cells import Cell, Results
from saresnet_train.benchmark.judging import judge, peaks_on_chr20, versions
from saresnet_train.benchmark.methods import METHODS
from saresnet_train.benchmark.networks import Global
from saresnet_train.benchmark.pretraining import provide
from saresnet_train.benchmark.seen import seen_windows, unbound_windows, write_seen
from saresnet_train.benchmark.task import CannotBeDone, Task
from saresnet_train.data import DataSet, read_manifest
from saresnet_train.hardware import Hardware
from saresnet_train.run import say_line

TIERS = ("encode", "gm12878")
"""The tiers that are judged; all tiers of the folder pre-train."""


@dataclass(frozen=True)
class Plan:
    """What is to be run, and where.

    data: data folder; results: where it goes; cells: in the order of running; genome: FASTA of the chromosome
    that some methods scan; device: "cpu" or "cuda"; jobs: cells at a time; threads: of each.
    """

    data: Path
    results: Results
    cells: tuple[Cell, ...]
    genome: Path | None = None
    device: str = "cpu"
    jobs: int = 1
    threads: int = 1


def plan(
    data: Path,
    out: Path,
    methods: Iterable[str] = (),
    sets: Iterable[str] = (),
    seeds: Iterable[int] = (1,),
    genome: Path | None = None,
    device: str = "auto",
    jobs: int | None = None,
    threads: int | None = None,
) -> Plan:
    """Return the plan of a run.

    methods: default all; sets: names, `TIER/NAME`, or tiers, default both tiers and "pool", what validated the global
    models. Cells go method by method, the smallest set first. Raises SaresnetError on one that there is not.
    """
    chosen = list(methods) or list(METHODS)
    unknown = [name for name in chosen if name not in METHODS]
    if unknown:
        raise SaresnetError(f"no method {', '.join(unknown)}", cure=f"there are {', '.join(METHODS)}")
    every = read_manifest(data, TIERS)
    wanted = list(sets) or [*TIERS, pool.TIER]
    absent = [w for w in wanted if w != pool.TIER and not any(w in _names(each) for each in every)]
    if absent:
        raise SaresnetError(f"no set {', '.join(absent)}", path=data / "manifest.tsv", cure="name it TIER/SET")
    named = [each for each in every if any(w in _names(each) for w in wanted)]
    named.sort(key=lambda each: each.train_positive.stat().st_size)
    cells = [Cell(m, s.tier, s.name, seed) for m in chosen for seed in seeds for s in named]
    if pool.TIER in wanted:
        cells += [pool.cell_of(m) for m in chosen if isinstance(METHODS[m].train, Global)]
    cores = available_threads()
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    jobs = jobs or (1 if device == "cuda" else cores)
    return Plan(data, Results(out), tuple(cells), genome, device, jobs, threads or max(1, cores // jobs))


def _names(chosen: DataSet) -> tuple[str, str, str]:
    return chosen.name, f"{chosen.tier}/{chosen.name}", chosen.tier


def missing(plan: Plan) -> list[Cell]:
    """Return the cells of a plan that have no record yet, or lack the scan that is asked for; raises DataError."""
    sets = {(s.tier, s.name): s for s in read_manifest(plan.data, TIERS)}
    return [cell for cell in plan.cells if not _done(plan, cell, sets.get((cell.tier, cell.name)))]


def _done(plan: Plan, cell: Cell, chosen: DataSet | None) -> bool:
    record = plan.results.read(cell)
    if record is None or chosen is None:
        return record is not None
    scan = _scans(plan, cell, chosen) and "skipped" not in record
    return not scan or record.get("chr20") is not None


def _scans(plan: Plan, cell: Cell, chosen: DataSet) -> bool:
    return plan.genome is not None and METHODS[cell.method].scanned and peaks_on_chr20(chosen) is not None


def run_all(plan: Plan, say: Callable[[str], None] = say_line) -> dict[str, int]:
    """Run the cells of a plan that are missing, and count what became of them: done, skipped, elsewhere, failed.

    A cell that another process works on is left to it. A cell that fails is named, and the others go on.
    """
    todo = missing(plan)
    say(f"{len(plan.cells)} cells, {len(todo)} to run; {plan.jobs} at a time, {plan.device}")
    _note_seen(plan)
    hardware = None
    for name in dict.fromkeys(METHODS[cell.method].pretrained for cell in todo):
        if name is not None:
            hardware = hardware or Hardware.find(plan.device, "auto", plan.jobs * plan.threads)
            provide(name, plan.data, plan.results, hardware, say)
    costs = {cell: _cost(plan, cell) for cell in todo}
    counts = dict.fromkeys(("done", "skipped", "elsewhere", "failed"), 0)
    began, left = time.monotonic(), sum(costs.values())
    total = left
    context = multiprocessing.get_context("spawn")
    workers = ProcessPoolExecutor(plan.jobs, mp_context=context, initializer=_end_with_parent)
    try:
        pending = {workers.submit(run_cell, plan, cell): cell for cell in todo}
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                cell = pending.pop(future)
                left -= costs[cell]
                what, line = future.result()
                counts[what] += 1
                spent = time.monotonic() - began
                remaining = spent * left / max(1e-9, total - left)
                say(f"{cell}: {line}; {len(pending)} left, about {_span(remaining)}")
    except BrokenProcessPool as error:
        raise SaresnetError("a process was killed, perhaps for memory", cure="try --jobs 1; it goes on") from error
    except BaseException:  # Ctrl-C, or the SIGTERM of a scheduler, which does not wait: the cells go on next time
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        workers.shutdown(cancel_futures=True)
    return counts


def _note_seen(plan: Plan) -> None:
    """Write, once, which unbound windows of the sets the global networks see, for the report to tell them apart."""
    if plan.results.seen.exists():
        return
    sets = read_manifest(plan.data)
    judged = [each for each in sets if each.tier in TIERS and unbound_windows(each).exists()]
    with plan.results.claim("seen", wait=True):
        if judged and not plan.results.seen.exists():
            write_seen(plan.results.seen, seen_windows(judged, [each.train_positive for each in sets]))


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: a kill would leave it training."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_cell(plan: Plan, cell: Cell) -> tuple[str, str]:
    """Run a cell, write its record, and say in a word and a line what became of it."""
    results = plan.results
    with results.claim(f"{cell.method}-{cell.tier}-{cell.name}-{cell.seed}") as ours:
        if not ours:
            return "elsewhere", "another process works on it"
        chosen = next((s for s in read_manifest(plan.data) if (s.tier, s.name) == (cell.tier, cell.name)), None)
        if _done(plan, cell, chosen):
            return "elsewhere", "another process has done it"
        try:
            return _run_pool(plan, cell) if chosen is None else _run(plan, cell, chosen)
        except SaresnetError as error:
            return "failed", str(error)


def _run(plan: Plan, cell: Cell, chosen: DataSet) -> tuple[str, str]:
    results, method = plan.results, METHODS[cell.method]
    folder = results.scratch(str(cell))
    folder.mkdir(parents=True, exist_ok=True)
    device = Hardware.find(plan.device, "auto", plan.threads).device
    head = {
        "method": cell.method, "tier": cell.tier, "set": cell.name, "tf": chosen.tf, "cell": chosen.cell,
        "seed": cell.seed, "command": command(cell, scan=_scans(plan, cell, chosen)),
    }  # fmt: skip
    task = Task.of(chosen, cell.seed, device, plan.threads, folder, results.models)
    began = time.perf_counter()
    try:
        outcome = method.train(task)
    except CannotBeDone as reason:
        results.write(cell, {**head, "skipped": str(reason), "versions": versions()})
        return "skipped", str(reason)
    seconds = round(time.perf_counter() - began, 3)
    record, scores = judge(task, outcome, plan.genome if _scans(plan, cell, chosen) else None)
    record["seconds"] = {"training": seconds, **record["seconds"]}
    results.write(cell, {**head, "device": device.type, "threads": plan.threads, **record}, scores)
    shutil.rmtree(folder, ignore_errors=True)
    figures = record["metrics"]["forward"]
    return "done", f"AUROC {figures['auroc']:.4f}, {seconds:.0f} s"


def _run_pool(plan: Plan, cell: Cell) -> tuple[str, str]:
    train = METHODS[cell.method].train
    if not isinstance(train, Global):
        raise SaresnetError(f"{cell.method} has no pool", cure="only a global model has one")
    hardware = Hardware.find(plan.device, "auto", plan.threads)
    record, scores = pool.judge_pool(train.load(plan.results.models, hardware), plan.data)
    head = {"method": cell.method, "tier": cell.tier, "set": cell.name, "seed": cell.seed, "command": command(cell)}
    plan.results.write(cell, {**head, "device": plan.device, "threads": plan.threads, **record}, scores)
    return "done", f"AUROC {record['metrics']['forward']['auroc']:.4f}"


def command(cell: Cell, scan: bool = False) -> str:
    """Return the command that runs a cell again; DATA, RESULTS and the genome are folders and files of yours."""
    where = cell.tier if cell.tier == pool.TIER else f"{cell.tier}/{cell.name}"
    words = f"saresnet benchmark run --data DATA --out RESULTS --methods {cell.method} --sets {where}"
    return f"{words} --seeds {cell.seed}" + (" --genome 20.fa.gz" if scan else "")


def _cost(plan: Plan, cell: Cell) -> float:
    """Return roughly what a cell costs, in core-seconds: a set has a part that does not grow with it."""
    if cell.tier == pool.TIER:
        return 200.0
    size = (plan.data / cell.tier / cell.name / "train.positive.fa.gz").stat().st_size / 30  # bytes a window
    return METHODS[cell.method].cost * (3 + size / 1000)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
