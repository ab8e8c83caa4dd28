"""Numbers are printed as Python does, in every format the same, sorted where that is asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from saresnet_cli.formats import digits, sorted_scores
from saresnet_cli.formats.sorted_scores import SortedScores
from saresnet_cli.printed import three_digits
from saresnet_cli.running import sigmoid
from saresnet_cli.scanning import Block
from support.written_scores import (
    IDS,
    LENGTHS,
    bases_of,
    blocks_of,
    models_of,
    read_bigwig,
    read_lines,
    rows_of,
    track_of,
    write,
)

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


def test_halves_are_printed_as_python_prints_them() -> None:
    for power in (1e4, 1e6, 1e9):
        values = np.arange(1005, 10_000, 10) / power
        lines = digits.lines(digits.significant(values, ".")).decode().split()
        assert lines == [f"{value:.3g}" for value in values.tolist()]
        assert [float(line) for line in lines] == three_digits(values).tolist()


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
