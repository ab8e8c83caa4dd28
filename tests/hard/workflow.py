"""Runs the Snakemake workflow, kills it half-way, resumes it, and compares every byte with an unbroken `saresnet scan`.

`python tests/hard/workflow.py --genome 20.fa.gz --bases 2000000 --output workflow.json` takes a part of a chromosome,
three models and two cores. It needs `snakemake` on the path, or `--snakemake FILE`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["CTCF_GM12878", "REST_GM12878", "YY1_H1-hESC"]


def run(
    genome: Path, folder: Path, snakemake: str = "snakemake", shards: int = 6, cores: int = 2, stride: int = 50
) -> dict[str, Any]:
    """Return what was killed when, and whether the results are those of one run, as JSON types.

    genome: FASTA; folder: empty. Raises RuntimeError where Snakemake fails.
    """
    config = {"genome": str(genome), "models": MODELS, "shards": shards, "stride": stride, "retries": 1}
    (folder / "config.json").write_text(json.dumps(config))
    command = [
        *(snakemake, "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory", str(folder)),
        *("--configfile", str(folder / "config.json"), "--cores", str(cores)),
    ]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    begun = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wanted = len(MODELS) * shards // 2
    shard_files = folder / "results" / "shards"
    while process.poll() is None and not (len(_done(shard_files)) >= wanted and _far(shard_files)):
        time.sleep(0.05)
    left = [path.name for path in shard_files.rglob(".*.part")]
    done = len(_done(shard_files))
    os.killpg(process.pid, signal.SIGKILL)
    said = process.communicate()[1]
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"Snakemake was not killed but ended:\n{said}")
    killed = time.monotonic() - begun
    half = [path.name for path in (folder / "results").glob("*.gz")]
    subprocess.run([*command, "--unlock"], env=environment, check=True, capture_output=True)
    begun = time.monotonic()
    resumed = subprocess.run(
        [*command, "--rerun-incomplete"], env=environment, capture_output=True, text=True, check=False
    )
    if resumed.returncode:
        raise RuntimeError(f"Snakemake failed:\n{resumed.stderr}")
    seconds = time.monotonic() - begun
    logs = "".join(path.read_text() for path in (folder / "results" / "logs").rglob("*.log"))
    equal = {}
    for model in MODELS:
        whole = folder / f"{model}.whole.bed.gz"
        scan = ["saresnet", "scan", str(genome), "--model", model, "--stride", str(stride), "-o", str(whole)]
        subprocess.run(scan, env=environment, check=True, capture_output=True)
        found = folder / "results" / f"{model}.bed.gz"
        equal[model] = gzip.decompress(found.read_bytes()) == gzip.decompress(whole.read_bytes())
    version = subprocess.run([snakemake, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "what": "Snakemake killed with SIGKILL half-way, then resumed",
        "command": shlex.join(["snakemake", "--snakefile", "workflow/Snakefile", "--cores", str(cores)]),
        "snakemake": version,
        "models": MODELS,
        "shards": shards,
        "stride": stride,
        "jobs_done_when_killed": done,
        "jobs_under_way_when_killed": len(left),
        "results_when_killed": half,
        "scans_gone_on_with": logs.count("is gone on with after"),
        "seconds_until_killed": round(killed, 1),
        "seconds_resumed": round(seconds, 1),
        "jobs_left_behind": [path.name for path in shard_files.rglob("*") if path.is_file()],
        "equal": equal,
    }


def _done(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.gz") if not path.name.startswith(".")]


def _far(folder: Path) -> bool:
    """Return whether a job is in the middle of its shard."""
    with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
        return any(path.read_bytes().count(b"\n") > 3 for path in folder.rglob(".*.journal"))
    return False


def part(genome: Path, begin: int, bases: int, output: Path) -> Path:
    """Write a part of the first sequence of a genome as FASTA."""
    from saresnet_cli import Genome

    with Genome(genome) as opened:
        name = opened.names[0]
        text = opened.fetch(name, begin, begin + bases).tobytes().decode()
    output.write_text(f">{name}\n" + "\n".join(text[i : i + 60] for i in range(0, bases, 60)) + "\n")
    return output


def main() -> None:
    """Run from the command line; exit code 1 where a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", type=Path, required=True)
    parser.add_argument("--begin", type=int, default=10_000_000)
    parser.add_argument("--bases", type=int, default=2_000_000)
    parser.add_argument("--shards", type=int, default=6)
    parser.add_argument("--snakemake", default="snakemake")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        genome = part(given.genome, given.begin, given.bases, Path(folder) / "genome.fa")
        result = run(genome, Path(folder), given.snakemake, given.shards)
    result["genome"] = f"{given.genome.name}:{given.begin}-{given.begin + given.bases}"
    text = json.dumps(result, indent=1)
    print(text)
    if given.output:
        given.output.write_text(text + "\n")
    sys.exit(not all(result["equal"].values()))


if __name__ == "__main__":
    main()
