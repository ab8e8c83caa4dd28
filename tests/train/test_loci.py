"""Loci: windows that share 50 bases are never parted, and windows are found again on their genome."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from saresnet_train.codes import OTHER, reverse_complement
from saresnet_train.loci import group_by_locus, hash_kmers, locate, split_by_locus


def _random(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (count, 101)).astype(np.uint8)


@given(st.integers(0, 51), st.booleans(), st.integers(0, 1000))
def test_windows_that_share_50_bases_are_one_locus(distance: int, turned: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    genome = rng.integers(0, 4, 300).astype(np.uint8)
    second = genome[distance : distance + 101]
    windows = np.stack([genome[:101], reverse_complement(second) if turned else second, genome[160:261]])
    loci = group_by_locus(windows)
    assert loci[0] == loci[1]
    assert loci[2] != loci[0]


def test_windows_that_share_49_bases_are_two_loci() -> None:
    genome = np.random.default_rng(4).integers(0, 4, 300).astype(np.uint8)
    loci = group_by_locus(np.stack([genome[:101], genome[52:153]]))
    assert loci[0] != loci[1]


def test_a_chain_of_windows_is_one_locus_whatever_the_block() -> None:
    genome = np.random.default_rng(5).integers(0, 4, 800).astype(np.uint8)
    windows = np.stack([genome[at : at + 101] for at in range(0, 600, 40)] + [*_random(20, 6)])
    for block in (3, 1000):
        loci = group_by_locus(windows, block=block)
        assert len(set(loci[:15])) == 1
        assert len(set(loci)) == 21


def test_kmers_and_their_reverse_complements_hash_alike() -> None:
    windows = _random(50, 7)
    for k in (1, 2, 31, 50, 101):
        hashes = hash_kmers(windows, k)
        assert hashes.shape == (50, 102 - k)
        assert np.array_equal(hashes, hash_kmers(reverse_complement(windows), k)[:, ::-1])
        if k >= 31:
            assert len(np.unique(hashes)) == hashes.size


def test_a_split_parts_no_locus() -> None:
    genome = np.random.default_rng(8).integers(0, 4, 40_000).astype(np.uint8)
    windows = np.stack([genome[at : at + 101] for at in np.random.default_rng(9).integers(0, 39_000, 400)])
    training, validating = split_by_locus(windows, 0.2, seed=1)
    assert np.array_equal(np.sort(np.concatenate([training, validating])), np.arange(400))
    assert 40 <= len(validating) <= 80
    loci = group_by_locus(windows)
    assert not set(loci[training]) & set(loci[validating])
    assert np.array_equal(split_by_locus(windows, 0.2, seed=1)[1], validating)
    assert not np.array_equal(split_by_locus(windows, 0.2, seed=2)[1], validating)


def test_windows_are_located_on_either_strand_across_blocks() -> None:
    genome = np.random.default_rng(10).integers(0, 4, 5000).astype(np.uint8)
    genome[1000:1010] = OTHER
    starts = [0, 333, 2000, 4899]
    windows = np.stack([genome[s : s + 101] for s in starts])
    windows[1::2] = reverse_complement(windows[1::2])
    stranger = _random(1, 11)
    for block in (100, 997, 10_000):
        found = locate(np.concatenate([windows, stranger, windows[:1]]), genome, block=block)
        assert found.tolist() == [35, 368, 2035, 4934, -1, 35]
