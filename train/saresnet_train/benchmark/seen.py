"""Which unbound windows of the genome the global networks have seen, as bound by another factor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from saresnet_cli.output import whole_file
from saresnet_train.data import DataError, DataSet, read_windows
from saresnet_train.loci import hash_kmers

SEEN = "seen.json"
"""The file among the results that says which they are."""
FORMAT = "saresnet-benchmark-seen-1"
STRETCH = 32
"""Bases in a row, on either strand, that two windows share of which one is said to be seen in the other."""

_FILTER = 26  # bits of a hash by which most are ruled out before they are looked up


def unbound_windows(chosen: DataSet) -> Path:
    """Return the file of a set's unbound windows of the genome, which need not be there."""
    return chosen.folder / "genomic.negative.fa.gz"


def seen_windows(sets: Iterable[DataSet], pooled: Iterable[Path]) -> dict[str, np.ndarray]:
    """Say of the unbound genomic windows of sets which share a stretch with a bound window that pre-trains.

    pooled: training files of the global networks. Returns (n,) bool by TIER/SET, in the order of the file, of those
    sets that have such windows; raises DataError on a file that can't be read.
    """
    hashes = {
        f"{each.tier}/{each.name}": hash_kmers(read_windows(unbound_windows(each)), STRETCH)
        for each in sets
        if unbound_windows(each).exists()
    }
    if not hashes:
        return {}
    looked_for = np.unique(np.concatenate([each.ravel() for each in hashes.values()]))
    found = in_windows(looked_for, pooled, STRETCH)
    return {name: np.any(found[np.searchsorted(looked_for, each)], axis=1) for name, each in hashes.items()}


def in_windows(looked_for: np.ndarray, files: Iterable[Path], k: int) -> np.ndarray:
    """Say which k-mers stand in windows of FASTA files: (n,) uint64 hashes (`hash_kmers`), ascending -> (n,) bool."""
    possible = np.zeros(1 << _FILTER, bool)
    possible[looked_for & np.uint64(len(possible) - 1)] = True
    found = np.zeros(len(looked_for), bool)
    for path in files:
        known = hash_kmers(read_windows(path), k).ravel()
        known = known[possible[known & np.uint64(len(possible) - 1)]]
        place = np.minimum(np.searchsorted(looked_for, known), len(looked_for) - 1)
        found[place[looked_for[place] == known]] = True
    return found


def write_seen(path: Path, seen: Mapping[str, np.ndarray]) -> None:
    """Write what `seen_windows` found as JSON: of each set the number of windows, and a bit of each, as hexadecimal."""
    sets = {
        name: {"windows": len(each), "seen": int(each.sum()), "bits": np.packbits(each).tobytes().hex()}
        for name, each in sorted(seen.items())
    }
    text = json.dumps({"format": FORMAT, "stretch": STRETCH, "sets": sets}, indent=1) + "\n"
    with whole_file(path, ".json") as part:
        part.write_text(text)


def read_seen(path: Path) -> dict[str, np.ndarray]:
    """Read what `write_seen` wrote, nothing where there is no file; raises DataError on a file that is another."""
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT or content["stretch"] != STRETCH:
            raise ValueError(content["format"])
        return {name: _unpack(each["bits"], each["windows"]) for name, each in content["sets"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        cure = "remove it, and `saresnet benchmark run` makes it again"
        raise DataError("it does not say which windows were seen", path=path, cure=cure) from error


def _unpack(bits: str, count: int) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8), count=count).astype(bool)
