"""Counts at how many sites of allele-specific CTCF binding the sign of the difference is right.

    python docs/howto/variants_allelic.py SHARED_DATA --genome chr20.fa.gz > docs/howto/variants_allelic.json

SHARED_DATA holds variants/ctcf_gm12878_allelic.tsv: 198 heterozygous sites of GM12878 (Shi et al. 2016), 100 bp each,
of which only the base at index 49 differs between the bound and the unbound allele. Each sequence gets 100 N on either
side, so that the windows that count are those with at most a tenth of N: the bound allele is REF, the unbound one
ALT, and a difference below 0 is right. For comparison, the best hit of a JASPAR matrix on both strands: among the
places that cover the site, as the windows of a model do, and among all of the 100 bp. SHARED_DATA also holds the
training files of the models: sites are counted apart that one of them covers. --genome: a chromosome on which sites are
looked up, to score them in their real surroundings as well. Needs pyjaspar.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import tempfile
from math import comb
from pathlib import Path

import numpy as np

from saresnet_cli import load_model
from saresnet_cli.runtime import Runtime
from saresnet_cli.variants import Variant, score_variants
from saresnet_train.benchmark.seen import in_windows
from saresnet_train.codes import encode
from saresnet_train.data import find_set, read_manifest
from saresnet_train.loci import hash_kmers

MODELS = ("CTCF_GM12878", "CTCF_Dnd41")
MATRIX = "MA0139.1"
OVER, ANYWHERE = f"{MATRIX}, over the site", f"{MATRIX}, anywhere"
THRESHOLDS = (0, 0.05, 0.1, 0.2, 0.3, 0.5)
NEGLIGIBLE = 0.1
TIE = 1e-9  # a sum of the same log-odds in another order
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
    pairs = list(zip(bound, unbound, strict=True))
    pwm = {
        OVER: np.array([best_hit(matrix, u, SITE) - best_hit(matrix, b, SITE) for b, u in pairs]),
        ANYWHERE: np.array([best_hit(matrix, u) - best_hit(matrix, b) for b, u in pairs]),
    }
    everyone = {**methods, **pwm}
    best = methods[f"{MODELS[0]}, covering"]
    # as many as the model calls, and as many as the matrix does
    called = [
        int(np.count_nonzero(np.abs(best) > NEGLIGIBLE)),
        int(np.count_nonzero(np.abs(pwm[ANYWHERE]) > TIE)),
    ]
    known = {name: seen(files, bound, unbound) for name, files in training_files(options.data).items()}
    report = {
        "sites": len(rows),
        "methods": {name: {f"{t:g}": count(change, t) for t in THRESHOLDS} for name, change in methods.items()},
        "pwm": {name: count(change, TIE) for name, change in pwm.items()},
        "only_one_is_right": sign_test(best, pwm[OVER]),
        "largest_differences": {
            str(number): {name: count_largest(change, number) for name, change in everyone.items()} for number in called
        },
        "sites_of_no_training_window": {
            files: {
                "sites": int(np.count_nonzero(~covered)),
                **{
                    name: {f"{t:g}": count(change[~covered], t) for t in (0, NEGLIGIBLE)}
                    for name, change in methods.items()
                },
                **{name: count(change[~covered], TIE) for name, change in pwm.items()},
            }
            for files, covered in known.items()
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


def count_largest(change: np.ndarray, number: int) -> dict[str, int]:
    """Count the right ones of so many sites, those with the largest differences.

    A matrix has equal differences; where some of these are one too many, it depends on which are taken.
    """
    size = np.abs(change)
    edge = np.sort(size)[-number]
    above, tied = change[size > edge + TIE], change[np.abs(size - edge) <= TIE]
    right, tied_right, taken = np.count_nonzero(above < 0), np.count_nonzero(tied < 0), number - len(above)
    least = right + max(0, taken - (len(tied) - tied_right))
    return {"sites": number, "right_at_least": int(least), "right_at_most": int(right + min(taken, tied_right))}


def sign_test(model: np.ndarray, matrix: np.ndarray) -> dict[str, float]:
    """Count the sites where only one of the two is right, and say how probable so uneven counts are by chance."""
    alone = [int(np.count_nonzero((one < -TIE) & (other > -TIE))) for one, other in ((model, matrix), (matrix, model))]
    tail = sum(comb(sum(alone), i) for i in range(max(alone), sum(alone) + 1)) / 2 ** sum(alone)
    return {"model": alone[0], "matrix": alone[1], "p": round(min(1, 2 * tail), 3)}


def log_odds() -> np.ndarray:
    """Return the JASPAR matrix as log2 odds against equal bases, (4, width), with a pseudocount of 0.8 a column."""
    from pyjaspar import jaspardb

    counts = jaspardb(release="JASPAR2024").fetch_motif_by_id(MATRIX).counts
    table = np.array([counts[base] for base in "ACGT"]) + 0.2
    return np.log2(table / table.sum(axis=0) / 0.25)


def best_hit(matrix: np.ndarray, text: str, site: int | None = None) -> float:
    """Return the score of the best place on either strand, among those that cover index `site` if it is given."""
    width, best = matrix.shape[1], []
    for strand, at in (
        (text, site),
        (text.translate(COMPLEMENT)[::-1], None if site is None else len(text) - 1 - site),
    ):
        near = strand if at is None else strand[max(0, at - width + 1) : at + width]
        codes = np.array(["ACGT".index(base) for base in near])
        places = np.lib.stride_tricks.sliding_window_view(codes, width)
        best.append(matrix[places, np.arange(width)].sum(axis=1).max())
    return float(max(best))


def training_files(data: Path) -> dict[str, list[Path]]:
    """Return the files that the model was trained on: its own set's, those of `--also`, the global model's."""
    both = [find_set(data, f"encode/{model}").train_positive for model in MODELS]
    every = [each.train_positive for each in read_manifest(data)]
    return {"own": both[:1], "own and CTCF_Dnd41": both, "all": every}


def seen(files: list[Path], bound: list[str], unbound: list[str]) -> np.ndarray:
    """Return at which sites either allele shares an exact 50-mer, on either strand, with a window of the files."""
    letters = [np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1) for texts in (bound, unbound)]
    hashes = np.concatenate([hash_kmers(encode(each), SHARED) for each in letters], axis=1)
    looked_for = np.unique(hashes)
    return np.any(in_windows(looked_for, files, SHARED)[np.searchsorted(looked_for, hashes)], axis=1)


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
        **count(change, NEGLIGIBLE),
        "same_sign_as_among_n": int(np.count_nonzero(np.sign(change) == np.sign(padded))),
        "differences": [round(value, 4) for value in change.tolist()],
        "differences_among_n": [round(value, 4) for value in padded.tolist()],
    }


if __name__ == "__main__":
    main()
