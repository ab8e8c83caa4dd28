"""Measures how many variants a second are scored together, and one at a time, in several meanings, in one run.

    python docs/howto/variants_rate.py > docs/howto/variants_rate.json

Together: one `saresnet variants` process for all; or `score_variants`, the model open. One at a time: a process a
variant; a call a variant, the model open, with all its windows (what SpliceAI does); a call a window, the model open.
The variants are substitutions on examples/hg19.chr20.part.fa: "sparse", every 190 bases, or "dense", all three at each
of neighbouring bases. Rates are by the clock, and by seconds of processor time, which other work on the machine
changes less.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from saresnet_cli import Genome, load_model
from saresnet_cli.runtime import Runtime, available_threads
from saresnet_cli.scorer import Scorer
from saresnet_cli.variants import score_variants
from saresnet_cli.variants.allele_windows import AlleleWindows
from saresnet_cli.variants.alleles import Allele, AlleleReader, Variant
from saresnet_cli.windows import cut

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hg19.chr20.part.fa"
MODEL = "CTCF_GM12878"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--scale", type=float, default=1.0, help="how many variants, times the usual")
    options = parser.parse_args()
    runtime = Runtime(engine=options.engine, device=options.device, threads=options.threads)
    flags = ["--engine", options.engine, "--device", options.device]
    if options.threads:
        flags += ["--threads", str(options.threads)]
    report: dict[str, object] = {
        "machine": {
            "processor": processor(),
            "threads": options.threads or available_threads(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "model": MODEL,
    }
    with tempfile.TemporaryDirectory() as folder:
        genome = Path(folder) / EXAMPLE.name
        shutil.copy(EXAMPLE, genome)
        with Genome(genome) as opened, runtime.open([load_model(MODEL)]) as scorer:
            report["machine"] |= {"device": scorer.device, "batch_size": scorer.batch_size}  # type: ignore[operator]
            for windows, spacing in itertools.product(("covering", "centered"), ("sparse", "dense")):
                many = int((300 if windows == "covering" else 3000) * options.scale)
                variants = list(make(opened, spacing, many))
                report[f"{windows}, {spacing}"] = measure(variants, opened, scorer, runtime, windows, flags, folder)
    print(json.dumps(report, indent=1))


def make(genome: Genome, spacing: str, count: int) -> Iterable[Variant]:
    [name] = genome.names
    bases = genome.fetch(name, 0, genome.lengths[name]).tobytes().decode()
    if spacing == "dense":
        places = [(10_000 + i // 3, i % 3) for i in range(count)]
    else:
        # the later rounds take another base, so that no window comes twice
        places = [(200 + 190 * (i % 300) + i // 900, i // 300 % 3) for i in range(count)]
    for place, choice in places:
        yield Variant(name, place, bases[place], ("ACGT".replace(bases[place], "")[choice],))


def measure(
    variants: list[Variant],
    genome: Genome,
    scorer: Scorer,
    runtime: Runtime,
    windows: str,
    flags: list[str],
    folder: str,
) -> dict[str, object]:
    def together() -> None:
        with score_variants(MODEL, variants, genome, windows=windows, runtime=runtime) as blocks:
            for _ in blocks:
                pass

    alleles = [allele for v in variants for allele in AlleleReader(genome).read(v) if isinstance(allele, Allele)]
    plans = [AlleleWindows.of([allele], windows == "centered") for allele in alleles]

    def call_by_variant() -> None:
        for plan in plans[:by_variant]:
            plan.compare(scorer.logits(cut(plan.bases, plan.start)))

    def call_by_window() -> None:
        for plan in plans[:by_window]:
            for window in cut(plan.bases, plan.start):
                scorer.logits(window[None])

    def process_by_variant() -> None:
        for variant in variants[:4]:
            run_process([variant], genome, windows, flags, folder)

    by_variant, by_window = (30, 3) if windows == "covering" else (300, 150)
    rates = {
        "together, one process": rate(lambda: run_process(variants, genome, windows, flags, folder), len(variants)),
        "together, the model open": rate(together, len(variants)),
        "a process a variant": rate(process_by_variant, 4),
        "a call a variant": rate(call_by_variant, by_variant),
        "a call a window": rate(call_by_window, by_window),
    }
    return {
        "variants": len(variants),
        "rates": {name: {unit: float(f"{value:.4g}") for unit, value in each.items()} for name, each in rates.items()},
        "times_as_fast_together_as": {
            alone: {unit: round(rates[together][unit] / rates[alone][unit], 2) for unit in rates[alone]}
            for alone, together in (
                ("a process a variant", "together, one process"),
                ("a call a variant", "together, the model open"),
                ("a call a window", "together, the model open"),
            )
        },
    }


def rate(work: Callable[[], None], count: int) -> dict[str, float]:
    """Do work on `count` variants; return how many a second it did, by the clock and by processor time."""
    clock, cpu = time.perf_counter(), processor_seconds()
    work()
    return {
        "per_second": count / (time.perf_counter() - clock),
        "per_processor_second": count / (processor_seconds() - cpu),
    }


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run_process(variants: list[Variant], genome: Genome, windows: str, flags: list[str], folder: str) -> None:
    path = Path(folder) / "in.vcf"
    lines = [f"{v.chrom}\t{v.start + 1}\t.\t{v.ref}\t{v.alts[0]}\t.\t.\t.\n" for v in variants]
    path.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "".join(lines))
    command = [sys.executable, "-m", "saresnet_cli", "variants"]
    subprocess.run(
        [*command, path, genome.path, "--model", MODEL, "--windows", windows, *flags, "-o", f"{folder}/out.vcf", "-q"],
        check=True,
    )


def processor() -> str:
    with Path("/proc/cpuinfo").open() as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
