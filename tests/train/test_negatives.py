"""Negatives: shuffles keep what they must, genomic windows avoid what they must."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli.errors import GenomeError
from saresnet_train.background import Background, parse_interval
from saresnet_train.codes import decode, encode, one_hot, reverse_complement
from saresnet_train.negatives import GenomicWindows, dinucleotide_shuffle, shuffle_dinucleotides

windows_of_codes = st.lists(st.lists(st.integers(0, 4), min_size=101, max_size=101), min_size=1, max_size=8)


@given(windows_of_codes, st.integers(0, 2**31))
def test_a_shuffle_keeps_every_dinucleotide(rows: list[list[int]], seed: int) -> None:
    codes = np.array(rows, np.uint8)
    shuffled = shuffle_dinucleotides(codes, seed)
    for before, after in zip(codes.tolist(), shuffled.tolist(), strict=True):
        assert Counter(pairwise(before)) == Counter(pairwise(after))
        assert (before[0], before[-1]) == (after[0], after[-1])


def test_a_shuffle_follows_its_seed_alone(real_windows: np.ndarray) -> None:
    first = shuffle_dinucleotides(real_windows, 5)
    assert np.array_equal(first, shuffle_dinucleotides(real_windows, 5))
    other = shuffle_dinucleotides(real_windows, 6)
    assert (first != real_windows).any(axis=1).mean() > 0.99
    assert (first != other).any(axis=1).mean() > 0.99


def test_blocks_shuffle_all_windows(real_windows: np.ndarray) -> None:
    shuffled = shuffle_dinucleotides(real_windows, 5, block=7)
    assert (np.sort(shuffled, axis=1) == np.sort(real_windows, axis=1)).all()


def test_letters_are_shuffled_as_codes_are(real_windows: np.ndarray) -> None:
    assert np.array_equal(dinucleotide_shuffle(decode(real_windows), 9), decode(shuffle_dinucleotides(real_windows, 9)))


def test_codes_and_their_complement() -> None:
    bases = np.frombuffer(b"ACGTNacgtRY-", np.uint8)
    assert encode(bases).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4, 4]
    assert decode(reverse_complement(encode(bases))).tobytes() == b"NNNACGTNACGT"
    hot = one_hot(np.array([[0, 3, 4]], np.uint8))
    assert hot.tolist() == [[[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]]


def test_genomic_windows_are_free_of_what_is_left_out(tmp_path: Path) -> None:
    bases = np.random.default_rng(1).choice(list("ACGT"), 3000)
    bases[1200:1210] = "N"
    (tmp_path / "g.fa").write_text(f">one\n{''.join(bases[:2000])}\n>two\n{''.join(bases[2000:])}\n")
    windows = GenomicWindows(tmp_path / "g.fa", exclude=[("one", 300, 350)], hold_out=[("two", 500, 1000)])
    allowed = []
    for start in range(3000):
        span = set(range(start, start + 101))
        inside_one_sequence = start + 101 <= 2000 or (start >= 2000 and start + 101 <= 3000)
        blocked = span & (set(range(1200, 1210)) | set(range(300, 350)) | set(range(2500, 3000)))
        if inside_one_sequence and not blocked:
            allowed.append(start)
    assert windows.starts.tolist() == allowed
    drawn = windows.draw(500, np.random.default_rng(2))
    text = "".join(bases)
    assert drawn.shape == (500, 101)
    assert all(decode(row).tobytes().decode() in text for row in drawn)
    assert windows.every(100).tolist() == [s for s in allowed if s % 100 == 0]


def test_a_background_without_a_window_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">short\nACGTACGT\n>n\n" + "N" * 300 + "\n")
    with pytest.raises(GenomeError, match=r"g\.fa: it has no window"):
        GenomicWindows(tmp_path / "g.fa")


def test_held_out_and_bound_windows_stay_out(
    example_genome: Path, example_peaks: Path, real_windows: np.ndarray
) -> None:
    background = Background(example_genome, (parse_interval("chr20_part:40000-60000"),), (example_peaks,))
    starts = np.arange(len(real_windows)) * 101
    middle = starts + 50
    kept = background.drop_held_out(real_windows)
    expected = real_windows[~((middle >= 40_000 + 15) & (middle < 60_000 - 15))]
    assert abs(len(kept) - len(expected)) <= 2
    assert {row.tobytes() for row in kept[:100]} <= {row.tobytes() for row in real_windows}
    bound = real_windows[[100, 200]]  # 10100-10201 and 20200-20301
    allowed = background.windows(bound).starts
    for low, high in [(10_100, 10_201), (20_200, 20_301), (14_540, 14_891), (40_000, 60_000)]:
        assert not ((allowed + 101 > low) & (allowed < high)).any()
    assert len(allowed) > 30_000


@pytest.mark.parametrize("text", ["chr1:5", "chr1:9-3", "", "chr1:a-b"])
def test_a_bad_interval_is_named(text: str) -> None:
    with pytest.raises(Exception, match=r"is not an interval|is empty"):
        parse_interval(text)
