"""Blocks of scores, and the numbers that a file of each format holds."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from saresnet_cli import Genome
from saresnet_cli.formats.layout import Layout
from saresnet_cli.formats.writing import open_writer
from saresnet_cli.model import Model
from saresnet_cli.running import Summary, pvalues, sigmoid
from saresnet_cli.scanning import Block

Row = tuple[str, int, int, str, float, float, float]  # chrom, start, end, model, score, logit, pvalue
LENGTHS = {"chr2": 900, "chr10": 1500, "chr1": 700, "empty": 300}  # not in the order of bytes
IDS = ("A_x", "B_y", "C_z")


def models_of(toy: SimpleNamespace, ids: Sequence[str] = IDS, background: bool = True) -> list[Model]:
    return [Model(Path(f"{id}.onnx"), toy.card(id, background), b"", f"{n}a" * 32) for n, id in enumerate(ids)]


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
