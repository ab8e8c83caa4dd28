"""Measure saresnet and its peers in one run, round after round: `python benchmarks/run.py --genome 20.fa.gz`.

Every round measures each contestant once, so that a machine that gets slower or
faster does so for all alike. The results are written after each measurement; the
same command goes on where it was ended.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

import machine
from jobs import GROUPS, QUICK, Job, Sizes
from measure import measure
from plan import MODEL, Plan, program
from results_file import Results

HERE = Path(__file__).resolve().parent
GENOME = Path("/usr/share/doc/vt/examples/ref/20.fa.gz")
WORK = Path(tempfile.gettempdir()) / "saresnet-benchmarks"


@click.command(context_settings={"show_default": True})
@click.option("--genome", type=click.Path(dir_okay=False, path_type=Path), default=GENOME, help="FASTA file.")
@click.option("--sequence", default="20", help="Its chromosome that is scanned.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Data folder (gkm-SVM).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: benchmarks/results/speed.json]")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=WORK, help="For files on the way.")
@click.option("--repeats", type=click.IntRange(1), default=5, help="Rounds.")
@click.option("--only", multiple=True, help="Only contestants of this name or group (repeatable).")
@click.option("--quick", is_flag=True, help="Tiny sizes, one round: a trial, into WORK/quick/results.")
@click.option("--fresh", is_flag=True, help="Forget what was measured before.")
@click.option("--limit", type=float, default=900.0, help="Seconds after which a contestant is ended.")
@click.option("--list", "listing", is_flag=True, help="Print the contestants with their commands, and end.")
def main(
    genome: Path,
    sequence: str,
    data: Path | None,
    out: Path | None,
    work: Path,
    repeats: int,
    only: tuple[str, ...],
    quick: bool,
    fresh: bool,
    limit: float,
    listing: bool,
) -> None:
    """Measure saresnet and its peers."""
    if not genome.is_file():
        raise click.UsageError(f"there is no {genome}: apt-get install vt-examples, or give --genome")
    genome, work = genome.resolve(), work.resolve()
    data = data.resolve() if data else None
    sizes, repeats = (QUICK, 1) if quick else (Sizes(), repeats)
    if quick:
        work = work / "quick"
    out = out or (work if quick else HERE) / "results" / "speed.json"
    plan = Plan(genome, work, data, sequence, sizes)
    jobs = plan.jobs()
    chosen = _choose(jobs, only)
    if listing:
        for job in chosen:
            click.echo(f"{job.name}\t{job.group}\t{' '.join(job.command)}")
        return
    settings = {
        "genome": genome.name, "genome_bytes": genome.stat().st_size, "sequence": sequence,
        "model": MODEL, "threads": plan.threads, "repeats": repeats, "sizes": _plain(asdict(sizes)),
        "sources": _sources(),
    }  # fmt: skip
    described = machine.describe()
    try:
        results = Results.open(out, settings, described, fresh)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    names = {sys.executable: "python", program(): "saresnet", str(work): "WORK", str(genome): genome.name}
    results.enter(jobs, {**names, str(data): "DATA"})
    Runner(results, described["gpu"] is not None, data is not None, limit).run(chosen, repeats)


class Runner:
    """Measures jobs round by round; what fails, or lacks something, is named in the results and left out."""

    def __init__(self, results: Results, cuda: bool, data: bool, limit: float) -> None:
        self.results = results
        self.limit = limit
        self.lacking = {}
        if not cuda:
            self.lacking["cuda"] = "no CUDA device"
        if not data:
            self.lacking["data"] = "no --data folder to train it on"
        self.left_out: set[str] = set()

    def run(self, jobs: list[Job], repeats: int) -> None:
        """Measure what is made once and first, then every round, then what is measured once."""
        first = [job for job in jobs if job.group == "prepare"]
        rounds = [job for job in jobs if not job.once]
        last = [job for job in jobs if job.once and job.group != "prepare"]
        for job in first:
            if not self.results.runs(job) or (job.makes and not job.makes.exists()):
                self.measure(job, "prepare")
        for number in range(1, repeats + 1):
            for job in rounds:
                if self.results.runs(job) < number:
                    self.measure(job, f"round {number} of {repeats}")
        for job in last:
            if not self.results.runs(job):
                self.measure(job, "once")

    def measure(self, job: Job, when: str) -> None:
        """Measure one job and keep its figures."""
        if job.name in self.left_out:
            return
        if job.needs in self.lacking:
            trouble = self.lacking[job.needs]
        else:
            if job.makes:
                job.makes.unlink(missing_ok=True)  # a job that reads it must not meet an old one
            done = measure(job.command, HERE, job.without, self.limit, keep_output=not job.scan)
            if not done.trouble:
                self.results.add(job, done.figures)
                click.echo(
                    f"{when}: {job.name} {done.figures['wall_s']:.1f} s, {done.figures['peak_mb']:.0f} MB", err=True
                )
                return
            trouble = done.trouble
        click.echo(f"{when}: {job.name} not run: {trouble}", err=True)
        self.left_out.add(job.name)
        self.results.leave_out(job, trouble)


def _choose(jobs: list[Job], only: tuple[str, ...]) -> list[Job]:
    unknown = [name for name in only if name not in GROUPS and name not in {job.name for job in jobs}]
    if unknown:
        known = ", ".join([*GROUPS, *(job.name for job in jobs)])
        raise click.UsageError(f"there is no {', '.join(unknown)} among {known}")
    wanted = [job for job in jobs if not only or {job.name, job.group} & set(only)]
    read = {word for job in wanted for word in job.command}
    made = [job for job in jobs if job not in wanted and (job.name == "flops" or str(job.makes) in read)]
    return [*made, *wanted]


def _sources() -> str:
    """Return a digest of the code and the model that are measured, so that a changed one is not mixed with them."""
    digest = hashlib.sha256()
    wanted = [("saresnet_cli", "**/*.py"), ("saresnet_models", f"{MODEL}.onnx")]
    folders = [(Path(str(importlib.import_module(name).__file__)).parent, pattern) for name, pattern in wanted]
    for folder, pattern in [*folders, (HERE / "contestants", "*.py")]:
        for path in sorted(folder.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _plain(sizes: dict) -> dict:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in sizes.items()}


if __name__ == "__main__":
    main()
