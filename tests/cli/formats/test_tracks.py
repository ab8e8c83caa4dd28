"""What a track holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from saresnet_cli.errors import OutputError
from saresnet_cli.running import sigmoid
from saresnet_cli.scanning import Block
from support.written_scores import LENGTHS, blocks_of, models_of, read_bigwig, read_lines, rows_of, write

Command = Callable[..., subprocess.CompletedProcess[str]]


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
