"""Motifs that are read: as the format says, as other libraries read them, or not at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.marginalizing.motifs import IUPAC, Motif, MotifError, parse_consensus, read_motif_file, read_motifs

JASPAR = """>MA0139.1\tCTCF
A  [ 87 167 281  56   8 744  40 107 851   5 ]
C  [291 145  49 800 903  13 528 433  11   0 ]
G  [ 76 414 449  21   0  65 334  48  32 903 ]
T  [459 187 134  36   2  91  11 324  18   3 ]

>MA0004.1 Arnt
A [4 19 0 0 0 0 ]
C [16 0 20 0 0 0 ]
G [0 1 0 20 0 20 ]
T [0 0 0 0 20 0 ]
"""
RAW = ">MA0004.1 Arnt\n4 19 0 0 0 0\n16 0 20 0 0 0\n0 1 0 20 0 20\n0 0 0 0 20 0\n"
MEME = """MEME version 5

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA0004.1 Arnt

letter-probability matrix: alength= 4 w= 6 nsites= 20 E= 0
 0.200000  0.800000  0.000000  0.000000
 0.950000  0.000000  0.050000  0.000000
 0.000000  1.000000  0.000000  0.000000
 0.000000  0.000000  1.000000  0.000000
 0.000000  0.000000  0.000000  1.000000
 0.000000  0.000000  1.000000  0.000000
URL http://jaspar.genereg.net/matrix/MA0004.1

