"""A result never takes the place of a file that the command reads."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from saresnet_cli.errors import OutputError
from saresnet_cli.output import check_apart

Command = Callable[..., subprocess.CompletedProcess[str]]

FILES = ("genome.fa", "r.bed", "s.bed.gz", "toy.onnx", "m.meme", "in.vcf", "w.pt")


@pytest.fixture
def folder(tmp_path: Path, genome: Path, model: Path, saresnet: Command) -> Path:
    """A folder with one of everything that a command reads."""
    (tmp_path / "r.bed").write_text("chr1\t0\t400\nchr1\t500\t700\n")
    (tmp_path / "m.meme").write_text("MEME version 4\n\nMOTIF one\nletter-probability matrix: w= 2\n1 0 0 0\n0 0 0 1\n")
    (tmp_path / "in.vcf").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    (tmp_path / "w.pt").write_bytes(b"weights")
    shutil.copy(model, tmp_path / "toy.onnx")
    assert saresnet("scan", "genome.fa", "r.bed", "--model", "toy.onnx", "-o", "s.bed.gz").returncode == 0
    return tmp_path


def refused(folder: Path, command: Command, *arguments: object, **options: object) -> str:
    """Run a command that has to be refused, with every file as it was; returns its one line."""
    before = {name: (folder / name).read_bytes() for name in FILES}
    names = sorted(folder.iterdir())
    done = command(*arguments, **options)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert {name: (folder / name).read_bytes() for name in FILES} == before
    assert sorted(folder.iterdir()) == names
    (line,) = done.stderr.splitlines()[-1:]
    assert line.endswith(": is read as well, and would be lost; give another name")
    assert "scored" not in done.stderr
    return line


BY = ("--model", "toy.onnx")


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "genome.fa", "r.bed", *BY, "-o", "genome.fa"),
        ("scan", "genome.fa", "r.bed", *BY, "-o", "r.bed"),
        ("scan", "genome.fa", "r.bed", *BY, "-o", "toy.onnx"),
        ("scan", "genome.fa", "r.bed", *BY, "-o", "r.bed", "--resume"),
        ("scan", "genome.fa", "r.bed", *BY, "-o", "genome.fa", "--format", "bedgraph"),
        ("score", "genome.fa", *BY, "-o", "genome.fa"),
        ("call", "--scan", "s.bed.gz", *BY, "-o", "s.bed.gz"),
        ("call", "genome.fa", "r.bed", *BY, "-o", "genome.fa"),
        ("call", "genome.fa", "r.bed", *BY, "-o", "r.bed"),
        ("explain", "genome.fa", "r.bed", *BY, "-o", "genome.fa"),
        ("explain", "genome.fa", "r.bed", *BY, "-o", "r.bed"),
        ("explain", "genome.fa", *BY, "--method", "ig", "--checkpoint", "w.pt", "-o", "w.pt"),
        ("marginalize", "-m", "ACGT", "-m", "m.meme", *BY, "-o", "m.meme"),
        ("marginalize", "-m", "ACGT", "--background", "genome.fa", *BY, "-o", "genome.fa"),
        ("variants", "in.vcf", "genome.fa", *BY, "-o", "genome.fa"),
        ("variants", "in.vcf", "genome.fa", *BY, "-o", "toy.onnx"),
        ("variants", "in.vcf", "genome.fa", *BY, "-O", "t", "-o", "in.vcf"),
        ("finetune", "r.bed", "genome.fa", "--tf", "A", "--cell", "B", "-o", "r.bed"),
        ("finetune", "r.bed", "genome.fa", "--tf", "A", "--cell", "B", "-o", "genome.fa"),
        ("finetune", "r.bed", "genome.fa", "--tf", "A", "--cell", "B", "--from", "w.pt", "-o", "w.pt"),
        ("export", "w.pt", "-o", "w.pt"),
        ("export", "w.pt", "--background", "genome.fa", "-o", "genome.fa"),
    ],
    ids=lambda arguments: f"{arguments[0]} {arguments[-1]}",
)
def test_what_is_read_is_not_written_over(folder: Path, saresnet: Command, arguments: tuple[str, ...]) -> None:
    refused(folder, saresnet, *arguments)


def test_a_file_is_known_by_any_of_its_names(folder: Path, saresnet: Command) -> None:
    (folder / "link.bed").symlink_to("r.bed")
    (folder / "second.bed").hardlink_to(folder / "r.bed")
    (folder / "sub").mkdir()
    for name in ("./r.bed", "sub/../r.bed", folder / "r.bed", "link.bed", "second.bed"):
        assert f" {name}: is read" in refused(folder, saresnet, "scan", "genome.fa", "r.bed", *BY, "-o", name)
    refused(folder, saresnet, "scan", "genome.fa", "link.bed", *BY, "-o", "r.bed")
    with (folder / "r.bed").open() as file:
        refused(folder, saresnet, "scan", "genome.fa", "-", *BY, "-o", "r.bed", stdin=file)


def test_a_file_a_model_is_looked_at_too(folder: Path, saresnet: Command) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "TOY_CELL.bed").write_bytes((folder / "r.bed").read_bytes())
    for output in ("out/", "out", "out/{model}.bed"):
        refused(folder, saresnet, "scan", "genome.fa", "out/TOY_CELL.bed", *BY, "-o", output)
    assert (folder / "out" / "TOY_CELL.bed").read_bytes() == (folder / "r.bed").read_bytes()
    done = saresnet("scan", "genome.fa", "r.bed", *BY, "-o", "out/")
    assert done.returncode == 0
    assert (folder / "out" / "TOY_CELL.bed").read_text().startswith("# saresnet")


def test_models_are_not_saved_where_they_are_read_from(registry: Path, saresnet: Command, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(shutil.copytree(registry, tmp_path / "own"))
    before = {path.name: (path.read_bytes(), path.stat().st_ino) for path in (tmp_path / "own").iterdir()}
    for folder in ("own", "link"):
        done = saresnet("models", "save", "CTCF_K562", "-o", folder, env={"SARESNET_MODELS": str(tmp_path / "own")})
        assert (done.returncode, done.stdout) == (1, "")
        wanted = f"saresnet: error: {folder}: is where the models are read from; give another folder\n"
        assert done.stderr == wanted
    assert {p.name: (p.read_bytes(), p.stat().st_ino) for p in (tmp_path / "own").iterdir()} == before


def test_what_is_no_plain_file_may_be_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    check_apart(["/dev/null", "-", None, tmp_path / "a", tmp_path / "none", tmp_path], ["/dev/null", None, tmp_path])
    check_apart([tmp_path / "a", "a\0b"], [tmp_path / "b", tmp_path / "none", "a\0b"])
    with pytest.raises(OutputError, match="a: is read as well, and would be lost"):
        check_apart([tmp_path / "b", tmp_path / "a"], [tmp_path / "none", str(tmp_path / "a")])
