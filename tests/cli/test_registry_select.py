"""Many models at once: which are chosen, and that the genome is read once for all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from saresnet_cli import Genome, Region, scan
from saresnet_cli.errors import ModelError
from saresnet_cli.registry import Registry
from saresnet_cli.runtime import Runtime

Command = Callable[..., subprocess.CompletedProcess[str]]
ON_ONE_CORE = Runtime(engine="onnxruntime", device="cpu", threads=1)


@pytest.fixture
def known(tmp_path: Path, toy: SimpleNamespace) -> Registry:
    """Factors in several cells, and a model of every factor, which is none of "all"."""
    ids = ["CTCF_K562", "MAX_K562", "CTCF_GM12878", "REST_H1-hESC", "MAX_GM12878", "any_any"]
    return Registry.read(toy.registry(tmp_path / "models", ids))


@pytest.mark.parametrize(
    ("tfs", "cells", "wanted"),
    [
        (["REST"], None, ["REST_H1-hESC"]),
        (["max", "ctcf"], ["k562"], ["MAX_K562", "CTCF_K562"]),  # in the order that they are asked for
        (["CTCF"], ["GM12878", "K562"], ["CTCF_GM12878", "CTCF_K562"]),
        (["CTCF", "REST"], ["K562", "H1-hESC"], ["CTCF_K562", "REST_H1-hESC"]),  # a factor need not be in each cell
        (["CTCF", "CTCF"], ["K562"], ["CTCF_K562"]),
        (["all"], None, ["CTCF_K562", "MAX_K562", "CTCF_GM12878", "REST_H1-hESC", "MAX_GM12878"]),
        (["ALL"], ["GM12878"], ["CTCF_GM12878", "MAX_GM12878"]),
        (["MAX", "all"], ["GM12878"], ["MAX_GM12878", "CTCF_GM12878"]),
    ],
)
def test_models_are_chosen_in_order_and_once(
    known: Registry, tfs: list[str], cells: list[str] | None, wanted: list[str]
) -> None:
    assert [entry.id for entry in known.select(tfs, cells)] == wanted


@pytest.mark.parametrize(
    ("tfs", "cells", "message"),
    [
        (["CTCF"], None, r"2 models of CTCF; choose a cell with --cell: K562, GM12878"),
        (["CTCF", "SOX2"], ["K562"], "no model of 'SOX2'"),
        (["REST"], ["K562"], "no model of REST in K562; REST has H1-hESC"),
        (["REST"], ["K562", "GM12878"], "no model of REST in K562"),
        (["all"], ["HeLa"], "no models in HeLa; there are GM12878, H1-hESC, K562"),
    ],
)
def test_what_is_not_there_is_named(known: Registry, tfs: list[str], cells: list[str] | None, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        known.select(tfs, cells)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--tf", "CTCF,MAX", "--cell", "K562"], ["CTCF_K562", "MAX_K562"]),
        (["--tf", "all"], ["CTCF_GM12878", "CTCF_K562", "MAX_K562", "REST_H1-hESC"]),
        (["--model", "MAX_K562", "--model", "ctcf_k562"], ["MAX_K562", "CTCF_K562"]),
    ],
)
def test_a_window_has_a_row_a_model(saresnet: Command, genome: Path, options: list[str], wanted: list[str]) -> None:
    where = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1", "--quiet")
    done = saresnet("scan", genome, *options, *where)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0].split()[3] for line in lines[: len(wanted)]] == [f"model={id}" for id in wanted]
    rows = [line for line in lines if not line[0].startswith("#")]
    assert [row[3] for row in rows] == wanted * (len(rows) // len(wanted))
    for number in range(1, len(wanted)):
        assert [row[:3] for row in rows[:: len(wanted)]] == [row[:3] for row in rows[number :: len(wanted)]]
    wide = saresnet("scan", genome, *options, *where, "--wide").stdout.splitlines()
    assert wide[0].split("\t") == ["chrom", "start", "end", *wanted]
    assert [line.split("\t")[:3] for line in wide[1:]] == [row[:3] for row in rows[:: len(wanted)]]


def test_two_models_of_one_name_are_refused(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.onnx").write_bytes(model.read_bytes())
    done = saresnet("scan", genome, "--model", model, "--model", "copy.onnx")
    assert done.returncode == 1
    assert "copy.onnx: is called TOY_CELL, as " in done.stderr


def test_shipped_models_score_together_as_they_do_alone_and_read_the_genome_once(
    example_genome: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, int, int]] = []
    fetch = Genome.fetch

    def counted(self: Genome, name: str, start: int, end: int) -> np.ndarray:
        read.append((name, start, end))
        return fetch(self, name, start, end)

    monkeypatch.setattr(Genome, "fetch", counted)
    regions = [Region("chr20_part", 14_000, 15_000), Region("chr20_part", 30_000, 31_000)]

    def logits(*ids: str) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
        read.clear()
        with scan(ids, example_genome, regions, stride=20, runtime=ON_ONE_CORE) as run:
            found = np.concatenate([block.logit for block in run])
        return found, read.copy()

    together, read_together = logits("CTCF_GM12878", "REST_GM12878", "YY1_H1-hESC")
    alone = [logits(id) for id in ("CTCF_GM12878", "REST_GM12878", "YY1_H1-hESC")]
    np.testing.assert_array_equal(together, np.concatenate([found for found, _ in alone], axis=1))
    assert [read_together] * 3 == [places for _, places in alone]
    assert together.std(axis=1).min() > 0  # they are three models
