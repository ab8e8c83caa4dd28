"""Shards: what they write, one after another, is what one run writes, for any regions, stride and number of shards."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saresnet_cli import Genome, Region, load_model, planning, reading, scan
from saresnet_cli.errors import RegionError
from saresnet_cli.planning import share_of
from saresnet_cli.reading import RegionReader
from saresnet_cli.runtime import Runtime
from saresnet_cli.shards import Shard

Command = Callable[..., subprocess.CompletedProcess[str]]
CPU = Runtime(device="cpu")
Window = tuple[str, int]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, sequences: dict[str, str], fasta: Callable[..., str]) -> Genome:
    path = tmp_path_factory.mktemp("shards") / "genome.fa"
    path.write_text(fasta(sequences))
    return Genome(path)


def windows(
    reader: RegionReader, regions: object, shard: Shard | None = None, size: int = 64, reached: int = 0
) -> list:
    """What a shard reads: (name, start) of each window, and how many were skipped, by reason."""
    part, share = share_of(reader, regions, shard, reached)  # type: ignore[arg-type]
    found: list[Window] = []
    skipped: dict[str, int] = {}
    for chunk in reader.chunks(part, size, share):
        found += zip(chunk.about.chrom.tolist(), chunk.about.start.tolist(), strict=True)
        for reason, count in chunk.about.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
    return [found, skipped]


def joined(parts: list[list]) -> list:
    skipped: dict[str, int] = {}
    for _, counts in parts:
        for reason, count in counts.items():
            skipped[reason] = skipped.get(reason, 0) + count
    return [[window for found, _ in parts for window in found], skipped]


SIZES = {"chr1": 3000, "chr2": 101, "tiny": 60, "blank": 500, "chrM": 777}


@st.composite
def region(draw: st.DrawFn) -> Region:
    name = draw(st.sampled_from(sorted(SIZES)))
    start = draw(st.integers(0, SIZES[name] - 1))
    end = min(SIZES[name], start + draw(st.one_of(st.integers(1, 250), st.integers(1, 3000))))
    return Region(draw(st.sampled_from([name, name.removeprefix("chr")])), start, end)


@settings(max_examples=150)
@given(
    regions=st.none() | st.lists(region(), max_size=25),
    stride=st.sampled_from([1, 7, 50, 101, 5000]),
    count=st.integers(1, 12) | st.sampled_from([97, 10_000]),
    size=st.sampled_from([1, 5, 64]),
    at_once=st.sampled_from([1, 3, 16384]),
    data=st.data(),
)
def test_no_window_is_lost_or_doubled(
    opened: Genome,
    regions: list[Region] | None,
    stride: int,
    count: int,
    size: int,
    at_once: int,
    data: st.DataObject,
) -> None:
    reader = RegionReader(opened, stride, 0.1, None, "sequences" if regions is None else "regions in sequences")
    whole = windows(reader, regions)
    chosen = range(1, count + 1)
    if count > 12:  # so many are tried at their seams only
        first = data.draw(st.integers(1, count - 3))
        chosen = range(first, first + 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_REGIONS_AT_ONCE", at_once)
        parts = [windows(reader, regions, Shard(number, count), size) for number in chosen]
    if count <= 12:
        assert joined(parts) == whole
        total = sum(len(found) for found, _ in parts) + whole[1].get("windows with more than 10% N", 0)
        sizes = [end - begin for begin, end in (Shard(n, count).of(total) for n in chosen)]
        assert max(sizes) - min(sizes) <= 1
    else:
        together = joined(parts)[0]
        assert not together or any(whole[0][i : i + len(together)] == together for i in range(len(whole[0])))


@settings(max_examples=100)
@given(
    regions=st.lists(region(), min_size=1, max_size=30),
    stride=st.sampled_from([1, 50]),
    count=st.integers(1, 6),
    block=st.integers(20, 200),
    odd=st.lists(st.sampled_from(["", "#", "track name=x", "browser", "# chr1\t0\t5", " "]), max_size=5),
    columns=st.sampled_from(["", "\tname", "\tname\t0\t.", "\r"]),
    end=st.sampled_from(["\n", ""]),
)
def test_a_file_is_planned_as_it_is_read(
    opened: Genome,
    tmp_path_factory: pytest.TempPathFactory,
    regions: list[Region],
    stride: int,
    count: int,
    block: int,
    odd: list[str],
    columns: str,
    end: str,
) -> None:
    lines = [f"{r.chrom}\t{r.start}\t{r.end}{columns}" for r in regions]
    for i, line in enumerate(odd):
        lines.insert(i * 3 % (len(lines) + 1), line)
    path = tmp_path_factory.mktemp("bed") / "a.bed"
    path.write_bytes(("\n".join(lines) + end).encode())
    reader = RegionReader(opened, stride, 0.1, str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_BLOCK", block)
        parts = [windows(reader, path, Shard(number, count)) for number in range(1, count + 1)]
        assert joined(parts) == windows(reader, regions)
        whole = windows(reader, regions)
        reached = len(whole[0]) // 3
        rest = windows(reader, path, None, reached=reached)[0]
    assert not rest or whole[0][-len(rest) :] == rest


def test_lines_are_planned_quickly_where_they_are_plain_and_closely_where_not(opened: Genome) -> None:
    reader = RegionReader(opened, 50, 0.1, "a.bed")
    plan = planning._quick_plan(b"chr1\t0\t500\nM\t7\t300\tx\nchr1\t5\t106\r\n", reader)
    assert plan is not None
    assert np.diff(plan.offsets).tolist() == [9, 5, 1]
    for odd in [
        b"chr1\t0\t500",
        b"chr1 0 500\n",
        b"chr1\t0\n",
        b"chr1\t\t5\n",
        b"chr1\t-1\t5\n",
        b"chr1\t5\t5\n",
        b"chr1\t0\t3001\n",
        b"chr7\t0\t5\n",
        b"#chr1\t0\t5\n",
        b"track\t0\t5\n",
        b"\n",
        b"chr1\t0\t5\n\n",
        b"chr1\t0\t5\0\n",
        b"\xff\t0\t5\n",
        b"chr1\t0\t99999999999999999999\n",
    ]:
        assert planning._quick_plan(odd, reader) is None, odd


@pytest.mark.parametrize("options", [[], ["--max-pvalue", "0.3"], ["--format", "tsv"], ["--tf", "all", "--wide"]])
@pytest.mark.parametrize("with_regions", [False, True])
def test_files_of_shards_make_that_of_one_run(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path, options: list[str], with_regions: bool
) -> None:
    (tmp_path / "a.bed").write_text("chr1\t0\t1500\nchr1\t100\t900\ntiny\t0\t60\n2\t0\t101\nchrM\t3\t700\n")
    models = [] if "--tf" in options else ["--model", model]
    command = ["scan", genome, *(["a.bed"] if with_regions else []), *models, *options, "--stride", "20"]
    whole = saresnet(*command)
    assert whole.returncode == 0, whole.stderr
    plain, packed = b"", b""
    for number in range(1, 5):
        assert saresnet(*command, "--shard", f"{number}/4", "-o", f"{number}.txt").returncode == 0
        plain += (tmp_path / f"{number}.txt").read_bytes()
    for number in range(1, 3):
        assert saresnet(*command, "--shard", f"{number}/2", "-o", f"{number}.gz").returncode == 0
        packed += (tmp_path / f"{number}.gz").read_bytes()
    assert plain == whole.stdout.encode()
    assert gzip.decompress(packed) == plain
    (tmp_path / "all.gz").write_bytes(packed)
    if shutil.which("bgzip"):
        unpacked = subprocess.run(["bgzip", "-dc", "all.gz"], cwd=tmp_path, capture_output=True, check=True)
        assert unpacked.stdout == plain


def test_more_shards_than_windows(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text("chr1\t0\t151\n")
    command = ["scan", genome, "a.bed", "--model", model]
    parts = [saresnet(*command, "--shard", f"{number}/10000").stdout for number in (1, 5000, 5001, 10000)]
    assert parts[0].startswith("# saresnet")
    assert parts[0].splitlines()[2:] == []
    assert [part.count("\n") for part in parts[1:]] == [1, 0, 1]
    assert "".join(parts) == saresnet(*command).stdout


def test_the_name_of_a_file_can_hold_the_shard(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    done = saresnet("scan", genome, "--model", model, "--shard", "7/100", "-o", "out.{shard}.bed")
    assert done.returncode == 0
    assert (tmp_path / "out.007.bed").is_file()


def test_a_bad_line_anywhere_fails_every_shard(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text("chr1\t0\t500\n" * 9 + "chr1\t0\t5000\n")
    for number in (1, 3):
        done = saresnet("scan", genome, "a.bed", "--model", model, "--shard", f"{number}/3", "-o", "out.bed")
        assert done.returncode == 1
        assert "a.bed:10: end 5000 is beyond the end of chr1" in done.stderr
    assert not (tmp_path / "out.bed").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "0/3"], "shard 0/3 is none"),
        (["--shard", "4/3"], "shard 4/3 is none"),
        (["--shard", "1"], "shard '1' is none: give I/N, such as 3/10"),
        (["--shard", "1/2", "--format", "bedgraph"], "shards of bedgraph can't be concatenated: use bed or tsv"),
        (["--shard", "1/2", "-o", "a.bw"], "shards of bigwig can't be concatenated"),
        (["--shard", "1/2", "-o", "a.parquet"], "shards of parquet can't be concatenated"),
    ],
)
def test_what_can_not_be_is_a_mistake_of_usage(
    saresnet: Command, genome: Path, model: Path, options: list[str], message: str
) -> None:
    done = saresnet("scan", genome, "--model", model, *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_stream_can_not_be_shared(saresnet: Command, genome: Path, model: Path) -> None:
    done = saresnet("scan", genome, "-", "--model", model, "--shard", "1/2", input="chr1\t0\t500\n")
    assert done.returncode == 1
    assert "standard input: can't be read twice, as a shard has to; give a file" in done.stderr


def test_from_python(model: Path, genome: Path, toy: SimpleNamespace) -> None:
    loaded = load_model(model)
    given = [Region("chr1", 0, 1000), Region("chrM", 0, 500)]
    for regions in (None, given):
        whole = np.concatenate([b.logit for b in scan(loaded, genome, regions, stride=3, runtime=CPU)])
        parts = [
            block.logit
            for number in (1, 2, 3)
            for block in scan(loaded, genome, regions, stride=3, shard=Shard(number, 3), runtime=CPU)
        ]
        assert np.concatenate(parts).tobytes() == whole.tobytes()
    with pytest.raises(RegionError, match="can't be read twice"):
        scan(loaded, genome, "-", shard=Shard(1, 2), runtime=CPU)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_which_windows_share_a_batch_does_not_show(engine: str, real_windows: np.ndarray) -> None:
    """A real model, batches that begin anywhere and are filled up or not: not a bit of a logit changes."""
    if engine == "openvino":
        pytest.importorskip("openvino")
    bases = np.frombuffer(b"ACGT", np.uint8)[real_windows[:120]]
    with Runtime(engine, device="cpu", threads=1).open([load_model(tf="CTCF", cell="GM12878")]) as scorer:
        whole = scorer.logits(bases)
        for begin, end in [(0, 1), (1, 34), (34, 97), (97, 120)]:
            assert scorer.logits(bases[begin:end]).tobytes() == whole[begin:end].tobytes()
        assert scorer.logits(bases[::-1].copy())[::-1].tobytes() == whole.tobytes()
