"""FASTA as a stream."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli import sequences
from saresnet_cli.errors import GenomeError
from saresnet_cli.sequences import read_fasta


def read(path: Path, data: bytes) -> list[tuple[str, str, str]]:
    path.write_bytes(data)
    return [(s.name, s.description, s.bases.tobytes().decode()) for s in read_fasta(path)]


def test_case_windows_ends_blank_lines_and_ragged_lines(tmp_path: Path) -> None:
    data = b"\r\n>one first sequence\r\nacgt\r\n\r\nNNRYg\r\n>two\r\n>three\nA C\n"
    assert read(tmp_path / "a.fa", data) == [
        ("one", "first sequence", "ACGTNNRYG"),
        ("two", "", ""),
        ("three", "", "AC"),
    ]


def test_rna_is_read_as_dna(tmp_path: Path) -> None:
    assert read(tmp_path / "a.fa", b">x\nACGUu\n") == [("x", "", "ACGTT")]


def test_gzip_is_known_by_content(tmp_path: Path) -> None:
    assert read(tmp_path / "a.fa", gzip.compress(b">x\nAC\n")) == [("x", "", "AC")]


records = st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), st.text("ACGTN", max_size=40)), min_size=1)


@given(records, st.integers(1, 9), st.integers(1, 30))
def test_where_chunks_are_cut_does_not_show(
    tmp_path_factory: pytest.TempPathFactory, several: list[tuple[str, str]], width: int, chunk: int
) -> None:
    text = "".join(
        f">{name}\n" + "".join(f"{bases[i : i + width]}\n" for i in range(0, len(bases), width))
        for name, bases in several
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_CHUNK", chunk)
        found = read(tmp_path_factory.mktemp("fasta") / "a.fa", text.encode())
    assert found == [(name, "", bases) for name, bases in several]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.fa: is empty"),
        (b"\n\n", "a.fa: holds no sequences"),
        (b"ACGT\n", "a.fa:1: is not FASTA"),
        (b"\n\nACGT\n>x\nA\n", "a.fa:3: is not FASTA"),
        (b">x\nACGT\n>\nAC\n", "a.fa:3: a sequence without a name"),
        (b">x\nACGT\n>prot\nACGT\nMELKA\n", "a.fa:5: letter 'E' in sequence 'prot' is not DNA"),
        (b">x\nAC-GT\n", "a.fa:2: letter '-'"),
        (b">x\nACGT*\n", "a.fa:2: letter '*'"),
        (b">x\nAC\xe9\n", "a.fa:2: letter '\\xe9'"),
    ],
)
def test_what_is_not_dna_is_named_with_its_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(GenomeError) as caught:
        read(tmp_path / "a.fa", data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_gzip_is_an_error_not_an_end(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match="compressed data is damaged"):
        read(tmp_path / "a.fa.gz", gzip.compress(b">x\n" + b"ACGT" * 5000)[:-20])
