"""Counts at how many sites of allele-specific CTCF binding the sign of the difference is right.

    python docs/howto/variants_allelic.py SHARED_DATA --genome chr20.fa.gz > docs/howto/variants_allelic.json

SHARED_DATA holds variants/ctcf_gm12878_allelic.tsv: 198 heterozygous sites of GM12878 (Shi et al. 2016), 100 bp each,
of which only the base at index 49 differs between the bound and the unbound allele. Each sequence gets 100 N on either
side, so that the windows that count are those with at most a tenth of N: the bound allele is REF, the unbound one
ALT, and a difference below 0 is right. For comparison, the best hit of a JASPAR matrix on both strands. --genome: a
chromosome on which sites are looked up, to score them in their real surroundings as well. Needs pyjaspar.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import tempfile
from pathlib import Path

import numpy as np

from saresnet_cli import load_model
from saresnet_cli.runtime import Runtime
from saresnet_cli.variants import Variant, score_variants

MODELS = ("CTCF_GM12878", "CTCF_Dnd41")
MATRIX = "MA0139.1"
THRESHOLDS = (0, 0.05, 0.1, 0.2, 0.3, 0.5)
SITE, FLANK, SHARED = 49, 100, 50
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--genome", type=Path)
    options = parser.parse_args()
    with (options.data / "variants" / "ctcf_gm12878_allelic.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    bound = [row["bound_allele_sequence"] for row in rows]
    unbound = [row["unbound_allele_sequence"] for row in rows]
    methods = {}
    for mode in ("covering", "centered"):
        changes = score(bound, unbound, mode)
        for column, model in enumerate(MODELS):
            methods[f"{model}, {mode}"] = changes[:, column]
        methods[f"mean of both, {mode}"] = changes.mean(axis=1)
    matrix = log_odds()
    pwm = np.array([best_hit(matrix, u) - best_hit(matrix, b) for b, u in zip(bound, unbound, strict=True)])
    unseen = ~seen(options.data / "encode" / "CTCF_GM12878" / "train.positive.fa.gz", bound, unbound)
    called = int(np.count_nonzero(np.abs(pwm) > 1e-9))
    report = {
        "sites": len(rows),
        "pwm": {"matrix": MATRIX, **count(pwm, 1e-9)},
        "shown": ["0", "0.1"],
        "shown_methods": [f"CTCF_GM12878, {mode}" for mode in ("covering", "centered")],
        "methods": {name: {f"{t:g}": count(change, t) for t in THRESHOLDS} for name, change in methods.items()},
        "at_the_number_of_sites_the_pwm_calls": {
            name: count(change, float(np.sort(np.abs(change))[-called - 1])) for name, change in methods.items()
        },
        "sites_of_no_training_window": {
            "sites": int(unseen.sum()),
            **{name: count(change[unseen], 0.1) for name, change in methods.items()},
        },
    }
    if options.genome:
        report["in_the_genome"] = located(options.genome, bound, unbound, methods)
    print(json.dumps(report, indent=1))


def score(bound: list[str], unbound: list[str], windows: str) -> np.ndarray:
    """Return the difference, unbound less bound, (sites, models), of sites that have N around them."""
    flank = "N" * FLANK
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sites.fa"
        path.write_text("".join(f">{i}\n{flank}{bases}{flank}\n" for i, bases in enumerate(bound)))
        variants = [
            Variant(str(i), FLANK + SITE, b[SITE], (u[SITE],))
            for i, (b, u) in enumerate(zip(bound, unbound, strict=True))
        ]
        return differences(variants, path, windows)


def differences(variants: list[Variant], genome: Path, windows: str) -> np.ndarray:
    models = [load_model(model) for model in MODELS]
    with score_variants(models, variants, genome, windows=windows, runtime=Runtime(device="cpu")) as blocks:
        return np.concatenate([block.delta for block in blocks])


def count(change: np.ndarray, threshold: float) -> dict[str, float]:
    """Count sites where the unbound allele scores lower, higher, or within the threshold."""
    right, wrong = int(np.count_nonzero(change < -threshold)), int(np.count_nonzero(change > threshold))
    share = round(right / (right + wrong), 4) if right + wrong else float("nan")
    return {"right": right, "wrong": wrong, "negligible": len(change) - right - wrong, "share_right": share}


def log_odds() -> np.ndarray:
    """Return the JASPAR matrix as log2 odds against equal bases, (4, width), with a pseudocount of 0.8 a column."""
    from pyjaspar import jaspardb

    counts = jaspardb(release="JASPAR2024").fetch_motif_by_id(MATRIX).counts
    table = np.array([counts[base] for base in "ACGT"]) + 0.2
    return np.log2(table / table.sum(axis=0) / 0.25)


def best_hit(matrix: np.ndarray, text: str) -> float:
    best = []
    for strand in (text, text.translate(COMPLEMENT)[::-1]):
        codes = np.array(["ACGT".index(base) for base in strand])
        places = np.lib.stride_tricks.sliding_window_view(codes, matrix.shape[1])
        best.append(matrix[places, np.arange(matrix.shape[1])].sum(axis=1).max())
    return float(max(best))


def seen(path: Path, bound: list[str], unbound: list[str]) -> np.ndarray:
    """Return at which sites either allele shares an exact 50-mer with a window that the model was trained on."""
    known = set()
    with gzip.open(path, "rt") as file:
        for line in file:
            if not line.startswith(">"):
                for text in (line.strip().upper(), line.strip().upper().translate(COMPLEMENT)[::-1]):
                    known.update(words(text))
    return np.array([bool((words(b) | words(u)) & known) for b, u in zip(bound, unbound, strict=True)])


def words(text: str) -> set[str]:
    return {text[i : i + SHARED] for i in range(len(text) - SHARED + 1)}


def located(genome: Path, bound: list[str], unbound: list[str], methods: dict[str, np.ndarray]) -> dict[str, object]:
    """Score the sites that are on this chromosome where they lie, and compare with the same among N."""
    with gzip.open(genome, "rt") as file:
        name, *lines = file.read().split("\n")
    chromosome = "".join(lines).upper()
    variants, sites, signs = [], [], []
    for site, alleles in enumerate(zip(bound, unbound, strict=True)):
        for own, other, sign in ((alleles[0], alleles[1], 1), (alleles[1], alleles[0], -1)):
            start = chromosome.find(own)
            if start >= 0:
                variants.append(Variant(name[1:].split()[0], start + SITE, own[SITE], (other[SITE],)))
                sites.append(site)
                signs.append(sign)
    change = differences(variants, genome, "covering")[:, 0] * np.array(signs)
    padded = methods[f"{MODELS[0]}, covering"][sites]
    return {
        "sites": len(sites),
        "model": MODELS[0],
        **count(change, 0.1),
        "same_sign_as_among_n": int(np.count_nonzero(np.sign(change) == np.sign(padded))),
        "differences": [round(value, 4) for value in change.tolist()],
        "differences_among_n": [round(value, 4) for value in padded.tolist()],
    }


if __name__ == "__main__":
    main()
