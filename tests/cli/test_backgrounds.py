"""Backgrounds: human in their dinucleotides, and drawn evenly."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.marginalizing import backgrounds
from saresnet_cli.sequences import Sequence, read_fasta


def text(windows: np.ndarray) -> list[str]:
    return [window.tobytes().decode() for window in windows]


def test_random_windows_have_human_dinucleotides() -> None:
    table = backgrounds.DINUCLEOTIDES
    assert table.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(table, table[::-1, ::-1].T)  # as likely on the other strand
    codes = np.searchsorted(np.frombuffer(b"ACGT", np.uint8), backgrounds.random_windows(4000, 5))
    found = np.bincount((codes[:, :-1] * 4 + codes[:, 1:]).ravel(), minlength=16).reshape(4, 4) / (4000 * 100)
    np.testing.assert_allclose(found, table, atol=0.0025)
    assert found[1, 2] < 0.02  # CpG
    first = np.bincount(codes[:, 0], minlength=4) / 4000
    np.testing.assert_allclose(first, table.sum(axis=1), atol=0.03)


def test_the_table_is_that_of_chr22(shared_data: Path) -> None:
    counts = np.zeros((5, 5), np.int64)
    code_of = np.full(256, 4)
    code_of[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
    for sequence in read_fasta(shared_data / "genome" / "hg19.chr22.partial.fa.gz"):
        for at in range(0, len(sequence.bases), 1 << 22):
            part = code_of[sequence.bases[at : at + (1 << 22) + 1]]
            counts += np.bincount(part[:-1] * 5 + part[1:], minlength=25).reshape(5, 5)
    both = counts[:4, :4] + counts[3::-1, 3::-1].T
    np.testing.assert_allclose(backgrounds.DINUCLEOTIDES, both / both.sum(), atol=5.1e-7)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data that is not in the project."""
    root = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("SARESNET_DATA", root.parent / "shared" / "data"))
    if not (path / "genome").is_dir():
        pytest.skip(f"no data in {path}")
    return path


def test_more_windows_begin_with_the_fewer() -> None:
    np.testing.assert_array_equal(backgrounds.random_windows(50, 3)[:20], backgrounds.random_windows(20, 3))
    assert (backgrounds.random_windows(20, 3) != backgrounds.random_windows(20, 4)).any()


def test_real_windows_are_of_the_sequences_and_hold_no_n(
    sequences: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [Sequence(name, "", np.frombuffer(bases.encode(), np.uint8)) for name, bases in sequences.items()]
    whole = [s[i : i + 101] for s in sequences.values() for i in range(len(s) - 100) if "N" not in s[i : i + 101]]
    drawn = text(backgrounds.real_windows(records, 300, 1))
    assert len(drawn) == 300
    places = [whole.index(window) for window in drawn]
    assert places == sorted(set(places))
    assert text(backgrounds.real_windows(records, 10_000, 1)) == whole
    # where sequences are cut into parts does not show in which windows there are
    monkeypatch.setattr(backgrounds, "_AT_ONCE", 37)
    assert text(backgrounds.real_windows(records, 10_000, 1)) == whole
    with pytest.raises(GenomeError, match="no window of 101 bp without N"):
        backgrounds.real_windows(records[3:4], 10, 1)


def test_every_window_is_as_likely() -> None:
    bases = np.random.default_rng(3).choice(np.frombuffer(b"ACGT", np.uint8), 120)
    starts = {bytes(bases[i : i + 101]): i for i in range(20)}
    drawn = [w for seed in range(400) for w in backgrounds.real_windows([Sequence("x", "", bases)], 5, seed)]
    tally = np.bincount([starts[bytes(window)] for window in drawn], minlength=20)
    assert tally.sum() == 2000
    assert tally.min() > 60 and tally.max() < 140  # 100 each, standard deviation 8.7


def test_shuffles_keep_dinucleotides(real_windows: np.ndarray) -> None:
    pytest.importorskip("dinuc_shuf")
    windows = np.frombuffer(b"ACGT", np.uint8)[real_windows[:30]]
    shuffles = backgrounds.shuffled_windows(windows, 70, 2)
    assert (shuffles[:30] != windows).any(axis=1).all()
    assert (shuffles[:30] != shuffles[30:60]).any(axis=1).all()

    def count(window: np.ndarray) -> list[int]:
        joined = window.tobytes().decode()
        return [sum(joined[i : i + 2] == a + b for i in range(100)) for a in "ACGT" for b in "ACGT"]

    for i, shuffle in enumerate(shuffles):
        assert count(shuffle) == count(windows[i % 30])


def test_shuffles_without_their_library_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dinuc_shuf", None)
    with pytest.raises(SaresnetError, match=r"needs? dinuc_shuf.* pip install 'saresnet\[explain\]'"):
        backgrounds.shuffled_windows(backgrounds.random_windows(2, 0), 2, 0)
