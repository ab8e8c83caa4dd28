"""Compare called sites on chr20 with ENCODE's peaks, beside PWM calls: writes `call_chr20.tsv`.

    pip install pyjaspar lightmotif
    python docs/howto/call_chr20.py --data DATA --chr20 20.fa.gz --scan scan.bed.gz

The scan is that of `saresnet scan 20.fa.gz --tf CTCF --cell GM12878 --stride 20 -o scan.bed.gz`, and is made when
there is none. A site is right where its summit lies in a peak; a peak is found where a summit lies in it.
PWM calls are every place where a JASPAR matrix of CTCF has p < 1e-4 (lightmotif, both strands, even background), put
through the same merging as windows of 101 bp around the hit, best first, as many as there are sites of the model.

Columns: sites; right, precision: those in a peak; found, recall: peaks with a site; summit_bp: median distance of right
sites to the nearest summit of a peak (of GM12878 only the middle is known); either: share of sites in a peak of
any of the two cell types; windows, windows_right: how many passed, and the share whose middle lies in a peak.
"""

from __future__ import annotations

import math
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from saresnet_cli.calling import Cutoff, call_scan
from saresnet_cli.calling.qvalues import PValueCounts
from saresnet_cli.calling.scan_file import open_scan
from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.calling.sites import SiteFinder
from saresnet_cli.card import WINDOW
from saresnet_cli.formats.bed import BED_COLUMNS, bed_lines
from saresnet_cli.genome import Genome
from saresnet_cli.model import load_model
from saresnet_cli.output import open_output
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.regions import read_regions
from saresnet_cli.scanning import scan

MODEL, STRIDE = "CTCF_GM12878", 20
MATRICES = ("MA0139.1", "MA0139.2")  # 19 bp, and trimmed to 15 bp
PWM_PVALUE = 1e-4  # FIMO's default
CUTOFFS = {
    "default": Cutoff(),
    "p 1e-4": Cutoff(max_pvalue=1e-4),
    "p 5e-5": Cutoff(max_pvalue=5e-5),
    "p 2e-5": Cutoff(max_pvalue=2e-5),
    "q 0.5": Cutoff(max_qvalue=0.5),
    "q 0.3": Cutoff(max_qvalue=0.3),
    "q 0.2": Cutoff(max_qvalue=0.2),
    "q 0.1": Cutoff(max_qvalue=0.1),
}
COLUMNS = (
    "truth",
    "peaks",
    "caller",
    "cutoff",
    "sites",
    "right",
    "precision",
    "found",
    "recall",
    "summit_bp",
    "either",
    "windows",
    "windows_right",
)
CELLS = ("GM12878", "K562")


class Truth(NamedTuple):
    """Peaks of one cell type: start, end, and summit, the middle where the file has none."""

    start: np.ndarray
    end: np.ndarray
    summit: np.ndarray


class Called(NamedTuple):
    """Sites, best first."""

    summit: np.ndarray
    height: np.ndarray


