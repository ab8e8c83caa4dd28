"""Measure the shipped models, one file of results: `models/results.json` and the table in `models/results.tsv`.

    python train/measure_models.py --data DATA --chr20 20.fa.gz

On the fixed test files of the data folder (bound windows against their
shuffles), and, where the folder has peaks of the set on chr20, over the whole
of chr20: windows at stride 50 without N, bound where they cover a peak's summit
with 10 bp to spare, those that only touch a peak left out. What is in the file
for a model whose sha256 has not changed is not measured again.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from saresnet_cli.output import whole_file
from saresnet_cli.registry import Registry
from saresnet_train.data import read_manifest
from saresnet_train.evaluate import evaluate_genome, evaluate_windows, open_scorer

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
MATRICES = ROOT / "benchmarks" / "results" / "pwm_chr20.json"
"""AUPRC on chr20 of every JASPAR matrix of a factor, by `benchmarks/pwm_versions.py`."""

TIERS = ("encode", "gm12878", "pan")
"""The first is that of the global model, too."""

COLUMNS = ("auroc", "auprc", "accuracy", "precision", "recall", "f1")


RESULTS = MODELS / "results.json"


def read_results() -> dict:
    """Return what was measured so far, by model."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(name: str, measured: dict) -> None:
    """Add what was measured of a model to what other processes may have written meanwhile."""
    with whole_file(RESULTS, ".json") as part:
        part.write_text(json.dumps({**read_results(), name: measured}, indent=1, sort_keys=True) + "\n")


def pwm_auprc(name: str) -> str:
    """Return the AUPRC on chr20 of that JASPAR matrix of a model's factor which does best there, "" without any."""
    areas = json.loads(MATRICES.read_text())["auprc"].get(name)
    return f"{max(areas.values()):.4f}" if areas else ""


def write_table(names: list[str], tiers: dict[str, str]) -> None:
    """Write the results of these models as a table, and the means over each tier; forget other models.

    tiers: by name of the model; the global one has none.
    """
    results = {name: measured for name, measured in read_results().items() if name in names}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    lines = ["\t".join(["model", "tier", *COLUMNS, "chr20_auroc", "chr20_auprc", "chr20_pwm_auprc"])]
    for name in names:
        test, chr20 = results[name]["test"], results[name].get("chr20", {})
        cells = [f"{test[c]:.4f}" for c in COLUMNS]
        cells += [f"{chr20[c]:.4f}" if c in chr20 else "" for c in ("auroc", "auprc")]
        lines.append("\t".join([name, tiers.get(name, ""), *cells, pwm_auprc(name) if chr20 else ""]))
    for tier in TIERS:
        judged = [name for name in names if tiers.get(name) == tier]
        means = [f"{sum(results[name]['test'][c] for name in judged) / len(judged):.4f}" for c in COLUMNS]
        lines.append("\t".join([f"mean of {len(judged)}", tier, *means, "", "", ""]))
    (MODELS / "results.tsv").write_text("\n".join(lines) + "\n")


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--chr20", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="FASTA of hg19 chr20.")
@click.option("--only", "names", multiple=True, help="Only these models, and no table (repeatable).")
@click.option("--threads", type=int)
def main(data: Path, chr20: Path | None, names: tuple[str, ...], threads: int | None) -> None:
    """Measure the shipped models."""
    # a name that two tiers have is that of the first one's model
    sets = {s.name: s for tier in reversed(TIERS) for s in read_manifest(data, (tier,))}
    registry = Registry.read(MODELS)
    for entry in [registry.get(name) for name in names] or registry.entries:
        known = read_results().get(entry.id, {})
        if known.get("sha256") != entry.sha256:
            known = {"sha256": entry.sha256}
        peaks = sorted((data / "chr20").glob(f"{entry.id}.*"))
        with open_scorer(registry.path(entry), threads=threads) as score:
            if "test" not in known:
                chosen = read_manifest(data, TIERS[:1]) if entry.id == "global" else [sets[entry.id]]
                each = [evaluate_windows(score, s.test_positive, s.test_negative) for s in chosen]
                known["test"] = {c: sum(figures[c] for figures in each) / len(each) for c in (*COLUMNS, "loss")}
                save(entry.id, known)
            if chr20 is not None and peaks and "chr20" not in known:
                known["chr20"] = evaluate_genome(score, chr20, peaks[0])
                save(entry.id, known)
        click.echo(f"{entry.id}: {json.dumps({k: v for k, v in known.items() if k != 'sha256'})}", err=True)
    if not names:
        write_table([entry.id for entry in registry.entries], {name: s.tier for name, s in sets.items()})


if __name__ == "__main__":
    main()
