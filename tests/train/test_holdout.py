"""Hold-out: what is tested on is never trained on, and what is not said is chosen by a rule."""

from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.genome import Genome
from saresnet_train.holdout import choose_parts, parse_parts, show_parts, split_peaks
from saresnet_train.peaks import read_summits


def _write(tmp_path: Path, lengths: dict[str, int], summits: dict[str, list[int]], seed: int = 1) -> tuple[Path, Path]:
    rng = np.random.default_rng(seed)
    genome, peaks = tmp_path / "g.fa", tmp_path / "p.bed"
    genome.write_text(
        "".join(f">{name}\n{''.join(rng.choice(list('ACGT'), size))}\n" for name, size in lengths.items())
    )
    peaks.write_text("".join(f"{name}\t{s - 5}\t{s + 6}\n" for name, places in summits.items() for s in places))
    return genome, peaks


def _choose(genome: Path, peaks: Path, test: str = "", valid: str = "") -> tuple[str, str]:
    with Genome(genome) as fasta:
        parts = choose_parts(
            read_summits(peaks, fasta), fasta, *(parse_parts(text) if text else () for text in (test, valid))
        )
        return show_parts(parts[0], fasta.lengths), show_parts(parts[1], fasta.lengths)


def _every(count: int) -> list[int]:
    return list(range(200, 200 + 100 * count, 100))


def test_sequences_with_about_a_tenth_are_chosen(tmp_path: Path) -> None:
    lengths = {f"chr{i}": 7000 for i in range(1, 7)}
    counts = {"chr1": 50, "chr2": 20, "chr3": 11, "chr4": 8, "chr5": 9, "chr6": 2}
    genome, peaks = _write(tmp_path, lengths, {name: _every(count) for name, count in counts.items()})
    assert _choose(genome, peaks) == ("chr3", "chr5")
    assert _choose(genome, peaks, valid="3") == ("chr5", "chr3")
    assert _choose(genome, peaks, test="chr3,chr5") == ("chr3,chr5", "chr4")
    assert _choose(genome, peaks, test="chr1:0-3000", valid="chr1:4000-9000") == ("chr1:0-3000", "chr1:4000-7000")


def test_the_last_tenth_of_one_sequence_is_chosen(tmp_path: Path) -> None:
    genome, peaks = _write(tmp_path, {"20": 12_000}, {"chr20": _every(100)})
    # the last ten peaks begin at 9200, those before at 8200
    assert _choose(genome, peaks) == ("20:9150-12000", "20:8150-9150")
    assert _choose(genome, peaks, test="20:0-1150") == ("20:0-1150", "20:9150-12000")
    assert _choose(genome, peaks, valid="20:9000-9500") == ("20:8650-9000,20:9500-12000", "20:9000-9500")


def test_the_last_of_many_small_sequences_are_chosen(tmp_path: Path) -> None:
    lengths = {f"contig{i}": 2000 for i in range(50)}
    genome, peaks = _write(tmp_path, lengths, {name: [500, 900, 1300] for name in lengths})
    assert _choose(genome, peaks) == (
        "contig45,contig46,contig47,contig48,contig49",
        "contig40,contig41,contig42,contig43,contig44",
    )


def test_parts_that_overlap_or_are_not_there_are_errors(tmp_path: Path) -> None:
    genome, peaks = _write(tmp_path, {"20": 12_000}, {"20": _every(100)})
    with pytest.raises(SaresnetError, match="20:2000-3000 is both to test and to validate on; choose parts that"):
        _choose(genome, peaks, "20:1000-3000", "chr20:2000-5000")
    with pytest.raises(GenomeError, match="no sequence named 'chr8'"):
        _choose(genome, peaks, "chr8")
    with pytest.raises(SaresnetError, match="'20:x' is not an interval"):
        _choose(genome, peaks, "20,20:x")


def test_parts_given_twice_count_once(tmp_path: Path) -> None:
    lengths = {"chr1": 1000, "chr2": 1000, "chr3": 7000}
    genome, peaks = _write(tmp_path, lengths, {"chr3": _every(60)})
    for text, union in (
        ("chr3,chr3", "chr3"),
        ("chr3,3", "chr3"),
        ("chr3:0-4000,chr3:2000-5000", "chr3:0-5000"),
        ("chr3:2000-5000,chr1,chr3:0-4000", "chr3:0-5000,chr1"),
        ("chr3:0-4000,chr3:4000-7000,chr1", "chr3,chr1"),
        ("chr3:3000-4000,chr3:0-1000,chr3:500-1200", "chr3:3000-4000,chr3:0-1200"),
    ):
        assert _choose(genome, peaks, test=text, valid="chr2")[0] == union
        assert _choose(genome, peaks, test="chr2", valid=text)[1] == union


def test_commas_stand_between_parts_and_in_numbers() -> None:
    far = 1 << 40
    assert parse_parts("chr20:30,000-60,000") == (("chr20", 30_000, 60_000),)
    assert parse_parts("chr20,chr21") == (("chr20", 0, far), ("chr21", 0, far))
    assert parse_parts("chr20:1-5,chr21") == (("chr20", 1, 5), ("chr21", 0, far))
    assert parse_parts("20:1-5,21, 22:7-1,234,567,3") == (
        ("20", 1, 5), ("21", 0, far), ("22", 7, 1_234_567), ("3", 0, far)
    )  # fmt: skip
    assert parse_parts("20:1000-2000,211") == (("20", 1000, 2000), ("211", 0, far))
    for text, part in (("a:5,000-3,000,b", "a:5,000-3,000"), ("a,,b", ""), ("a,", ""), ("a,b:1-,c", "b:1-")):
        with pytest.raises(SaresnetError, match=f"^'{part}' is "):
            parse_parts(text)


def test_what_is_at_an_edge_or_repeated_is_not_trained_on(tmp_path: Path) -> None:
    summits = [500, 949, 950, 951, 1050, 1100, 1500, 1949, 1950, 2150, 2151, 2152, 2400, 2500, 3000]
    genome, peaks = _write(tmp_path, {"one": 4000}, {"one": summits})
    text = genome.read_text()
    head, bases = text.split("\n")[:2]
    # the window at 500 stands again, turned, in the test part; that at 3000 holds N
    turned = bases[450:551].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    bases = bases[:1450] + turned + bases[1551:2990] + "N" * 11 + bases[3001:]
    genome.write_text(f"{head}\n{bases}\n")
    peaks.write_text(peaks.read_text() + "one\t2395\t2406\n")
    with Genome(genome) as fasta:
        found = read_summits(peaks, fasta)
        split = split_peaks(found, fasta, parse_parts("one:1101-2000"), parse_parts("one:2000-2101"))
    assert (split.testing.start + 50).tolist() == [1500, 1949]
    assert (split.validating.start + 50).tolist() == []
    # a training window ends 101 bp before a part that is held out, and begins 101 bp behind it
    assert (split.training.start + 50).tolist() == [949, 2400, 2500]
    assert split.dropped == {
        "in sequences shorter than a window": 0,
        "with more than a tenth of N": 1,
        "at the edge of a part that is held out": 8,
        "that share sequence with one held out": 1,
        "that are another peak's window": 1,
    }