def read_peaks(path: Path) -> Truth:
    """Read the peaks of chr20."""
    peaks = [r for r in read_regions(path) if r.chrom in ("chr20", "20")]
    summits = [(r.start + r.end) // 2 if r.summit is None else r.summit for r in peaks]
    return Truth(np.array([r.start for r in peaks]), np.array([r.end for r in peaks]), np.array(summits))


def ranked(summit: list[int], height: list[float]) -> Called:
    """Put sites in order, the best first, of equal ones the first on the chromosome."""
    order = np.argsort(-np.array(height), kind="stable")
    return Called(np.array(summit)[order], np.array(height)[order])


def pwm_sites(bases: str, matrix: str) -> Called:
    """Call sites by a matrix of JASPAR."""
    import lightmotif
    from pyjaspar import jaspardb

    motif = jaspardb().fetch_motif_by_id(matrix)
    counts = lightmotif.CountMatrix({base: [round(n) for n in motif.counts[base]] for base in "ACGT"})
    forward = counts.normalize(0.25).log_odds()
    striped = lightmotif.stripe(bases)
    best: dict[int, float] = {}
    for strand in (forward, forward.reverse_complement()):
        for hit in lightmotif.scan(strand, striped, threshold=forward.score(PWM_PVALUE)):
            best[hit.position] = max(hit.score, best.get(hit.position, -math.inf))
    start = np.array(sorted(best))
    score = np.array([best[position] for position in start.tolist()]) * math.log(2)  # bits to log-odds, as a logit
    start = np.clip(start + len(motif) // 2 - WINDOW // 2, 0, len(bases) - WINDOW)
    none = np.zeros(len(start), dtype=np.int64)
    finder = SiteFinder()
    found = finder.add(ScoredWindows(none, none, start, score, none.astype(np.float64))) + finder.finish()
    return ranked([site.summit for site in found], [site.logit for site in found])


def in_peaks(summit: np.ndarray, peaks: Truth) -> np.ndarray:
    """Return which summits lie in which peaks: (sites, peaks) bool."""
    inside: np.ndarray = (summit[:, None] >= peaks.start) & (summit[:, None] < peaks.end)
    return inside


def judge(called: Called, truth: Truth, every: Truth) -> list[str]:
    """Return the cells of a row: how many sites are right, how many peaks are found, how far off the summits are.

    every: peaks of all cell types, for the share of sites that lie in one of any. NA stands for what takes sites.
    """
    count = len(called.summit)
    if not count:
        return ["0", "0", "NA", "0", "0.0000", "NA", "NA"]
    inside = in_peaks(called.summit, truth)
    right, found = inside.any(axis=1), inside.any(axis=0)
    off = np.abs(called.summit[right, None] - truth.summit).min(axis=1)
    either = in_peaks(called.summit, every).any(axis=1)
    numbers = [f"{right.sum()}", f"{right.mean():.4f}", f"{found.sum()}", f"{found.mean():.4f}", f"{np.median(off):g}"]
    return [str(count), *numbers, f"{either.mean():.4f}"]


def read_windows(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the middles, logits, p-values and q-values of a scan's windows: four times (n,)."""
    counts = PValueCounts()
    with open_scan(path) as file:
        parts = [(rows.start + WINDOW // 2, rows.logit, rows.pvalue) for rows in file.windows()]
    middle, logit, pvalue = map(np.concatenate, zip(*parts, strict=True))
    counts.add(pvalue)
    values, qvalues = counts.qvalues()
    return middle, logit, pvalue, qvalues[np.searchsorted(values, pvalue)]


def judge_windows(middle: np.ndarray, truth: Truth) -> list[str]:
    """Return the last cells of a row: how many windows passed, and the share whose middle lies in a peak."""
    order = np.argsort(truth.start)
    reach = np.maximum.accumulate(truth.end[order])
    before = np.searchsorted(truth.start[order], middle, side="right") - 1
    right = (before >= 0) & (middle < reach[before])
    return [str(len(middle)), f"{right.mean():.4f}" if len(middle) else "NA"]


def make_scan(path: Path, chr20: Path) -> None:
    """Write the scan, as the command does."""
    model = load_model(MODEL)
    with scan(model, chr20, stride=STRIDE) as run, open_output(path) as out:
        out.write(ScanProvenance.of_scan([model], run.summary, STRIDE).header(BED_COLUMNS))
        for block in run:
            out.write(bed_lines(block, [model]))


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--chr20", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--scan", "scanned", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(data: Path, chr20: Path, scanned: Path) -> None:
    """Compare, and write the table."""
    truths = {cell: read_peaks(next((data / "chr20").glob(f"CTCF_{cell}.*"))) for cell in CELLS}
    if not scanned.exists():
        make_scan(scanned, chr20)
    with Genome(chr20) as genome:
        name = genome.resolve("chr20")
        bases = genome.fetch(name, 0, genome.lengths[name]).tobytes().decode()
    pwms = {matrix: pwm_sites(bases, matrix) for matrix in MATRICES}
    middle, logit, pvalue, qvalue = read_windows(scanned)
    passed: dict[str, np.ndarray] = {}
    named: dict[str, Called] = {}
    header = ""
    for words, cutoff in CUTOFFS.items():
        run = call_scan(scanned, cutoff=cutoff)
        header = header or run.header[0].rpartition(" threshold=")[0]
        sites = list(run)
        if cutoff.max_qvalue is not None:
            passed[words] = middle[qvalue <= cutoff.max_qvalue]
        elif cutoff.max_pvalue is not None:
            passed[words] = middle[pvalue <= cutoff.max_pvalue]
        else:
            passed[words] = middle[logit >= load_model(MODEL).card.threshold]
        named[words] = ranked([site.summit for site in sites], [site.logit for site in sites])
    for count in (len(truths["GM12878"].start), 500):
        named[f"best {count}"] = Called(*(column[:count] for column in named["default"]))
    rows: list[tuple[str, str, Called]] = []
    for words, called in named.items():
        rows.append((MODEL, words, called))
        count = len(called.summit)
        rows += [(matrix, f"best {count}", Called(*(c[:count] for c in pwm))) for matrix, pwm in pwms.items() if count]
    rows += [(matrix, f"p {PWM_PVALUE:g}", pwm) for matrix, pwm in pwms.items()]
    every = Truth(*map(np.concatenate, zip(*truths.values(), strict=True)))
    lines = [
        header,
        f"# pyjaspar {version('pyjaspar')}, lightmotif {version('lightmotif')}",
        "\t".join(COLUMNS),
    ]
    for cell, truth in truths.items():
        for caller, words, called in rows:
            windows = judge_windows(passed[words], truth) if caller == MODEL and words in passed else ["NA", "NA"]
            cells = [f"CTCF_{cell}", str(len(truth.start)), caller, words, *judge(called, truth, every), *windows]
            lines.append("\t".join(cells))
    Path(__file__).with_suffix(".tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
