"""What other programs make of the files."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from saresnet_cli.bgzf import is_bgzf
from saresnet_cli.formats import parquet
from saresnet_cli.running import sigmoid
from saresnet_cli.scanning import Block
from support.written_scores import IDS, blocks_of, models_of, read_lines, rows_of, write


def test_what_made_the_scores_is_in_every_format_that_can_hold_it(
    toy: SimpleNamespace, chromosomes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    models = models_of(toy)
    about = "sha256=0a0a0a0a0a0a window=101 stride=10 strands=both engine=onnxruntime precision=float32"
    write([], models, chromosomes, tmp_path / "a.bed")
    write([], models[:1], chromosomes, tmp_path / "a.bedgraph")
    for name, count in (("a.bed", 3), ("a.bedgraph", 1)):
        comments = read_lines(tmp_path / name)[0]
        assert len(comments) == count + 1
        assert f"model=A_x {about} background=shuffled" in comments[0][0]
    with caplog.at_level("INFO", "saresnet"):
        write([], models, chromosomes, tmp_path / "a.tsv")
    assert sum(record.message.startswith("made by saresnet ") for record in caplog.records) == 3
    write([], models, chromosomes, tmp_path / "a.parquet", wide=True)
    held = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[parquet.METADATA_KEY])
    assert held["value"] == "logit"
    assert [made["model"] for made in held["models"]] == list(IDS)
    assert held["models"][0]["sha256"] == "0a" * 32


def test_parquet_is_read_by_pandas_polars_and_duckdb(
    toy: SimpleNamespace, chromosomes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet, "GROUP_ROWS", 200)  # several row groups, each with names of its own
    models = models_of(toy)
    blocks = blocks_of(models, 8)
    rows = rows_of(blocks, models)
    path = tmp_path / "a.parquet"
    write(blocks, models, chromosomes, path)
    schema = pq.read_schema(path)
    assert [str(schema.field(name).type) for name in ("start", "end", "score", "logit", "pvalue")] == [
        *["int64"] * 2,
        *["float"] * 3,
    ]
    assert str(schema.field("chrom").type).startswith("dictionary<values=string")
    assert pq.read_metadata(path).num_row_groups > 2
    wanted = [(*row[:4], *np.array(row[4:], np.float32).tolist()) for row in rows]
    assert [tuple(row.values()) for row in pq.read_table(path).to_pylist()] == wanted
    tried = 0
    try:
        import polars

        assert polars.read_parquet(path).rows() == wanted
        tried += 1
    except ModuleNotFoundError:
        pass
    try:
        import duckdb

        assert duckdb.sql(f"select * from '{path}'").fetchall() == wanted
        tried += 1
    except ModuleNotFoundError:
        pass
    if not tried:
        pytest.skip("neither polars nor duckdb is installed")


def test_pandas_reads_the_table_without_options(toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    bare = [*models_of(toy, ["A_x"]), *models_of(toy, ["B_y"], background=False)]
    blocks = blocks_of(bare, 2)
    write(blocks, bare, chromosomes, tmp_path / "a.tsv.gz")
    table = pandas.read_csv(tmp_path / "a.tsv.gz", sep="\t")
    assert list(table.columns) == ["chrom", "start", "end", "model", "score", "logit", "pvalue"]
    assert [str(kind) for kind in table.dtypes[["start", "end", "score", "logit", "pvalue"]]] == [
        *["int64"] * 2,
        *["float64"] * 3,
    ]
    assert (table.pvalue.isna() == (table.model == "B_y")).all()
    assert len(table) == len(rows_of(blocks, bare))


@pytest.mark.parametrize("name", ["a.bed.gz", "a.bedgraph.bgz", "a.tsv.gz"])
def test_tabix_indexes_and_queries(name: str, toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    if shutil.which("tabix") is None:
        pytest.skip("tabix is not installed")
    models = models_of(toy, ["A_x"])
    start = np.arange(0, 500, 50)
    logit = np.linspace(-3, 3, 10, dtype=np.float32)[:, None]
    block = Block(
        np.array(["chr1"] * 10, object), start, start + 101, logit, sigmoid(logit), sigmoid(logit), logit > -9
    )
    path = tmp_path / name
    write([block], models, chromosomes, path, 50)
    assert is_bgzf(path.read_bytes())
    how = ["-s", "1", "-b", "2", "-e", "3", "-0", "-S", "1"] if ".tsv" in name else ["-p", "bed"]
    subprocess.run(["tabix", *how, path], check=True)
    found = subprocess.run(["tabix", path, "chr1:271-275"], check=True, capture_output=True, text=True).stdout
    rows = read_lines(path)[1]
    wanted = [row for row in rows if row[0] == "chr1" and int(row[1]) < 275 and int(row[2]) > 270]
    assert [line.split("\t") for line in found.splitlines()] == wanted
    assert len(wanted) == (1 if "bedgraph" in name else 2)
