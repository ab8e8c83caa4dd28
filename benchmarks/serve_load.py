"""Loads `saresnet serve` on this machine: what it holds, and that it stays up when its limits are passed.

Everything goes over 127.0.0.1 to a server that this script starts and ends; requests are bounded in number.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from machine import busy_seconds, describe

ROOT = Path(__file__).resolve().parent.parent
MODEL = "CTCF_GM12878"
BASES = 2000
STRIDE = 10
PARAMETERS = {"model": MODEL, "stride": STRIDE}


def fasta(seed: int) -> str:
    """Return 2 kb of the example genome from a place that the seed names, none twice: what is sent is computed."""
    text = "".join((ROOT / "examples/hg19.chr20.part.fa").read_text().split("\n")[1:])
    start = int(np.random.default_rng(seed).integers(0, len(text) - BASES))
    return f">r{seed}\n{text[start : start + BASES]}\n"


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server on a free port; its process and address."""
    command = [sys.executable, "-m", "saresnet_cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tempfile.gettempdir())
    for line in process.stderr or ():
        found = re.search(r"serving on (\S+)/ until", line)
        if found:
            return process, found[1]
    raise SystemExit("the server did not start")


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Return the processor time that a process has used so far."""
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: subprocess.Popen[str]) -> float:
    """Return the memory of a process, in 10^6 bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return round(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024 / 1e6, 1)


def ask(url: str, content: str, **parameters: object) -> tuple[int, float]:
    """Send a request: its status, and seconds until the answer was there."""
    begun = time.perf_counter()
    answer = httpx.post(f"{url}/api/scan", params={**PARAMETERS, **parameters}, content=content, timeout=120)
    return answer.status_code, time.perf_counter() - begun


def round_of(url: str, process: subprocess.Popen[str], clients: int, requests: int, seed: int) -> dict:
    """Send requests from several clients at a time, each a sequence that was not sent before."""
    texts = [fasta(seed + i) for i in range(requests)]
    busy, used, begun = busy_seconds(), cpu_seconds(process), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda text: ask(url, text), texts))
    wall, used = time.perf_counter() - begun, cpu_seconds(process) - used
    milliseconds = np.array([seconds for status, seconds in answers if status == 200]) * 1e3
    return {
        "clients": clients,
        "requests": requests,
        "answered": len(milliseconds),
        "busy_429": sum(status == 429 for status, _ in answers),
        "wall_s": round(wall, 3),
        "requests_per_s": round(len(milliseconds) / wall, 2),
        "windows_per_s": round(len(milliseconds) * (1 + -(-(BASES - 101) // STRIDE)) / wall),
        "latency_ms": {f"p{q}": round(float(np.percentile(milliseconds, q)), 1) for q in (50, 95, 100)},
        "server_cpu_ms_a_request": round(1000 * used / requests, 1),
        "other_cpu_s": round(busy_seconds() - busy - used, 2),
    }


def past_limits(url: str, process: subprocess.Popen[str]) -> dict:
    """Pass every limit from many clients at once; what was answered, by status, and what the memory did."""
    before = resident_mb(process)
    large, long_sequence = ">x\n" + "A" * 3_000_000, ">x\n" + "ACGT" * 300_000
    kinds = [(large, {}), (long_sequence, {}), (fasta(0), {"stride": 0}), ("no FASTA", {}), (fasta(1), {})]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda i: ask(url, kinds[i % 5][0], **kinds[i % 5][1])[0], range(400)))
    return {
        "clients": 32,
        "requests": len(answers),
        "by_status": {str(status): answers.count(status) for status in sorted(set(answers))},
        "resident_mb": {"before": before, "after": resident_mb(process)},
        "afterwards": ask(url, fasta(2))[0],
        "still_runs": process.poll() is None,
    }


def main() -> None:
    """Measure, and write a file of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/serve_load.json")
    parser.add_argument("--requests", type=int, default=60, help="a round")
    options = parser.parse_args()
    load = float(Path("/proc/loadavg").read_text().split()[0])
    process, url = start("--jobs", "8")
    try:
        begun = time.perf_counter()
        ask(url, fasta(10**6))
        first = time.perf_counter() - begun
        rounds = [round_of(url, process, n, options.requests, 1000 * n) for n in (1, 2, 4, 8)]
        again = [ask(url, fasta(1000))[1] * 1e3 for _ in range(options.requests)]
        result = {
            "what": f"POST /api/scan, {BASES} bases, {MODEL}, stride {STRIDE}, JSON; 127.0.0.1, one server, --jobs 8",
            "machine": describe(),
            "load_average_before": load,
            "first_request_s": round(first, 3),
            "rounds": rounds,
            "asked_again_ms": {f"p{q}": round(float(np.percentile(again, q)), 1) for q in (50, 95)},
            "resident_mb": resident_mb(process),
            "past_limits": past_limits(url, process),
        }
    finally:
        process.terminate()
        process.communicate(timeout=30)
    result["exit_code"] = process.returncode
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))


if __name__ == "__main__":
    main()
