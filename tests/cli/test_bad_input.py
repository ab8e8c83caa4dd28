"""Every bad input ends in one line that names the file, and a code; nothing is scored from it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error, which comes after notices and is no traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("saresnet: error: ")]
    assert errors == done.stderr.splitlines()[-1:]
    return errors[0]


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        ("chr1\t1\n", "a.bed:1: 2 columns where a BED line has at least 3"),
        ("#\nchr1\t1\tx\n", "a.bed:2: start '1' and end 'x'"),
        ("chr1\t0\t3001\n", "a.bed:1: end 3001 is beyond the end of chr1, which has 3000 bp in genome.fa"),
        ("chr1\t0\t200\nchr1\t300\t200\n", "a.bed:2: start 300 is greater than end 200"),
        ("chr1\t200\t200\n", "a.bed:1: start 200 is equal to end 200"),
        ("chr7\t0\t200\n", "a.bed:1: genome.fa: no sequence named 'chr7'; it has 5, among them"),
    ],
)
def test_a_bad_region(saresnet: Command, genome: Path, model: Path, tmp_path: Path, bed: str, message: str) -> None:
    (tmp_path / "a.bed").write_text(bed)
    assert message in complaint(saresnet("scan", "genome.fa", "a.bed", "--model", model))
    named = message.replace("a.bed", "standard input")
    assert named in complaint(saresnet("scan", "genome.fa", "-", "--model", model, input=bed))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bad.fa: is empty"),
        (b"no sequences\n", "bad.fa:1: is not FASTA"),
        (b"\n\n", "bad.fa: holds no sequences"),
        (b">x\nMELKACGT" + b"ACGT" * 40 + b"\n", "bad.fa: letter 'E' at position 1 of x is not DNA"),
        (b">x y\rACGT\rACGT\r>z\rACGT\r", "bad.fa: its lines end in CR alone, as on an old Mac; tr '\\r' '\\n' <"),
        (gzip.compress(b">x\nACGT\n"), "bad.fa: is plain gzip, which can't be read by position; use bgzip"),
    ],
)
def test_a_file_that_is_no_genome(saresnet: Command, model: Path, tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "bad.fa").write_bytes(data)
    assert message in complaint(saresnet("scan", "bad.fa", "--model", model))


def test_score_names_the_line(saresnet: Command, model: Path) -> None:
    done = saresnet("score", "-", "--model", model, input=">x\nACGT\n>y\nACGT\nMELK\n")
    assert "standard input:5: letter 'E' in sequence 'y' is not DNA" in complaint(done)
    assert "standard input: is empty" in complaint(saresnet("score", "-", "--model", model, input=""))


@pytest.mark.parametrize("command", ["scan", "score"])
def test_what_can_not_be_scored_is_counted(saresnet: Command, model: Path, tmp_path: Path, command: str) -> None:
    """Sequences shorter than a window, or of N alone, are no error, and get no score."""
    (tmp_path / "a.fa").write_text(">short\n" + "A" * 100 + "\n>unknown\n" + "N" * 150 + "\n")
    done = saresnet(command, "a.fa", "--model", model)
    assert done.returncode == 0
    assert "0 windows scored" in done.stderr
    assert "1 sequences shorter than 101 bp" in done.stderr
    assert "more than 10% N" in done.stderr
    rows = [line for line in done.stdout.splitlines() if not line.startswith(("#", "name\t"))]
    blank = ["0", *["NA"] * 6]
    wanted = [["short", "TOY_CELL", "100", *blank], ["unknown", "TOY_CELL", "150", *blank]]
    assert [row.split("\t") for row in rows] == ([] if command == "scan" else wanted)


def test_case_windows_ends_and_iupac_change_nothing(saresnet: Command, model: Path, tmp_path: Path) -> None:
    text = "ACGTRACGTT" * 30
    (tmp_path / "a.fa").write_text(f">x\n{text}\n")
    (tmp_path / "b.fa").write_bytes(f">x\r\n{text.lower()}\r\n".encode())
    (tmp_path / "c.fa").write_text(f">x\n{text.replace('R', 'N')}\n")
    outputs = {saresnet("scan", name, "--model", model, "--max-n", "0.2").stdout for name in ("a.fa", "b.fa", "c.fa")}
    assert len(outputs) == 1
    assert outputs.pop().count("\n") == 7


def test_lines_that_end_in_cr_alone_are_told_at_once(saresnet: Command, model: Path, tmp_path: Path) -> None:
    text = b">x y\r" + b"ACGT" * 30 + b"\r>z\r" + b"ACGT" * 30 + b"\r"
    for data in (text, text * 30_000, gzip.compress(text), b">w\nACGT\n" + text):
        (tmp_path / "a.fa").write_bytes(data)
        assert "a.fa: its lines end in CR alone" in complaint(saresnet("score", "a.fa", "--model", model))
    (tmp_path / "long.fa").write_bytes(text * 30_000)  # 7 MB, more than is read at a time
    assert "long.fa: its lines end in CR alone" in complaint(saresnet("scan", "long.fa", "--model", model))


def test_a_truncated_model(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.onnx").write_bytes(model.read_bytes()[:2000])
    message = complaint(saresnet("scan", genome, "--model", "cut.onnx"))
    assert "cut.onnx: is not a whole ONNX file (cut short)" in message


def test_a_wrong_sha256(saresnet: Command, genome: Path, registry: Path, tmp_path: Path) -> None:
    shutil.copytree(registry, tmp_path / "models")
    shutil.copy(registry / "CTCF_K562.onnx", tmp_path / "models" / "MAX_K562.onnx")
    done = saresnet("scan", genome, "--tf", "MAX", env={"SARESNET_MODELS": str(tmp_path / "models")})
    assert "MAX_K562.onnx: its sha256 is" in complaint(done)
    assert done.stdout == ""


def test_a_model_that_is_not_there(saresnet: Command, genome: Path) -> None:
    assert "no model of 'CTFC'; the nearest are CTCF" in complaint(saresnet("scan", genome, "--tf", "CTFC"))
    assert "choose a cell with --cell: GM12878, K562" in complaint(saresnet("scan", genome, "--tf", "CTCF"))
    assert "MAX has K562" in complaint(saresnet("scan", genome, "--tf", "MAX", "--cell", "GM12878"))
    assert "none.onnx: no such file" in complaint(saresnet("scan", genome, "--model", "none.onnx"))


def test_cuda_without_one(saresnet: Command, genome: Path, model: Path) -> None:
    done = saresnet("scan", genome, "--model", model, "--device", "cuda", env={"CUDA_VISIBLE_DEVICES": "-1"})
    assert "CUDA" in complaint(done)
    assert "--device cpu" in complaint(done)
    assert done.stdout == ""


def test_files_that_are_not_there(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    assert "none.fa: No such file" in complaint(saresnet("scan", "none.fa", "--model", model))
    assert "none.bed: No such file" in complaint(saresnet("scan", genome, "none.bed", "--model", model))
    assert "none.fa: No such file" in complaint(saresnet("score", "none.fa", "--model", model))
    assert "no/out.bed: can't be written" in complaint(saresnet("scan", genome, "--model", model, "-o", "no/out.bed"))


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("no/out.bed", "can't be written (No such file or directory); make its folder first"),
        ("genome.fa/out.bed", "can't be written (Not a directory); its folder is a file: give another name"),
        ("a" * 250, "can't be written (File name too long); give a shorter name"),
    ],
)
def test_the_cure_of_an_output_that_cannot_be_written(
    name: str, cure: str, saresnet: Command, genome: Path, model: Path
) -> None:
    assert complaint(saresnet("scan", genome, "--model", model, "-o", name)).endswith(f"{name}: {cure}")


def test_a_model_without_a_background(saresnet: Command, genome: Path, tmp_path: Path, toy: object) -> None:
    toy.model(tmp_path / "bare.onnx", toy.card(background=False))  # type: ignore[attr-defined]
    done = saresnet("scan", genome, "--model", "bare.onnx", "--max-pvalue", "0.1")
    assert "bare.onnx: the model has no background, so no p-values; use --min-score" in complaint(done)
    rows = saresnet("scan", genome, "--model", "bare.onnx").stdout.splitlines()
    assert rows[0].endswith("background=none")
    assert {row.split("\t")[7] for row in rows[2:]} == {"."}


def test_debug_shows_the_traceback_before_the_line(saresnet: Command, model: Path) -> None:
    done = saresnet("scan", "none.fa", "--model", model, "--debug")
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("saresnet: error: none.fa: No such file")
