"""Hard conditions that take minutes: `python tests/hard/run.py --genome 20.fa.gz --output hard.json`.

Each runs `saresnet` as a process and notes its time, its peak memory and what it said. `--only NAME` runs one; the rest
of the results file stays. What takes seconds is in the tests beside.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "hg19.chr20.part.fa"
CGROUP = Path("/sys/fs/cgroup")
LIMIT = 1 << 30
THREADS = "1"


def scan(*arguments: object, folder: Path, before: Callable[[], None] | None = None) -> dict[str, Any]:
    """Scan with the model of CTCF in GM12878; returns what it took and said."""
    command = [sys.executable, "-m", "saresnet_cli", "scan", *map(str, arguments), "--threads", THREADS]
    command += ["--tf", "CTCF", "--cell", "GM12878", "--device", "cpu"]
    begun = time.monotonic()
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(command, cwd=folder, stderr=said, stdout=subprocess.DEVNULL, preexec_fn=before)
        peak = 0
        while True:
            # ru_maxrss would not do: it begins with what this process holds when it forks.
            peak = max(peak, _peak_kb(process.pid))
            done, status, used = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = [line for line in said.read().splitlines() if "windows scored" in line or "error" in line]
    return {
        "exit": process.returncode,
        "wall_s": round(time.monotonic() - begun, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(peak / 1024),
        "said": lines[-1].replace(str(folder), "") if lines else "",
    }


def _peak_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def ten_million_regions(folder: Path, genome: Path | None) -> dict[str, Any]:
    """A BED of 10 million regions of 101 bp, sorted, on 60 kb: each window comes 167 times and is computed once."""
    starts = np.sort(np.random.default_rng(1).integers(0, 60_000 - 101, 10_000_000))
    with (folder / "regions.bed").open("w") as file:
        for begin in range(0, len(starts), 100_000):
            file.write("".join(f"chr20_part\t{s}\t{s + 101}\n" for s in starts[begin : begin + 100_000].tolist()))
    result = {"whole": scan(EXAMPLE, "regions.bed", "-o", "out.bed.gz", folder=folder)}
    result["shard_5000_of_10000"] = scan(EXAMPLE, "regions.bed", "--shard", "5000/10000", folder=folder)
    return result


def two_million_contigs(folder: Path, genome: Path | None) -> dict[str, Any]:
    """A FASTA of 2 million sequences of 50 to 109 bp, without an index: 15 in 100 give a window."""
    rng = np.random.default_rng(0)
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), 200_000_000)
    lengths = rng.integers(50, 110, 2_000_000)
    ends = np.cumsum(lengths).tolist()
    with (folder / "contigs.fa").open("wb") as file:
        for number, (length, end) in enumerate(zip(lengths.tolist(), ends, strict=True)):
            file.write(b">contig_%d\n%s\n" % (number, bases[end - length : end].tobytes()))
    result = {"index_and_scan": scan("contigs.fa", "-o", "out.bed.gz", folder=folder)}
    result["shard_500_of_1000"] = scan("contigs.fa", "--shard", "500/1000", folder=folder)
    return result


def one_gigabyte(folder: Path, genome: Path | None) -> dict[str, Any]:
    """All of chr20 in a control group that has 1 GB of memory and no swap; page cache counts there, too."""
    if genome is None:
        return {"skipped": "needs --genome"}
    group, set_limit, peak = _memory_group()
    if group is None:
        return {"skipped": "needs the right to make a control group"}
    try:
        set_limit()

        def enter() -> None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

        result = scan(genome, "--stride", "200", "-o", "out.bed.gz", folder=folder, before=enter)
        result["limit_mb"] = LIMIT >> 20
        result["peak_of_group_mb"] = round(int(peak().read_text()) / (1 << 20))
        return {"whole_chromosome": result}
    finally:
        group.rmdir()


def _memory_group() -> tuple[Path | None, Callable[[], object], Callable[[], Path]]:
    name = f"saresnet-hard-{os.getpid()}"
    for root, limit, peak in (
        (CGROUP / "memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
        (CGROUP, "memory.max", "memory.peak"),
    ):
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / limit).exists():
            return group, lambda g=group, f=limit: (g / f).write_text(str(LIMIT)), lambda g=group, f=peak: g / f  # type: ignore[misc]
        group.rmdir()
    return None, lambda: None, lambda: CGROUP


CONDITIONS = {f.__name__: f for f in (one_gigabyte, ten_million_regions, two_million_contigs)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", type=Path, help="all of chr20, hg19")
    parser.add_argument("--only", action="append", choices=CONDITIONS)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    results = json.loads(given.output.read_text()) if given.output.exists() else {}
    for name in given.only or CONDITIONS:
        with tempfile.TemporaryDirectory() as folder:
            found = CONDITIONS[name](Path(folder), given.genome and given.genome.resolve())
        load = [round(value, 1) for value in os.getloadavg()]
        what = CONDITIONS[name].__doc__
        results[name] = {"what": what, "python": platform.python_version(), "load": load, **found}
        given.output.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps({name: results[name]}, indent=1), flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
