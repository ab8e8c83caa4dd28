"""Scan hg19 chr20 with every JASPAR matrix of a factor, so that models are held against the best of them.

    python benchmarks/pwm_versions.py --data DATA --chr20 20.fa.gz

DATA is the data folder. Labels and windows are those of the models' scans (`train/measure_models.py`). Which matrix is
best is seen on chr20 itself: that is in the matrices' favour. Results go to benchmarks/results/pwm_chr20.json; sets
that are there are not scanned again.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from saresnet_cli.output import whole_file
from saresnet_train.baselines.pwm import RELEASE, find_matrices
from saresnet_train.benchmark.judging import peaks_on_chr20
from saresnet_train.benchmark.task import CannotBeDone
from saresnet_train.data import read_manifest
from saresnet_train.evaluate import evaluate_genome

OUTPUT = Path(__file__).parent / "results" / "pwm_chr20.json"
FILE = click.Path(exists=True, path_type=Path)


@click.command()
@click.option("--data", type=FILE, required=True)
@click.option("--chr20", type=FILE, required=True, help="FASTA of hg19 chr20.")
def main(data: Path, chr20: Path) -> None:
    """Scan chr20 with every matrix of the factors whose peaks there are known."""
    found = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {"release": RELEASE, "auprc": {}}
    for each in read_manifest(data, ("encode",)):
        peaks = peaks_on_chr20(each)
        if peaks is None or each.name in found["auprc"]:
            continue
        try:
            matrices = find_matrices(each.tf)
        except CannotBeDone:
            continue
        areas = {m.id: round(evaluate_genome(m.best_hits, chr20, peaks)["auprc"], 4) for m in matrices}
        found["auprc"][each.name] = areas
        print(each.name, areas, flush=True)
        with whole_file(OUTPUT, ".json") as part:
            part.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
