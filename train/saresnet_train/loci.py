"""Loci: windows that share sequence belong together, so that none is judged on what it was trained on."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from saresnet_train.codes import OTHER, reverse_complement

SHARED = 50
"""Windows that share an exact stretch of this many bases, on either strand, are one locus."""

_BASE = np.uint64(0x9E3779B97F4A7C15)


def _raise(exponent: int) -> np.uint64:
    return np.uint64(pow(int(_BASE), exponent, 1 << 64))


def hash_kmers(codes: np.ndarray, k: int) -> np.ndarray:
    """Return strand-neutral hashes of all k-mers: (n, length) uint8 -> (n, length - k + 1) uint64.

    A k-mer and its reverse complement have the same hash (the smaller of the
    two polynomial hashes modulo 2^64).
    """

    def forward(rows: np.ndarray) -> np.ndarray:
        count = rows.shape[1] - k + 1
        power = rows.astype(np.uint64) + np.uint64(1)  # hashes of all 2^i-mers, doubled each round
        hashes, done, length = np.zeros((len(rows), count), np.uint64), 0, 1
        with np.errstate(over="ignore"):
            while True:
                if k & length:
                    hashes = hashes * _raise(length) + power[:, done : done + count]
                    done += length
                if done == k:
                    return hashes
                power = power[:, :-length] * _raise(length) + power[:, length:]
                length *= 2

    return np.minimum(forward(codes), forward(reverse_complement(codes))[:, ::-1])


def group_by_locus(codes: np.ndarray, block: int = 50_000) -> np.ndarray:
    """Return the locus of each window: (n, length) uint8 codes -> (n,) int32 labels from 0.

    Two windows that share an exact 50-mer on either strand, directly or through
    others, have the same label.
    """
    from scipy.sparse import coo_matrix  # slow to load
    from scipy.sparse.csgraph import connected_components

    count = len(codes)
    per_row = codes.shape[1] - SHARED + 1
    hashes = np.empty(count * per_row, np.uint64)
    for at in range(0, count, block):
        part = codes[at : at + block]
        rows = hash_kmers(part, SHARED)
        rows[(part == OTHER).any(axis=1)] = 0
        hashes[at * per_row : at * per_row + rows.size] = rows.ravel()
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    same = (ranked[1:] == ranked[:-1]) & (ranked[1:] != 0)
    rows = (order // per_row).astype(np.int32)
    left, right = rows[:-1][same], rows[1:][same]
    links = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    return connected_components(links, directed=False)[1]


def split_by_locus(codes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split windows into training and validation so that no locus is in both.

    codes: (n, length) uint8. share: part of the windows that goes to validation.
    Returns two sorted int64 index arrays.
    """
    loci = group_by_locus(codes)
    sizes = np.bincount(loci)
    order = np.random.default_rng((seed, 1)).permutation(len(sizes))
    order = order[sizes[order] <= share * len(codes)]  # one vast locus would leave nothing to validate on
    chosen = order[np.cumsum(sizes[order]) <= round(share * len(codes))]
    held = np.isin(loci, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)


class Bases(Protocol):
    """Base codes by position: an array, or a genome that unpacks what is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


def locate(
    windows: np.ndarray, genome: Bases, span: tuple[int, int] | None = None, k: int = 31, block: int = 32_768
) -> np.ndarray:
    """Find where the middle of each window stands in a genome, on either strand.

    windows: (n, length) uint8 codes; genome: uint8 codes of one strand; span: the part of it to look in,
    default all. Returns (n,) int64, the start of the middle k-mer in the genome, -1 where it
    is not there; a k-mer that stands there more than once gives one of its places.
    """
    first = (windows.shape[1] - k) // 2
    middle = windows[:, first : first + k]
    wanted = hash_kmers(middle, k)[:, 0]
    wanted[(middle == OTHER).any(axis=1)] = 0
    order = np.argsort(wanted)
    ranked = wanted[order]
    found = np.full(len(windows), -1, np.int64)
    # all but one k-mer of the genome in some hundred are left out by a look at the low bits of their hashes
    low_bits = np.uint64((1 << max(12, (100 * len(ranked)).bit_length())) - 1)
    likely = np.zeros(int(low_bits) + 1, bool)
    likely[ranked & low_bits] = True
    low, high = span or (0, len(genome))
    for at in range(low, max(low, high - k + 1), block):
        part = genome[at : min(at + block + k - 1, high)]
        if (part == OTHER).all():
            continue
        hashes = hash_kmers(part[None], k)[0]
        places = np.flatnonzero(likely[hashes & low_bits] & (hashes != 0))
        rank = np.searchsorted(ranked, hashes[places])
        hits = ranked[np.minimum(rank, len(ranked) - 1)] == hashes[places]
        for place, nearest in zip(places[hits].tolist(), rank[hits].tolist(), strict=True):
            while nearest < len(ranked) and ranked[nearest] == hashes[place]:
                found[order[nearest]] = at + place
                nearest += 1
    return found
