"""What format is written, what can not be, and the same from the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saresnet_cli.errors import ModelError, OutputError
from saresnet_cli.formats.layout import Layout
from support.written_scores import blocks_of, models_of, read_bigwig, read_lines, write

Command = Callable[..., subprocess.CompletedProcess[str]]
ON_ONE_CORE = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1", "--quiet")


# What is chosen, and what can't be


@pytest.mark.parametrize(
    ("path", "options", "wanted"),
    [
        (None, {}, ("bed", None)),
        ("-", {}, ("bed", None)),
        (None, {"wide": True}, ("tsv", None)),
        ("scores.txt", {}, ("bed", "scores.txt")),
        ("scores.TSV.gz", {}, ("tsv", "scores.TSV.gz")),
        ("a.bdg", {}, ("bedgraph", "a.bdg")),
        ("a.bedGraph.bgz", {}, ("bedgraph", "a.bedGraph.bgz")),
        ("a.bigWig", {}, ("bigwig", "a.bigWig")),
        ("a.bw", {}, ("bigwig", "a.bw")),
        ("a.parquet", {"wide": True, "models": 4}, ("parquet", "a.parquet")),
        ("a.bed", {"format": "tsv"}, ("tsv", "a.bed")),
        ("out/", {"format": "bigwig", "models": 2}, ("bigwig", "out/{model}.bw")),
        ("out/x.{model}.bdg", {"models": 2}, ("bedgraph", "out/x.{model}.bdg")),
        ("/", {}, ("bed", "/{model}.bed")),
    ],
)
def test_the_name_says_the_format(path: str | None, options: dict, wanted: tuple[str, str | None]) -> None:
    layout = Layout.choose(path, **options)
    assert (layout.format, layout.path) == wanted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "bigwig"], "bigwig can't be written to standard output: give a file with -o"),
        (["--format", "parquet", "-o", "-"], "give a file with -o"),
        (["-o", "a.bw.gz"], "leave the .gz out"),
        (["-o", "a.parquet.bgz"], "leave the .gz out"),
        (["--wide", "-o", "a.bed"], "use --format tsv or parquet"),
        (["--wide", "-o", "a.bw"], "use --format tsv or parquet"),
        (["--value", "score"], "--value is for --wide, bedgraph and bigwig"),
        (["--model", "CTCF_K562", "-o", "a.bw"], "give a folder, -o DIR/, or a name with {model}"),
        (["--model", "CTCF_K562", "--format", "bedgraph"], "such as -o scan.{model}.bedgraph"),
        (["--format", "gff"], "gff"),
    ],
)
def test_what_can_not_be_is_one_line_and_2(saresnet: Command, arguments: list[str], message: str) -> None:
    done = saresnet("scan", "genome.fa", "--model", "MAX_K562", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("format", "library"), [("bigwig", "pybigtools"), ("parquet", "pyarrow")])
def test_a_library_that_is_missing_is_named(
    format: str,
    library: str,
    toy: SimpleNamespace,
    chromosomes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(OutputError) as caught:
        write([], models_of(toy, ["A_x"]), chromosomes, tmp_path / "a", format=format)
    assert str(caught.value) == (
        f"{'bigWig' if format == 'bigwig' else format} needs {library}, which is not installed; "
        f"pip install 'saresnet[{format}]'"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_file_or_no_p_value_says_so(toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    bare = models_of(toy, ["A_x"], background=False)
    with pytest.raises(ModelError, match="no background, so no p-values; use --value logit"):
        write([], bare, chromosomes, tmp_path / "a.bw", value="pvalue")
    with pytest.raises(OutputError, match="can't be in the name of a file"):
        write([], models_of(toy, ["a/b"]), chromosomes, tmp_path / "{model}.bed")
    if find_spec("pybigtools") is not None:
        with pytest.raises(OutputError, match="is not a plain file"):
            write([], bare, chromosomes, "/dev/null", format="bigwig")
    assert list(tmp_path.iterdir()) == []
    blocks = blocks_of(bare, 1)
    write(blocks, bare, chromosomes, tmp_path / "a.bed")
    assert {row[7] for row in read_lines(tmp_path / "a.bed")[1]} == {"."}


def test_after_an_error_there_is_no_file_of_any_format(toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    models = models_of(toy, ["A_x"])

    def broken() -> Any:
        yield from blocks_of(models, 1)
        raise KeyboardInterrupt

    names = ["a.bed.gz", "a.tsv", "a.bedgraph"]
    names += ["a.bw"] * (find_spec("pybigtools") is not None) + ["a.parquet"] * (find_spec("pyarrow") is not None)
    for name in names:
        with pytest.raises(KeyboardInterrupt):
            write(broken(), models, chromosomes, tmp_path / name)
        assert list(tmp_path.iterdir()) == []


# From the command line, with shipped models on real sequence


def test_a_file_a_model_and_the_same_bytes_again(
    example_genome: Path, example_peaks: Path, tmp_path: Path, saresnet: Command
) -> None:
    pytest.importorskip("pybigtools")
    where = {"env": {"SARESNET_MODELS": ""}}
    chosen = ("--tf", "CTCF,REST", "--cell", "GM12878", "--stride", "20", *ON_ONE_CORE)
    for name in ("one/", "two/"):
        done = saresnet("scan", example_genome, example_peaks, *chosen, "--format", "bigwig", "-o", name, **where)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    names = ["CTCF_GM12878.bw", "REST_GM12878.bw"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    text = saresnet("scan", example_genome, example_peaks, *chosen, **where).stdout
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    for id in ("CTCF_GM12878", "REST_GM12878"):
        best = max((row for row in rows if row[3] == id), key=lambda row: float(row[6]))
        middle = int(best[1]) + 50
        records = read_bigwig(tmp_path / "one" / f"{id}.bw")[1]
        found = [value for _, start, end, value in records if start <= middle < end]
        assert found == [pytest.approx(float(best[6]), abs=5.1e-5)]
    done = saresnet("scan", example_genome, example_peaks, *chosen, "-o", "a.{model}.tsv.gz", **where)
    assert done.returncode == 0
    _, *table = read_lines(tmp_path / "a.REST_GM12878.tsv.gz")[1]
    assert [[*row[:5], *row[6:]] for row in rows if row[3] == "REST_GM12878"] == table
