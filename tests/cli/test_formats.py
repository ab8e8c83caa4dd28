"""What a scan is written as: every format holds the same numbers, and the programs it is made for read it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from saresnet_cli import Genome
from saresnet_cli.bgzf import is_bgzf
from saresnet_cli.errors import ModelError, OutputError
from saresnet_cli.formats import digits, parquet, sorted_scores
from saresnet_cli.formats.layout import Layout, open_writer
from saresnet_cli.formats.sorted_scores import SortedScores
from saresnet_cli.model import Model
from saresnet_cli.running import Summary, pvalues, sigmoid
from saresnet_cli.scanning import Block

Command = Callable[..., subprocess.CompletedProcess[str]]
Row = tuple[str, int, int, str, float, float, float]  # chrom, start, end, model, score, logit, pvalue
LENGTHS = {"chr2": 900, "chr10": 1500, "chr1": 700, "empty": 300}  # not in the order of bytes
IDS = ("A_x", "B_y", "C_z")
ON_ONE_CORE = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1", "--quiet")


def models_of(toy: SimpleNamespace, ids: Sequence[str] = IDS, background: bool = True) -> list[Model]:
    return [Model(Path(f"{id}.onnx"), toy.card(id, background), b"", f"{n}a" * 32) for n, id in enumerate(ids)]


@pytest.fixture(scope="module")
def chromosomes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chromosomes") / "genome.fa"
    path.write_text("".join(f">{name}\n{'A' * length}\n" for name, length in LENGTHS.items()))
    return path


def blocks_of(models: list[Model], seed: int, count: int = 300, kept: float = 0.8) -> list[Block]:
    """Windows in any order, some of them twice; the same window has the same logits."""
    rng = np.random.default_rng(seed)
    names = np.array([*LENGTHS, "10", "1"], dtype=object)  # aliases too
    table = {name: rng.normal(-1, 3, (1500, len(models))).astype(np.float32) for name in LENGTHS}
    blocks = []
    for part in np.array_split(rng.choice(len(names), count), 4):
        chrom = names[np.sort(part)]
        own = [name if name in LENGTHS else f"chr{name}" for name in chrom]
        start = np.array([rng.integers(0, LENGTHS[name] - 100) for name in own])
        logit = np.array([table[name][place] for name, place in zip(own, start, strict=True)])
        keep = np.array([rng.random(len(models)) for _ in own]) < kept
        keep[~keep.any(axis=1), 0] = True
        pvalue = pvalues([model.card for model in models], logit)
        blocks.append(Block(chrom, start, start + 101, logit, sigmoid(logit), pvalue, keep))
    return blocks


def write(
    blocks: list[Block], models: list[Model], genome: Path, path: Path | str, stride: int = 10, **options: Any
) -> None:
    layout = Layout.choose(str(path), models=len(models), **options)
    summary = Summary(engine="onnxruntime")
    with Genome(genome) as opened, open_writer(layout, models, opened, stride, summary) as writer:
        for block in blocks:
            writer(block)


def rows_of(blocks: list[Block], models: list[Model]) -> list[Row]:
    """The rows of a long table, made without the package."""
    return [
        (b.chrom[i], int(b.start[i]), int(b.end[i]), model.id, b.score[i, j], float(b.logit[i, j]), b.pvalue[i, j])
        for b in blocks
        for i in range(len(b))
        for j, model in enumerate(models)
        if b.keep[i, j]
    ]


def read_lines(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The comments of a text file, and its other lines, split at tabs."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix in (".gz", ".bgz") else data).decode()
    assert text.endswith("\n")
    lines = text.splitlines()
    return [line.split("\t") for line in lines if line.startswith("#")], [
        line.split("\t") for line in lines if not line.startswith("#")
    ]


def track_of(rows: list[Row], stride: int) -> dict[str, np.ndarray]:
    """The value of each base by the rule, a base at a time: that of the nearest window, if its stretch reaches it."""
    width = min(stride, 101)
    track = {name: np.full(length, np.nan, np.float32) for name, length in LENGTHS.items()}
    for name, values in track.items():
        middles = sorted(
            {(row[1] + 50, row[5]) for row in rows if row[0].removeprefix("chr") == name.removeprefix("chr")}
        )
        for base in range(LENGTHS[name]):
            if not middles:
                continue
            middle, value = min(middles, key=lambda pair: (abs(pair[0] - base), -pair[0]))
            if middle - width // 2 <= base < middle - width // 2 + width:
                values[base] = value
    return track


def bases_of(records: list[tuple[str, int, int, float]]) -> dict[str, np.ndarray]:
    """Spread stretches over bases, and check that they are sorted, do not overlap, and end with the chromosome."""
    track = {name: np.full(length, np.nan, np.float32) for name, length in LENGTHS.items()}
    last: tuple[str, int] = ("", 0)
    for chrom, start, end, value in records:
        assert 0 <= start < end <= LENGTHS[chrom]
        assert last <= (chrom, start) if last[0] == chrom else last[0].encode() < chrom.encode()
        track[chrom][start:end] = value
        last = chrom, end
    return track


def read_bigwig(path: Path) -> tuple[dict[str, int], list[tuple[str, int, int, float]]]:
    """The chromosomes and the stretches of a bigWig, read by another library than wrote it."""
    opened = pytest.importorskip("pyBigWig").open(str(path))
    chroms = dict(opened.chroms())
    records = [(name, *record) for name in sorted(chroms) for record in opened.intervals(name) or ()]
    opened.close()
    return chroms, records


# Numbers as text


@given(st.lists(st.floats(-1e5, 1e5, width=32) | st.just(float("nan")), min_size=1), st.integers(1, 6))
def test_decimals_are_those_of_python(values: list[float], places: int) -> None:
    lines = digits.lines(digits.fixed(np.array(values, np.float32), places, "NA")).decode().split("\n")
    assert lines.pop() == ""
    for value, text in zip(values, lines, strict=True):
        if value != value:
            assert text == "NA"
            continue
        assert len(text.split(".")[1]) == places
        assert abs(float(text) - value) <= 0.5 * 10.0**-places + 1e-10
        assert text in (f"{value:.{places}f}", f"{value:.{places}f}".removeprefix("-")) or abs(value) > 1e3


@given(st.lists(st.floats(1e-12, 1) | st.just(float("nan")), min_size=1))
def test_three_digits_are_those_of_python(values: list[float]) -> None:
    lines = digits.lines(digits.significant(np.array(values), ".")).decode().split("\n")[:-1]
    for value, text in zip(values, lines, strict=True):
        assert text == ("." if value != value else f"{value:.3g}") or abs(float(text) / value - 1) < 0.005000001


def test_numbers_beyond_every_table_are_still_right() -> None:
    assert digits.lines(digits.fixed(np.array([1e30, -np.inf, np.nan]), 2, "NA")) == f"{1e30:.2f}\n-inf\nNA\n".encode()
    assert digits.lines(digits.significant(np.array([1e-300, 0.5, 0.0]), ".")) == b"1e-300\n0.5\n0\n"
    assert digits.lines(digits.integers(np.array([0, 7, 10, 2**32 + 1]))) == b"0\n7\n10\n4294967297\n"


# The same numbers everywhere


@settings(max_examples=6, phases=[Phase.generate])  # a seed does not shrink
@given(seed=st.integers(0, 2**32), stride=st.sampled_from([1, 2, 7, 50, 101, 400]))
def test_every_format_holds_the_same_numbers(
    seed: int, stride: int, toy: SimpleNamespace, chromosomes: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("pybigtools")
    folder, models = tmp_path_factory.mktemp("same"), models_of(toy)
    blocks = blocks_of(models, seed)
    rows = rows_of(blocks, models)

    write(blocks, models, chromosomes, folder / "a.bed.gz")
    bed = read_lines(folder / "a.bed.gz")[1]
    assert bed == [
        [chrom, str(start), str(end), id, f"{score:.6f}", ".", f"{logit:.4f}", f"{pvalue:.3g}"]
        for chrom, start, end, id, score, logit, pvalue in rows
    ]

    write(blocks, models, chromosomes, folder / "a.tsv")
    header, *tsv = read_lines(folder / "a.tsv")[1]
    assert header == ["chrom", "start", "end", "model", "score", "logit", "pvalue"]
    assert tsv == [[*row[:5], *row[6:]] for row in bed]

    write(blocks, models, chromosomes, folder / "a.parquet")
    table = pq.read_table(folder / "a.parquet").to_pydict()
    assert list(table) == header
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        wanted = np.array(column, np.float32).tolist() if name in ("score", "logit", "pvalue") else list(column)
        assert table[name] == wanted

    for place, value, form in ((4, "score", "{:.6f}"), (5, "logit", "{:.4f}"), (6, "pvalue", "{:.3g}")):
        by_place = {(*row[:3], row[3]): row[place] for row in rows}
        windows = [(b.chrom[i], int(b.start[i]), int(b.end[i])) for b in blocks for i in range(len(b))]
        wide = [[by_place.get((*window, id)) for id in IDS] for window in windows]
        write(blocks, models, chromosomes, folder / "w.tsv", wide=True, value=value)
        first, *lines = read_lines(folder / "w.tsv")[1]
        assert first == ["chrom", "start", "end", *IDS]
        assert [line[:3] for line in lines] == [[window[0], str(window[1]), str(window[2])] for window in windows]
        write(blocks, models, chromosomes, folder / "w.parquet", wide=True, value=value)
        columns = pq.read_table(folder / "w.parquet").to_pydict()
        assert list(columns) == first
        # a window that comes twice may be kept once only
        kept = np.concatenate([b.keep for b in blocks])
        for j, id in enumerate(IDS):
            numbers = [row[j] if keep else None for row, keep in zip(wide, kept[:, j], strict=True)]
            assert [line[3 + j] for line in lines] == ["NA" if x is None else form.format(x) for x in numbers]
            assert columns[id] == [None if x is None else np.float32(x) for x in numbers]

    for suffix in ("bedgraph", "bw"):
        write(blocks, models, chromosomes, folder / f"{{model}}.{suffix}", stride)
    for id in IDS:
        wanted_track = track_of([row for row in rows if row[3] == id], stride)
        text = [(r[0], int(r[1]), int(r[2]), float(r[3])) for r in read_lines(folder / f"{id}.bedgraph")[1]]
        chroms, binary = read_bigwig(folder / f"{id}.bw")
        assert chroms.items() <= LENGTHS.items()
        assert [record[:3] for record in text] == [record[:3] for record in binary]
        for name, values in wanted_track.items():
            np.testing.assert_array_equal(bases_of(binary)[name], values)
            np.testing.assert_allclose(bases_of(text)[name], values, atol=5.1e-5)


# Sorting


@pytest.mark.parametrize("held", [1, 17, 10_000])
def test_windows_in_any_order_come_back_sorted(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_scores, "ROWS_HELD", held)
    monkeypatch.setattr(sorted_scores, "PIECE_BITS", 6)
    monkeypatch.setattr(sorted_scores, "_BYTES_HELD", 1000)  # the rest goes to the disk
    rng = np.random.default_rng(held)
    sequence, start = rng.integers(0, 5, 3000), rng.integers(0, 3000, 3000) + (1 << 32)
    logit = rng.normal(size=3000).astype(np.float32)
    first: dict[tuple[int, int], float] = {}
    for key in zip(sequence.tolist(), start.tolist(), logit.tolist(), strict=True):
        first.setdefault(key[:2], key[2])
    with SortedScores() as scores:
        for part in np.array_split(np.arange(3000), 40):
            scores.add(sequence[part], start[part], logit[part])
        found = [
            (number, place, value)
            for number, starts, logits in scores.pieces()
            for place, value in zip(starts.tolist(), logits.tolist(), strict=True)
        ]
    assert found == [(*key, value) for key, value in sorted(first.items())]
    assert scores.repeated == 3000 - len(first) > 0


def test_a_track_has_no_seam_between_pieces(
    toy: SimpleNamespace, chromosomes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = models_of(toy, ["A_x"])
    blocks = blocks_of(models, 3)
    write(blocks, models, chromosomes, tmp_path / "whole.bedgraph", 50)
    monkeypatch.setattr(sorted_scores, "PIECE_BITS", 5)
    write(blocks, models, chromosomes, tmp_path / "pieces.bedgraph", 50)
    assert (tmp_path / "pieces.bedgraph").read_bytes() == (tmp_path / "whole.bedgraph").read_bytes()


def test_windows_a_stride_apart_leave_no_gap(toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    models = models_of(toy, ["A_x"])
    start = np.array([0, 50, 100, 150, 199])  # the last is flush with the end of a region of 300
    logit = np.arange(5, dtype=np.float32)[:, None]
    block = Block(
        np.array(["chr1"] * 5, object), start, start + 101, logit, sigmoid(logit), logit * 0 + 0.5, logit >= 0
    )
    write([block], models, chromosomes, tmp_path / "a.bedgraph", 50)
    assert [(int(row[1]), int(row[2]), float(row[3])) for row in read_lines(tmp_path / "a.bedgraph")[1]] == [
        (25, 75, 0.0),
        (75, 125, 1.0),
        (125, 175, 2.0),
        (175, 225, 3.0),
        (225, 274, 4.0),
    ]


# What a track holds


@pytest.mark.parametrize("value", ["score", "pvalue"])
def test_a_track_of_another_value(value: str, toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    pytest.importorskip("pybigtools")
    models = models_of(toy, ["A_x"])
    blocks = blocks_of(models, 5, kept=1)
    wanted = {}
    for chrom, start, *_, score, _, pvalue in rows_of(blocks, models):
        name = chrom if chrom in LENGTHS else f"chr{chrom}"
        wanted[name, start + 50] = score if value == "score" else -np.log10(pvalue)
    write(blocks, models, chromosomes, tmp_path / "a.bdg", 1, value=value)
    comments, rows = read_lines(tmp_path / "a.bdg")
    assert comments[-1] == ["#chrom", "start", "end", {"score": "score", "pvalue": "-log10(pvalue)"}[value]]
    assert {(row[0], int(row[1])): float(row[3]) for row in rows} == pytest.approx(wanted, abs=5.1e-5)
    write(blocks, models, chromosomes, tmp_path / "a.bw", 1, value=value)
    found = {(name, start): x for name, start, _, x in read_bigwig(tmp_path / "a.bw")[1]}
    assert found == {key: np.float32(x) for key, x in wanted.items()}


def test_a_bigwig_has_zoom_levels_that_agree(toy: SimpleNamespace, tmp_path: Path) -> None:
    pytest.importorskip("pybigtools")
    pybigwig = pytest.importorskip("pyBigWig")
    genome = tmp_path / "long.fa"
    genome.write_text(">chr1\n" + "ACGT" * 250_000 + "\n")
    models = models_of(toy, ["A_x"])
    start = np.arange(0, 1_000_000 - 100, 10)
    logit = np.random.default_rng(1).normal(size=(len(start), 1)).astype(np.float32)
    chrom = np.array(["chr1"], object).repeat(len(start))
    block = Block(chrom, start, start + 101, logit, sigmoid(logit), sigmoid(logit), logit > -9)
    write([block], models, genome, tmp_path / "a.bw", 10)
    opened = pybigwig.open(str(tmp_path / "a.bw"))
    header = opened.header()
    assert header["nLevels"] >= 3
    assert header["nBasesCovered"] == 10 * len(start)
    track = np.full(1_000_000, np.nan)
    track[45 : 45 + 10 * len(start)] = logit[:, 0].repeat(10)
    for kind, of in (("mean", np.nanmean), ("max", np.nanmax), ("min", np.nanmin)):
        zoomed = np.array(opened.stats("chr1", 0, 1_000_000, type=kind, nBins=10))
        exact = np.array(opened.stats("chr1", 0, 1_000_000, type=kind, nBins=10, exact=True))
        np.testing.assert_allclose(exact, [of(part) for part in np.split(track, 10)], atol=1e-6)
        np.testing.assert_allclose(zoomed, exact, atol=0.005 if kind == "mean" else 0.6)
        assert kind != "mean" or (zoomed != exact).any()  # it did come from a zoom level, whose bins straddle
    opened.close()


def test_a_bigwig_of_nothing_can_be_read(toy: SimpleNamespace, chromosomes: Path, tmp_path: Path) -> None:
    pybigtools = pytest.importorskip("pybigtools")
    write([], models_of(toy, ["A_x"]), chromosomes, tmp_path / "a.bw")
    assert read_bigwig(tmp_path / "a.bw") == ({}, [])
    assert pybigtools.open(str(tmp_path / "a.bw")).chroms() == {}


def test_a_bigwig_runs_nothing_of_the_working_folder(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "pybigtools.py").write_text("raise SystemExit('own')")
    command = [shutil.which("saresnet", path=str(Path(sys.executable).parent)), "scan", genome, "--model", model]
    for safe in ("", "1"):  # PYTHONSAFEPATH: then the working folder is not among them in the first place
        environment = {**os.environ, "PYTHONSAFEPATH": safe}
        done = subprocess.run(
            [*map(str, command), "-o", "a.bw"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "a.bw").stat().st_size


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 1])
def test_a_bigwig_that_the_disk_has_no_room_for_is_an_error(
    share: float, toy: SimpleNamespace, chromosomes: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pybigtools")
    resource = pytest.importorskip("resource")
    models = models_of(toy, ["A_x"])
    blocks = blocks_of(models, 1, count=2000)
    write(blocks, models, chromosomes, tmp_path / "a.bw")
    limit = int(share * (tmp_path / "a.bw").stat().st_size) - 2
    (tmp_path / "a.bw").unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OutputError) as caught:
            write(blocks, models, chromosomes, tmp_path / "a.bw")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith(f"{tmp_path / 'a.bw'}: can't be written (")
    assert str(caught.value).endswith("); look for room on the disk")
    assert list(tmp_path.iterdir()) == []


# What other programs make of it


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
