from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.card import Background
from saresnet_cli.errors import GenomeError
from saresnet_export.calibration import describe_genome, genomic_windows, shuffled_windows, threshold
from saresnet_train.background import Background as Genomic
from saresnet_train.codes import decode


def test_shuffles_keep_the_dinucleotides_of_each_window(real_windows: np.ndarray) -> None:
    def pairs(window: np.ndarray) -> Counter[bytes]:
        text = window.tobytes()
        return Counter(text[i : i + 2] for i in range(100))

    positives = real_windows[:3]
    shuffles = shuffled_windows(positives, count=12)
    assert shuffles.shape == (12, 101)
    for row, shuffle in enumerate(shuffles):
        assert pairs(shuffle) == pairs(decode(positives[row // 4]))
    assert len(np.unique(shuffles, axis=0)) == 12
    np.testing.assert_array_equal(shuffles, shuffled_windows(positives, count=12))


def test_more_positives_than_shuffles_are_thinned(real_windows: np.ndarray) -> None:
    assert shuffled_windows(real_windows, count=7).shape == (7, 101)


def test_genomic_windows_are_on_the_grid(example_genome: Path) -> None:
    windows = genomic_windows(Genomic(example_genome), None, (), 100_000)
    text = "".join(example_genome.read_text().split("\n")[1:])
    assert len(windows) == (len(text) - 101) // 50 + 1
    assert windows[3].tobytes().decode() == text[150:251]
    assert genomic_windows(Genomic(example_genome), None, (), 17).shape == (17, 101)


def test_genomic_windows_leave_bound_sites_out(
    example_genome: Path, example_peaks: Path, real_windows: np.ndarray
) -> None:
    def rows(windows: np.ndarray) -> set[bytes]:
        return {row.tobytes() for row in windows}

    every = rows(genomic_windows(Genomic(example_genome), None, (), 100_000))
    positive = real_windows[100:101]  # at 10,100
    unbound = rows(genomic_windows(Genomic(example_genome), positive, (), 100_000))
    text = "".join(example_genome.read_text().split("\n")[1:])
    assert text[10100:10201].encode() in every - unbound
    assert 2 <= len(every - unbound) <= 8
    outside = rows(genomic_windows(Genomic(example_genome, exclude=(example_peaks,)), None, (), 100_000))
    assert outside < every


def test_only_a_part_of_the_genome(example_genome: Path) -> None:
    name = example_genome.read_text().split("\n")[0][1:].split()[0]
    windows = genomic_windows(Genomic(example_genome), None, ((name, 1000, 1301),), 100)
    text = "".join(example_genome.read_text().split("\n")[1:])
    assert [row.tobytes().decode() for row in windows] == [text[at : at + 101] for at in range(1000, 1201, 50)]
    with pytest.raises(GenomeError, match="no window to calibrate on"):
        genomic_windows(Genomic(example_genome), None, ((name, 1001, 1049),), 100)


def test_threshold_is_what_one_window_in_a_thousand_reaches() -> None:
    logits = np.arange(10_000) / 1000
    genomic = Background.measure(logits, "")
    assert threshold({"genomic": genomic}) == pytest.approx(9.99, abs=0.01)
    assert (logits >= threshold({"genomic": genomic})).mean() == pytest.approx(1e-3, rel=0.2)
    assert threshold({"shuffled": genomic}) == 0.0
    assert threshold({}) == 0.0
    few = Background.measure(np.arange(10.0), "")
    assert threshold({"genomic": few}) == 9.0


def test_genome_in_words() -> None:
    text = describe_genome(
        Path("/data/hg19.fa"), 12, (Path("b.bed"), Path("a.bed")), (("chr1", 5, 90), ("chr2", 0, 1 << 40))
    )
    assert (
        text
        == "12 windows of hg19.fa (chr1:5-90, chr2) at multiples of 50 bp, without N, none within 50 bp of a.bed, b.bed"
    )
