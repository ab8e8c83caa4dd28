"""Training data: files, peaks and manifests, and what is wrong with them."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from saresnet_train.codes import decode, encode, reverse_complement
from saresnet_train.data import DataError, distinct, find_set, read_manifest, read_peaks, read_windows


def _fasta(path: Path, *sequences: str) -> Path:
    text = "".join(f">s{i}\n{s}\n" for i, s in enumerate(sequences))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_windows_keep_their_order_and_their_middle(tmp_path: Path, real_windows: np.ndarray) -> None:
    texts = [decode(row).tobytes().decode() for row in real_windows[:5]]
    read = read_windows(_fasta(tmp_path / "w.fa.gz", *texts, "A" * 20 + texts[0] + "C" * 20))
    assert np.array_equal(read[:5], real_windows[:5])
    assert np.array_equal(read[5], real_windows[0])


def test_a_window_of_100_bases_is_filled_with_a_seeded_base(tmp_path: Path) -> None:
    path = _fasta(tmp_path / "w.fa", *["ACGT" * 25] * 50)
    read = read_windows(path, seed=1)
    assert read.shape == (50, 101)
    assert np.array_equal(read[:, :100], np.tile(encode(np.frombuffer(b"ACGT" * 25, np.uint8)), (50, 1)))
    assert set(read[:, 100]) == {0, 1, 2, 3}
    assert np.array_equal(read, read_windows(path, seed=1))


@pytest.mark.parametrize(("sequence", "message"), [("ACGT" * 10, "has 40 bases; windows have 101")])
def test_too_short_a_window_is_named(tmp_path: Path, sequence: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_windows(_fasta(tmp_path / "w.fa", "A" * 101, sequence))


def test_windows_around_summits(tmp_path: Path, example_genome: Path) -> None:
    text = "".join(example_genome.read_text().split("\n")[1:])
    peaks = tmp_path / "p.narrowPeak"
    peaks.write_text(
        "chr20_part\t1000\t1200\t.\t0\t.\t1\t-1\t-1\t30\n"
        "chr20_part\t1000\t1200\t.\t0\t.\t1\t-1\t-1\t-1\n"
        "chr20_part\t0\t20\n"
    )
    cut = [decode(row).tobytes().decode() for row in read_peaks(peaks, example_genome)]
    assert cut == [text[980:1081], text[1050:1151], text[:101]]


def test_distinct_counts_both_strands_once(real_windows: np.ndarray) -> None:
    twice = np.concatenate(
        [real_windows[:4], reverse_complement(real_windows[1:3]), real_windows[4:6], real_windows[:1]]
    )
    assert np.array_equal(distinct(twice), real_windows[:6])


def test_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.tsv"
    manifest.write_text("tier\tname\ttf\tcell\tsource\nencode\tCTCF_K562\tCTCF\tK562\tx\npan\tAR_pan\tAR\tpan\ty\n")
    assert [s.name for s in read_manifest(tmp_path)] == ["CTCF_K562", "AR_pan"]
    assert [s.name for s in read_manifest(tmp_path, ("pan",))] == ["AR_pan"]
    assert find_set(tmp_path, "encode/CTCF_K562").train_positive == tmp_path / "encode/CTCF_K562/train.positive.fa.gz"
    with pytest.raises(DataError, match="no set 'CTCF_H1'; one of 2, such as CTCF_K562"):
        find_set(tmp_path, "CTCF_H1")
    with pytest.raises(DataError, match="no sets of tier dream"):
        read_manifest(tmp_path, ("dream",))
    manifest.write_text("a\tb\n1\t2\n")
    with pytest.raises(DataError, match="it needs columns tier, name, tf, cell"):
        read_manifest(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read_manifest(tmp_path / "nowhere")
