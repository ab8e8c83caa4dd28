"""Peaks: where their windows stand, which are strongest, what is wrong with them."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.errors import RegionError
from saresnet_cli.genome import Genome
from saresnet_train.peaks import Peaks, read_summits, summit_windows


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "g.fa"
    path.write_text(">1\n" + "ACGTA" * 200 + "\n>chr2\n" + "C" * 50 + "\n")
    return path


def _read(genome: Path, text: str) -> Peaks:
    path = genome.with_name("p.bed.gz")
    path.write_bytes(gzip.compress(text.encode()))
    with Genome(genome) as fasta:
        return read_summits(path, fasta)


def test_windows_are_centred_on_summits_and_inside(genome: Path) -> None:
    peaks = _read(
        genome, "chr1\t300\t401\nchr1\t0\t20\n1\t400\t600\ta\t5\t.\t2.5\t-1\t-1\t30\n1\t990\t1000\n2\t0\t50\n"
    )
    with Genome(genome) as fasta:
        assert summit_windows(peaks, fasta).tolist() == [300, 0, 380, 899, -1]
    assert peaks.chrom.tolist() == ["1", "1", "1", "1", "chr2"]
    assert peaks.summit.tolist() == [350, 10, 430, 995, 25]


def test_the_strongest_are_chosen_by_signal_and_keep_their_order(genome: Path) -> None:
    lines = [
        f"# comment\n1\t{i}\t{i + 9}\tp\t0\t.\t{signal}\t-1\t-1\t4\n" for i, signal in enumerate((3, 9, 9, 1, 12.5))
    ]
    assert _read(genome, "".join(lines)).strongest(3).start.tolist() == [1, 2, 4]
    assert _read(genome, "1\t5\t9\tp\t7\n1\t3\t9\tp\t8\n1\t1\t9\tp\t6\n").strongest(2).start.tolist() == [5, 3]
    assert len(_read(genome, "".join(lines)).strongest(99)) == 5


def test_regions_that_bedtools_intersected_have_no_summit_and_a_score(genome: Path) -> None:
    peaks = _read(genome, "1\t100\t300\ta\t7\t.\t1\t150\t220\t70\n1\t400\t600\tb\t9\t.\t1\t410\t420\t10\n")
    assert peaks.summit.tolist() == [200, 500]
    assert peaks.strongest(1).start.tolist() == [400]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1\t2\t9\n1\t990\t1001\n",
            "p.bed.gz:2: end 1001 is beyond the end of 1, which has 1000 bp in .*g.fa; use",
        ),
        ("1\t2\t9\nchr7\t1\t9\n", "p.bed.gz:2: .*g.fa: no sequence named 'chr7'; it has 2, among them"),
        ("1\t9\t2\n", "p.bed.gz:1: start 9 is greater than end 2"),
    ],
)
def test_a_peak_that_is_not_on_the_genome_is_named(genome: Path, text: str, message: str) -> None:
    with pytest.raises(RegionError, match=message):
        _read(genome, text)


@pytest.mark.parametrize("text", ["1\t2\t9\n", "1\t2\t9\tp\tx\n", "#\n1\t2\t9\tp\t0\t.\t.\t0\t0\t2\n"])
def test_peaks_without_a_signal_have_no_strongest(genome: Path, text: str) -> None:
    line, column = (2, 7) if "#" in text else (1, 5)
    with pytest.raises(RegionError, match=rf"p.bed.gz:{line}: it has no signal in column {column} to rank by; give"):
        _read(genome, text).strongest(1)


def test_no_peaks(genome: Path) -> None:
    peaks = _read(genome, "# nothing\n")
    assert len(peaks) == 0
    with Genome(genome) as fasta:
        assert np.array_equal(summit_windows(peaks, fasta), np.empty(0))
