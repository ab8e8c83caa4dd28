"""Training and test data: FASTA files, peaks on a genome, or a data folder with a manifest."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import SaresnetError
from saresnet_cli.genome import Genome
from saresnet_cli.sequences import read_fasta
from saresnet_train.codes import encode, reverse_complement
from saresnet_train.peaks import read_summits, summit_windows


class DataError(SaresnetError):
    """Training data that is not there, is empty or is not windows of 101 bp."""


@dataclass(frozen=True)
class DataSet:
    """One experiment of a data folder: where its files are, and what it is.

    name: `TF_CELL`, the folder's name; tier: the folder above it.
    """

    tier: str
    name: str
    tf: str
    cell: str
    folder: Path
    source: str = ""

    @property
    def train_positive(self) -> Path:
        """Bound windows to train on."""
        return self.folder / "train.positive.fa.gz"

    @property
    def test_positive(self) -> Path:
        """Bound windows to judge on; never trained, selected or calibrated on."""
        return self.folder / "test.positive.fa.gz"

    @property
    def test_negative(self) -> Path:
        """Shuffles of the bound windows to judge on."""
        return self.folder / "test.negative.fa.gz"


def read_manifest(data: Path | str, tiers: tuple[str, ...] = ()) -> list[DataSet]:
    """List the sets of a data folder in the order of its manifest.

    data: folder with `manifest.tsv` (columns tier, name, tf, cell, source, …)
    and a folder `tier/name/` a set. tiers: keep only these. Raises DataError.
    """
    path = Path(data) / "manifest.tsv"
    try:
        with path.open(newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        sets = [
            DataSet(r["tier"], r["name"], r["tf"], r["cell"], Path(data) / r["tier"] / r["name"], r.get("source") or "")
            for r in rows
        ]
    except FileNotFoundError as error:
        raise DataError("no such file", path=path, cure="--data takes a folder with a manifest.tsv") from error
    except (KeyError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"not a manifest ({error})", path=path, cure="it needs columns tier, name, tf, cell") from error
    unknown = set(tiers) - {s.tier for s in sets}
    if unknown or not sets:
        raise DataError(f"no sets of tier {', '.join(sorted(unknown)) or 'any'}", path=path)
    return [s for s in sets if not tiers or s.tier in tiers]


def find_set(data: Path | str, name: str) -> DataSet:
    """Return the set called `name` or `tier/name` in a data folder; raises DataError naming those there are."""
    sets = read_manifest(data)
    found = [s for s in sets if name in (s.name, f"{s.tier}/{s.name}")]
    if not found:
        raise DataError(
            f"no set {name!r}", path=Path(data) / "manifest.tsv", cure=f"one of {len(sets)}, such as {sets[0].name}"
        )
    return found[0]


def read_windows(path: Path | str, seed: int = 0, drop_short: int = 90) -> np.ndarray:
    """Read windows of 101 bp from a FASTA file, plain or gzip: (n, 101) uint8 base codes, in file order.

    A longer sequence gives its central 101 bases. A shorter one, of at least
    `drop_short`, is centred and filled with random bases (`seed`), so that
    length tells nothing. Raises DataError on a shorter one or an empty file.
    """
    rng = np.random.default_rng((seed, 7))
    rows: list[np.ndarray] = []
    for sequence in read_fasta(path):
        codes = encode(sequence.bases)
        missing = WINDOW - len(codes)
        if len(codes) < drop_short:
            raise DataError(
                f"sequence {sequence.name!r} has {len(codes)} bases", path=path, cure=f"windows have {WINDOW} bases"
            )
        if missing > 0:
            filler = rng.integers(0, 4, missing).astype(np.uint8)
            codes = np.concatenate([filler[: missing // 2], codes, filler[missing // 2 :]])
        elif missing < 0:
            codes = codes[-missing // 2 : -missing // 2 + WINDOW]
        rows.append(codes)
    if not rows:
        raise DataError("it has no sequences", path=path)
    return np.stack(rows)


def read_peaks(peaks: Path | str, genome: Path | str) -> np.ndarray:
    """Cut the window around each peak's summit, or its centre where it has none.

    peaks: BED or narrowPeak. Returns (n, 101) uint8 base codes in file order;
    a peak whose window leaves its chromosome is moved inside. Raises RegionError
    on a peak that is not on the genome, DataError when no window is left.
    """
    with Genome(genome) as fasta:
        found = read_summits(peaks, fasta)
        starts = summit_windows(found, fasta)
        kept = np.flatnonzero(starts >= 0)
        if not len(kept):
            raise DataError("it has no peaks", path=peaks)
        return read_starts(fasta, found.chrom[kept], starts[kept])


def read_starts(genome: Genome, chrom: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Read windows of a genome by their places, (n,) object and (n,) int64: (n, 101) uint8 base codes."""
    codes = np.empty((len(start), WINDOW), np.uint8)
    places = zip(chrom.tolist(), start.tolist(), strict=True)
    for row, (name, at) in enumerate(places):
        codes[row] = encode(genome.fetch(name, at, at + WINDOW))
    return codes


def distinct(codes: np.ndarray) -> np.ndarray:
    """Drop exact duplicates, on either strand: (n, length) uint8 -> (m, length), the first of each kept in order."""
    return codes[first_of_duplicates(codes)]


def first_of_duplicates(codes: np.ndarray) -> np.ndarray:
    """Return the indices of windows that are not, on either strand, one that came before: (m,) int64, ascending."""
    width = codes.shape[1]
    # a numpy string ends at a zero byte, so codes are counted from 1
    forward = np.ascontiguousarray(codes + 1).view(f"S{width}").ravel()
    backward = np.ascontiguousarray(reverse_complement(codes) + 1).view(f"S{width}").ravel()
    canonical = np.where(forward < backward, forward, backward)
    return np.sort(np.unique(canonical, return_index=True)[1])


def fingerprint(codes: np.ndarray) -> str:
    """Return a digest of windows and their order, by which a run knows its data again: 16 hexadecimal digits."""
    return hashlib.sha256(codes.tobytes()).hexdigest()[:16]