MOTIF second
letter-probability matrix: alength= 4 w= 1 nsites= 20 E= 0
0.1 0.2 0.3 0.4
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_consensus_is_its_codes() -> None:
    motif = parse_consensus(" ccRnT ")
    assert (motif.id, motif.name, motif.width) == ("CCRNT", ".", 5)
    np.testing.assert_array_equal(
        motif.probability, [[0, 1, 0, 0], [0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    )
    assert parse_consensus("".join(IUPAC)).width == 16
    backwards = motif.reverse_complement().reverse_complement()
    np.testing.assert_array_equal(backwards.probability, motif.probability)
    np.testing.assert_array_equal(
        motif.reverse_complement().probability, parse_consensus("ANYGG").probability
    )  # by the table of codes


def test_codes_are_those_of_biopython() -> None:
    data = pytest.importorskip("Bio.Data.IUPACData")
    for letter, bases in data.ambiguous_dna_values.items():
        if letter not in "XN":
            assert set(IUPAC[letter]) == set(bases)


@pytest.mark.parametrize("text", [JASPAR, RAW, JASPAR.replace("[", "").replace("]", ""), JASPAR.replace("\n", "\r\n")])
def test_jaspar(tmp_path: Path, text: str) -> None:
    motifs = read_motif_file(write(tmp_path / "m.jaspar", text))
    arnt = motifs[-1]
    assert (arnt.id, arnt.name, arnt.width) == ("MA0004.1", "Arnt", 6)
    np.testing.assert_allclose(arnt.probability[:2], [[0.2, 0.8, 0, 0], [0.95, 0, 0.05, 0]])
    np.testing.assert_array_equal(arnt.consensus().probability, parse_consensus("CACGTG").probability)
    assert len(motifs) == 1 or [motifs[0].id, motifs[0].width] == ["MA0139.1", 10]


def test_meme(tmp_path: Path) -> None:
    arnt, second = read_motif_file(write(tmp_path / "m.meme", MEME))
    np.testing.assert_allclose(
        arnt.probability, read_motif_file(write(tmp_path / "m.jaspar", JASPAR))[1].probability, atol=1e-9
    )
    assert (second.id, second.name, second.width) == ("second", ".", 1)


def test_what_the_program_meme_writes_begins_with_a_banner(tmp_path: Path) -> None:
    banner = f"{'*' * 80}\nMEME - Motif discovery tool\n{'*' * 80}\n"
    plain, own = (read_motif_file(write(tmp_path / "m.txt", text)) for text in (MEME, banner + MEME))
    assert [motif.id for motif in own] == [motif.id for motif in plain]


def test_files_are_read_as_other_libraries_read_them(tmp_path: Path) -> None:
    motifs = pytest.importorskip("Bio.motifs")
    with write(tmp_path / "m.jaspar", JASPAR).open() as file:
        theirs = motifs.parse(file, "jaspar")
    for ours, other in zip(read_motif_file(tmp_path / "m.jaspar"), theirs, strict=True):
        counts = np.array([other.counts[base] for base in "ACGT"]).T
        np.testing.assert_allclose(ours.probability, counts / counts.sum(axis=1, keepdims=True))
        assert (ours.id, ours.name) == (other.matrix_id, other.name)
    with write(tmp_path / "m.meme", MEME).open() as file:
        theirs = motifs.parse(file, "minimal")
    for ours, other in zip(read_motif_file(tmp_path / "m.meme"), theirs, strict=True):
        counts = np.array([other.counts[base] for base in "ACGT"]).T
        np.testing.assert_allclose(ours.probability, counts / counts.sum(axis=1, keepdims=True))
        assert ours.id == other.name


def test_a_file_goes_before_a_consensus_and_may_be_gzip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [motif.id for motif in read_motifs("ACGT")] == ["ACGT"]
    Path("ACGT").write_bytes(gzip.compress(JASPAR.encode()))
    likeliest, _ = read_motifs("ACGT")
    drawn, _ = read_motifs("ACGT", sample=True)
    assert set(np.unique(likeliest.probability)) == {0.0, 1.0}
    assert drawn.probability[0, 3] == pytest.approx(459 / 913)
    assert likeliest.probability[0].tolist() == [0, 0, 0, 1]


def test_of_equal_bases_the_first_is_the_likeliest_and_none_stays_none() -> None:
    motif = Motif("x", np.array([[0, 0.5, 0.5, 0], [0, 0, 0, 0]]))
    assert motif.consensus().probability.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; give JASPAR"),
        ("chr1\t5\t9\n", "is no motif file; give JASPAR"),
        ("MEME version 5\n", "holds no motifs"),
        (">\nACGT\n", ":1: a motif without a name"),
        (">x\nACGTACGT\n", ":2: 'ACGTACGT' is not a count"),
        (RAW.replace("19", "-19"), ":2: '-19' is not a count"),
        (RAW.replace("19", "nan"), ":2: 'nan' is not a count"),
        (RAW.replace(" 20 0\n", "\n"), ":1: motif MA0004.1 has rows of different lengths; give rows A, C, G and T"),
        (RAW + "1 1 1 1 1 1\n", ":6: motif MA0004.1 has more than the rows"),
        (JASPAR.replace("C [16", "A [16"), ":9: motif MA0004.1 has more than the rows"),
        (JASPAR.replace("T [0 0 0 0 20 0 ]\n", ""), ":7: motif MA0004.1 has 3 rows"),
        (RAW.replace("16 0 ", "0 0 ").replace("4 19", "0 19"), ":1: motif MA0004.1 has a position without counts"),
        (MEME.replace("ALPHABET= ACGT", "ALPHABET= ACDEFGHIKLMNPQRSTVWY"), ":3: its alphabet is not DNA"),
        (MEME.replace("w= 6", "w= 7"), ":12: motif MA0004.1 has 6 of 7 rows"),
        (MEME.replace("0.950000", "0.850000"), ":14: motif MA0004.1: a row is 4 probabilities"),
        (MEME.replace("0.1 0.2 0.3 0.4", "0.1 0.2 0.7"), ":23: motif second: a row is 4 probabilities"),
        (MEME.replace("letter-prob", "log-odds"), ":10: motif MA0004.1 has no letter-probability matrix"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "m.txt", text)
    with pytest.raises(MotifError) as caught:
        read_motif_file(path)
    assert str(caught.value).startswith(f"{path}{'' if message.startswith(':') else ': '}{message}")
    assert "; " in str(caught.value)


@pytest.mark.parametrize("text", ["CCXG", "", "NNN", "no/such.jaspar", "A" * 5000 + "!"])
def test_what_is_neither_a_file_nor_a_consensus_is_said(text: str) -> None:
    with pytest.raises(MotifError, match=r"write CCGCGNGGNGGCAG$"):
        read_motifs(text)
