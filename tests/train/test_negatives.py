"""Negatives: shuffles keep what they must, genomic windows avoid what they must."""

import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli.errors import GenomeError
from saresnet_train.background import Background, parse_interval
from saresnet_train.codes import decode, encode, reverse_complement
from saresnet_train.gc import GC_BINS, apportion, gc_bins, gc_shares
from saresnet_train.negatives import GenomicWindows, dinucleotide_shuffle, shuffle_dinucleotides
from saresnet_train.network import one_hot
from saresnet_train.packed import PackedGenome

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


def test_parts_of_the_windows(tmp_path: Path) -> None:
    bases = "".join(np.random.default_rng(1).choice(list("ACGT"), 3000))
    (tmp_path / "g.fa").write_text(f">one\n{bases[:2000]}\n>two\n{bases[2000:]}\n")
    windows = GenomicWindows(tmp_path / "g.fa")
    # touching intervals are one; windows lie wholly in them
    inside = windows.within([("one", 100, 250), ("one", 250, 400), ("two", 0, 1 << 40), ("three", 0, 9)])
    assert inside.starts.tolist() == [*range(100, 300), *range(2000, 2900)]
    assert inside.without([("two", 50, 1000)]).starts.tolist() == list(range(100, 300))
    assert len(inside.without([("one", 0, 2000), ("two", 50, 1000)]).free) == 0
    assert len(windows.free) == 1900 + 900


def test_a_genome_is_packed_and_unpacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    texts = {}
    for name, length in (("a", 2_100_003), ("b", 7), ("c", 1_048_578)):
        bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), length)
        bases[rng.integers(0, length, 5)] = ord("N")
        bases[length // 2 :][:1000] = ord("R")
        texts[name] = bases.tobytes().decode()
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    expected = encode(np.frombuffer("".join(texts.values()).encode(), np.uint8))
    genome = PackedGenome.read(path)
    assert np.array_equal(genome[0 : len(genome)], expected)
    for start, stop in ((0, 0), (1, 2), (5, 6), (1_050_001, 1_050_900), (2_100_000, 2_100_013), (3_148_580, 9_999_999)):
        assert np.array_equal(genome[start:stop], expected[start:stop])
    windows = GenomicWindows(path)
    starts = np.concatenate([windows.free.low, windows.free.high - 1, windows.free[np.arange(0, 9000, 7)]])
    assert np.array_equal(windows.take(starts), np.stack([expected[s : s + 101] for s in starts]))


def test_memory_is_far_below_a_byte_a_base(tmp_path: Path) -> None:
    row = np.random.default_rng(4).choice(np.frombuffer(b"ACGT", np.uint8), 1_000_000).tobytes() + b"\n"
    path = tmp_path / "g.fa"
    with path.open("wb") as file:
        for name in range(4):
            file.write(b">%d\n" % name + row * 10)
    GenomicWindows(path)  # makes the index
    tracemalloc.start()
    windows = GenomicWindows(path, exclude=[(str(i % 4), 30_000 * i, 30_000 * i + 200) for i in range(300)])
    windows.draw(20_000, np.random.default_rng(5))
    assert windows.fingerprint
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows.free) > 39_000_000
    assert kept < 0.3 * 40e6
    assert peak < 40e6


def test_windows_are_drawn_with_a_gc_content(example_genome: Path, real_windows: np.ndarray) -> None:
    windows = GenomicWindows(example_genome)
    rich = real_windows[np.argsort(gc_bins(real_windows), kind="stable")[-150:]]
    wanted = gc_shares(rich)
    drawn = windows.draw(600, np.random.default_rng(1), wanted)
    assert drawn.shape == (600, 101)
    assert np.array_equal(np.bincount(gc_bins(drawn), minlength=GC_BINS), np.rint(wanted * 600))
    text = "".join(example_genome.read_text().split("\n")[1:])
    assert all(decode(row).tobytes().decode() in text for row in drawn[:50])
    assert np.array_equal(drawn, windows.draw(600, np.random.default_rng(1), wanted))
    assert not np.array_equal(drawn, windows.draw(600, np.random.default_rng(2), wanted))
    assert abs(gc_bins(windows.draw(600, np.random.default_rng(1))).mean() - gc_bins(rich).mean()) > 3


def test_a_gc_content_that_is_nowhere_gives_the_nearest(example_genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_train.negatives.GC_TRIES", 2)
    windows = GenomicWindows(example_genome)
    wanted = np.zeros(GC_BINS)
    wanted[[20, GC_BINS - 1]] = 0.5
    bins = gc_bins(windows.draw(100, np.random.default_rng(1), wanted))
    assert (bins == 20).sum() == 50
    everywhere = gc_bins(windows.take(windows.starts))
    assert bins.max() < GC_BINS - 1
    assert bins[bins != 20].min() > np.quantile(everywhere, 0.85)


def test_counts_are_apportioned_by_the_largest_remainder() -> None:
    assert apportion(np.array([0.5, 0.3, 0.2]), 3).tolist() == [1, 1, 1]
    assert apportion(np.array([0.25, 0.25, 0.5]), 5).tolist() == [1, 1, 3]
    assert apportion(np.array([1.0, 0.0]), 7).tolist() == [7, 0]


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


def test_bound_windows_are_looked_for_where_they_may_be(example_genome: Path, real_windows: np.ndarray) -> None:
    background = Background(example_genome)
    part = parse_interval("chr20_part:10000-21000")
    everywhere = background.windows(real_windows[[100, 200]])
    there = background.windows(real_windows[[100, 200]], [part])
    assert np.array_equal(there.starts, everywhere.within([part]).starts)
    assert not ((there.starts + 101 > 20_200) & (there.starts < 20_301)).any()


def test_a_part_beyond_the_genome_is_an_error(example_genome: Path, real_windows: np.ndarray) -> None:
    background = Background(example_genome, (parse_interval("chr20_part:70000-80000"),))
    for act in (background.drop_held_out, background.windows):
        with pytest.raises(GenomeError, match=r"fa: chr20_part has 60,000 bases, and none from 70,000 on"):
            act(real_windows[:2])


@pytest.mark.parametrize("text", ["chr1:5", "chr1:9-3", "", "chr1:a-b"])
def test_a_bad_interval_is_named(text: str) -> None:
    with pytest.raises(Exception, match=r"is not an interval|is empty"):
        parse_interval(text)
