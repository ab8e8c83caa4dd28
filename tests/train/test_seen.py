"""Unbound windows of a genome that the global networks have seen as bound."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from saresnet_train.benchmark.cells import Results
from saresnet_train.benchmark.running import Plan, run_all
from saresnet_train.benchmark.seen import STRETCH, read_seen, seen_windows, write_seen
from saresnet_train.codes import decode, reverse_complement
from saresnet_train.data import DataError, read_manifest

COLUMNS = "tier\tname\ttf\tcell\tsource\n"
ENCODE = "encode\tC_K562\tC\tK562\t\n"


def write_windows(path: Path, codes: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        for at, row in enumerate(decode(codes)):
            file.write(f">{at}\n{row.tobytes().decode()}\n")


@pytest.fixture
def data(tmp_path: Path, real_windows: np.ndarray) -> Path:
    """Two sets: of the unbound windows of one, two share just enough with bound ones of the other, two a base less."""
    folder = tmp_path / "data"
    bound, unbound = real_windows[:20], real_windows[300:306].copy()
    unbound[1, :STRETCH] = bound[7, 40 : 40 + STRETCH]
    unbound[2, 50 : 50 + STRETCH] = reverse_complement(bound[9:10, 3 : 3 + STRETCH])[0]
    unbound[3, : STRETCH - 1] = bound[7, 40 : 40 + STRETCH - 1]
    unbound[3, STRETCH - 1] = (bound[7, 40 + STRETCH - 1] + 1) % 4
    write_windows(folder / "gm12878" / "A_GM12878" / "genomic.negative.fa.gz", unbound)
    write_windows(folder / "gm12878" / "A_GM12878" / "train.positive.fa.gz", real_windows[100:120])
    write_windows(folder / "pan" / "B_pan" / "train.positive.fa.gz", bound)
    write_windows(folder / "encode" / "C_K562" / "train.positive.fa.gz", real_windows[130:140])
    (folder / "manifest.tsv").write_text(f"{COLUMNS}gm12878\tA_GM12878\tA\tGM12878\t\npan\tB_pan\tB\tpan\t\n{ENCODE}")
    return folder


def test_windows_that_share_a_stretch_on_either_strand_are_seen(data: Path) -> None:
    sets = read_manifest(data)
    seen = seen_windows(sets, [each.train_positive for each in sets])
    assert list(seen) == ["gm12878/A_GM12878"]
    assert seen["gm12878/A_GM12878"].tolist() == [False, True, True, False, False, False]
    alone = seen_windows(sets, [sets[0].train_positive])
    assert not alone["gm12878/A_GM12878"].any()
    assert seen_windows(sets[1:], [sets[0].train_positive]) == {}


def test_a_run_writes_what_was_seen_once_and_it_is_read_back(data: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    run_all(Plan(data, results, ()), lambda _: None)
    assert read_seen(results.seen)["gm12878/A_GM12878"].tolist() == [False, True, True, False, False, False]
    before = results.seen.read_bytes()
    write_seen(tmp_path / "again.json", read_seen(results.seen))
    assert (tmp_path / "again.json").read_bytes() == before
    write_seen(results.seen, {"gm12878/A_GM12878": np.ones(6, bool)})
    run_all(Plan(data, results, ()), lambda _: None)
    assert read_seen(results.seen)["gm12878/A_GM12878"].all()


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', "spoilt"])
def test_a_file_that_says_something_else_is_named(content: str, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    assert read_seen(path) == {}
    if content == "spoilt":
        write_seen(path, {"gm12878/A_GM12878": np.ones(9, bool)})
        content = json.dumps(json.loads(path.read_text()) | {"stretch": 31})
    path.write_text(content)
    with pytest.raises(DataError, match=r"seen\.json: it does not say which windows were seen"):
        read_seen(path)
