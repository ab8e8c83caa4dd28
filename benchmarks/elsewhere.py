"""Measure what the shipped models' background and the global model's training mean on other parts of the genome.

    python benchmarks/elsewhere.py --data DATA --chr20 20.fa.gz

Two things, into benchmarks/results/elsewhere.json; what is there is not measured again. How many windows of hg19 chr20,
every tenth of those at stride 50, have a p-value of at most 0.1, 0.01, 0.001, all and those of stretches of 10 kb with
little G and C; windows that touch a known peak are left out. And of how many peaks the middle 31 bases of the window at
the summit are, on either strand, in a window that the global model was trained on.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np

from saresnet_cli import load_model
from saresnet_cli.genome import Genome
from saresnet_cli.output import whole_file
from saresnet_train.benchmark.seen import in_windows
from saresnet_train.codes import OTHER, encode
from saresnet_train.data import read_manifest, read_starts
from saresnet_train.evaluate import open_scorer
from saresnet_train.genomic import label_windows
from saresnet_train.loci import hash_kmers
from saresnet_train.peaks import read_summits, summit_windows

OUTPUT = Path(__file__).parent / "results" / "elsewhere.json"
MODELS = ("CDX2_pan", "MEF2A_GM12878", "CTCF_GM12878", "GABPA_GM12878")
CUTS = (0.1, 0.01, 0.001)
TENTH, STRETCH, POOR = 10, 10_000, 0.40
KMER = 31
MIDDLE = slice(35, 35 + KMER)
END_OF_CHR22 = 44_000_000
CHR22 = "genome/hg19.chr22.partial.fa.gz"
FILE = click.Path(exists=True, path_type=Path)


@click.command()
@click.option("--data", type=FILE, required=True)
@click.option("--chr20", type=FILE, required=True, help="FASTA of hg19 chr20.")
def main(data: Path, chr20: Path) -> None:
    """Measure p-values on chr20, and which peaks the global model has seen."""
    found = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {"pvalues": {}, "seen": {}}
    for name in MODELS:
        if name not in found["pvalues"]:
            found["pvalues"][name] = pvalues(name, data, chr20)
            write(found)
    if not found["seen"]:
        found["seen"] = seen(data, chr20)
        write(found)


def write(found: dict) -> None:
    """Keep what is known so far."""
    with whole_file(OUTPUT, ".json") as part:
        part.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def pvalues(name: str, data: Path, chr20: Path) -> dict:
    """Return the shares of windows below p-values, and the share of G and C of chr20."""
    null = load_model(name).card.null
    assert null is not None, name  # noqa: S101
    peaks = next(iter(sorted((data / "chr20").glob(f"{name}.*"))), None)
    with Genome(chr20) as genome:
        whole = encode(genome.fetch("20", 0, genome.lengths["20"]))
    starts = np.arange(0, len(whole) - 100, 50 * TENTH)
    if peaks is not None:
        parts = label_windows(chr20, peaks, 50 * TENTH)
        starts = np.concatenate([part.start[part.labels == 0] for part in parts])
    codes = whole[starts[:, None] + np.arange(101)]
    kept = ~(codes == OTHER).any(axis=1)
    starts, codes = starts[kept], codes[kept]
    strong = np.add.reduceat(np.isin(whole, (1, 2)), np.arange(0, len(whole), STRETCH))
    known = np.add.reduceat(whole != OTHER, np.arange(0, len(whole), STRETCH))
    poor = (strong / np.maximum(known, 1) < POOR)[starts // STRETCH]
    with open_scorer(name, threads=1) as score:
        p = null.pvalue(score(codes))
    result = {
        "windows": len(p),
        "poor_windows": int(poor.sum()),
        "background_windows": null.windows,
        "gc_of_chr20": round(float(strong.sum() / known.sum()), 4),
        "share": {str(cut): round(float((p <= cut).mean()), 5) for cut in CUTS},
        "share_where_poor": {str(cut): round(float((p[poor] <= cut).mean()), 5) for cut in CUTS},
    }
    print(name, result, flush=True)
    return result


def seen(data: Path, chr20: Path) -> dict:
    """Return how many peaks of an experiment are in the training of the global model, by part of the genome."""
    middles = {}
    for part, folder, fasta in (("chr20", "chr20", chr20), ("chr22 to 44 Mb", "chr22", data / CHR22)):
        for peaks in sorted((data / folder).iterdir()):
            with Genome(fasta) as genome:
                summits = read_summits(peaks, genome)
                starts = summit_windows(summits, genome)
                kept = np.flatnonzero(starts >= 0)
                codes = read_starts(genome, summits.chrom[kept], starts[kept])
            whole = ~(codes == OTHER).any(axis=1)
            hashes = hash_kmers(codes[whole][:, MIDDLE], KMER).ravel()
            if folder == "chr22":  # what lies behind is in the training files, but was held out
                hashes = hashes[starts[kept][whole] < END_OF_CHR22]
            middles[part, peaks.name] = hashes
    looked_for = np.unique(np.concatenate(list(middles.values())))
    found = in_windows(looked_for, [each.train_positive for each in read_manifest(data)], KMER)
    result: dict[str, dict] = {}
    for (part, name), hashes in middles.items():
        known = found[np.searchsorted(looked_for, hashes)]
        result.setdefault(part, {})[name.split(".")[0]] = {"peaks": len(known), "seen": int(known.sum())}
    print(result, flush=True)
    return result


if __name__ == "__main__":
    main()
