"""Motifs put into backgrounds: what goes in, what the table says of it, and what a real model responds to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli import pipeline
from saresnet_cli.marginalizing import backgrounds
from saresnet_cli.marginalizing.marginals import Marginal, insert, marginalize, place, sign_test
from saresnet_cli.marginalizing.motifs import IUPAC, Motif, MotifError, parse_consensus
from saresnet_cli.runtime import Runtime

Command = Callable[..., subprocess.CompletedProcess[str]]
CPU = Runtime(engine="onnxruntime", device="cpu", threads=1)
LIGHT = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1")
MOTIFS = {
    "CTCF_GM12878": "CCACNAGGTGGCAG",
    "REST_GM12878": "TTCAGCACCNNGGACAGCGCC",
    "SRF_H1-hESC": "CCATATATGG",
}
"""The motif of each model's factor."""


def text(windows: np.ndarray) -> list[str]:
    return [window.tobytes().decode() for window in windows]


def measured(model: object, motifs: list[Motif], windows: np.ndarray, **options: object) -> list[Marginal]:
    with marginalize(model, motifs, windows, **{"runtime": CPU, **options}) as results:  # type: ignore[arg-type]
        return list(results)


# What goes in


@given(st.text("ACGTRYSWKMBDHVN", min_size=1, max_size=101), st.integers(0, 101), st.booleans(), st.integers(0, 99))
def test_a_motif_is_put_where_it_was_asked_for(codes: str, at: int, backwards: bool, seed: int) -> None:
    at = min(at, 101 - len(codes))
    if set(codes) == {"N"}:
        codes = "A" + codes[1:]
    motif = parse_consensus(codes)
    windows = backgrounds.random_windows(5, seed)
    drawn = np.random.default_rng(seed).random((5, len(codes)))
    inserted = text(insert(windows, motif, at, "-" if backwards else "+", drawn))
    forward = text(insert(windows, motif, at, "+", drawn))
    for old, new, ahead in zip(text(windows), inserted, forward, strict=True):
        assert new[:at] + new[at + len(codes) :] == old[:at] + old[at + len(codes) :]
        site, was = new[at : at + len(codes)], old[at : at + len(codes)]
        read = site[::-1].translate(str.maketrans("ACGT", "TGCA")) if backwards else site
        beneath = was[::-1].translate(str.maketrans("ACGT", "TGCA")) if backwards else was
        for code, base, under, drew in zip(codes, read, beneath, ahead[at : at + len(codes)], strict=True):
            if code == "N":
                assert base == under
            else:
                assert base in IUPAC[code] and base == drew  # the same bases on either strand


def test_bases_are_drawn_by_their_probability() -> None:
    motif = Motif("x", np.array([[0.1, 0.2, 0.3, 0.4], [0, 1, 0, 0]]))
    windows = np.full((20_000, 101), ord("A"), np.uint8)
    inserted = insert(windows, motif, 50, "+", np.random.default_rng(1).random((20_000, 2)))
    share = [(inserted[:, 50] == ord(base)).mean() for base in "ACGT"]
    np.testing.assert_allclose(share, [0.1, 0.2, 0.3, 0.4], atol=0.012)  # 3.5 standard deviations
    assert (inserted[:, 51] == ord("C")).all()


def test_a_base_without_probability_is_never_drawn() -> None:
    motif = Motif("x", np.array([[0.7, 0.2, 0.1, 0.0]]))
    assert motif.probability.cumsum()[-1] < 1  # rounded
    inserted = insert(np.full((1, 101), ord("A"), np.uint8), motif, 50, "+", np.full((1, 1), np.nextafter(1, 0)))
    assert chr(inserted[0, 50]) == "G"


def test_a_motif_that_does_not_fit_is_refused() -> None:
    assert place(parse_consensus("ACG"), None) == 49
    assert place(parse_consensus("A" * 101), None) == 0
    assert place(parse_consensus("ACG"), 98) == 98
    with pytest.raises(MotifError, match=r"ACG of 3 bp does not fit at position 99 .* give a position of 0 to 98"):
        place(parse_consensus("ACG"), 99)
    with pytest.raises(MotifError, match="102 bp, a window 101"):
        place(parse_consensus("A" * 102), None)


# What is measured


def test_the_difference_is_what_the_motif_adds(model: Path, toy: SimpleNamespace) -> None:
    windows = backgrounds.random_windows(40, 8)
    found = measured(model, [parse_consensus("ACGTNNT"), parse_consensus("GG")], windows, position=11)
    assert [(m.motif.id, m.strand, m.model) for m in found] == [("ACGTNNT", "+", "TOY_CELL"), ("GG", "+", "TOY_CELL")]
    for marginal in found:
        for i, window in enumerate(text(windows)):
            site = "".join(b if c == "N" else c for c, b in zip(marginal.motif.id, window[11:], strict=False))
            changed = window[:11] + site + window[11 + len(site) :]
            assert marginal.before[i] == pytest.approx(toy.logit(window), abs=1e-4)
            assert marginal.after[i] == pytest.approx(toy.logit(changed), abs=1e-4)
    difference = found[0].difference
    assert found[0].sd == pytest.approx(np.std(difference, ddof=1))
    assert found[0].positive == (difference > 0).mean()


def test_chunks_threads_and_other_motifs_do_not_show(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = backgrounds.random_windows(150, 8)
    motifs = [parse_consensus("RYN"), parse_consensus("SWSW")]
    whole = measured(model, motifs, windows, both_orientations=True, seed=4)
    assert [(m.motif.id, m.strand) for m in whole] == [(i, s) for i in ("RYN", "SWSW") for s in "+-"]
    monkeypatch.setattr(pipeline, "CHUNK_WINDOWS", 64)
    parts = measured(
        model,
        motifs[1:],
        windows,
        both_orientations=True,
        seed=4,
        runtime=Runtime("onnxruntime", device="cpu", threads=2),
    )
    for ours, theirs in zip(whole[2:], parts, strict=True):
        np.testing.assert_array_equal(ours.before, theirs.before)
        np.testing.assert_array_equal(ours.after, theirs.after)
    other = measured(model, motifs[1:], windows, seed=5)[0]
    assert (other.after != parts[0].after).any()


def test_backgrounds_of_another_shape_are_refused(model: Path) -> None:
    for windows in (np.zeros((3, 100), np.uint8), np.zeros((0, 101), np.uint8), np.zeros((3, 101))):
        with pytest.raises(ValueError, match="backgrounds are"):
            marginalize(model, [parse_consensus("A")], windows)


@pytest.mark.parametrize(("raised", "lowered"), [(5, 3), (500, 500), (700, 300), (0, 10), (3, 3), (1, 0), (123, 77)])
def test_the_sign_test_is_scipys(raised: int, lowered: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert sign_test(raised, lowered) == pytest.approx(stats.binomtest(raised, raised + lowered).pvalue, rel=1e-9)


def test_the_sign_test_is_never_zero() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(100_000, 0) == 1e-300


def test_each_model_responds_most_to_the_motif_of_its_factor() -> None:
    windows = backgrounds.random_windows(150, 0)
    motifs = [parse_consensus(text) for text in MOTIFS.values()]
    found = measured(list(MOTIFS), motifs, windows)
    mean = np.array([marginal.difference.mean() for marginal in found]).reshape(3, 3)  # motif, model
    assert mean.argmax(axis=0).tolist() == mean.argmax(axis=1).tolist() == [0, 1, 2]
    for own in found[::4]:
        assert own.difference.mean() > 5 and own.positive > 0.99 and own.pvalue < 1e-40
    assert np.sort(mean, axis=0)[1].max() < 3


# The command


def test_the_table(saresnet: Command, model: Path, tmp_path: Path) -> None:
    (tmp_path / "m.jaspar").write_text(">MA0004.1 Arnt\n4 19 0 0 0 0\n16 0 20 0 0 0\n0 1 0 20 0 20\n0 0 0 0 20 0\n")
    arguments = ("marginalize", "--motif", "m.jaspar", "-m", "ACGNN", "--model", model, "--count", 30, *LIGHT)
    done = saresnet(*arguments, "--both-orientations", "--seed", 7)
    assert done.returncode == 0, done.stderr
    about, names, *rows = done.stdout.splitlines()
    assert about.startswith("# saresnet 0.") and " model=TOY_CELL " in about
    assert about.endswith(" backgrounds=30 kind=random seed=7 position=center bases=likeliest")
    assert names == "#motif\tname\twidth\tstrand\tmodel\tbackgrounds\tbefore\tafter\tdifference\tsd\tpositive\tpvalue"
    table = [row.split("\t") for row in rows]
    assert [row[:6] for row in table] == [["MA0004.1", "Arnt", "6", strand, "TOY_CELL", "30"] for strand in "+-"] + [
        ["ACGNN", ".", "5", strand, "TOY_CELL", "30"] for strand in "+-"
    ]
    (arnt,) = measured(model, [parse_consensus("CACGTG")], backgrounds.random_windows(30, 7), seed=7)
    wanted = [arnt.before.mean(), arnt.after.mean(), arnt.difference.mean(), arnt.sd, arnt.positive]
    assert [float(value) for value in table[0][6:11]] == pytest.approx(wanted, abs=6e-5)
    assert float(table[0][11]) == pytest.approx(arnt.pvalue, rel=0.01)
    assert table[0][6:] == table[1][6:]  # CACGTG is its own reverse complement
    assert saresnet(*arguments, "--both-orientations", "--seed", 7).stdout == done.stdout


def test_backgrounds_from_a_file(saresnet: Command, model: Path, genome: Path) -> None:
    pytest.importorskip("dinuc_shuf")
    arguments = ("marginalize", "-m", "ACGNN", "--model", model, *LIGHT, "--background")
    shuffled = saresnet(*arguments, genome, "--count", 50)
    assert " backgrounds=50 kind=shuffles " in shuffled.stdout
    as_is = saresnet(*arguments, genome, "--count", 5000, "--no-shuffle")
    assert " backgrounds=3178 kind=sequences " in as_is.stdout
    assert "genome.fa has 3178 windows of 101 bp without N: all are used" in as_is.stderr
    lone = saresnet(*arguments, "-", "--count", 1, "--no-shuffle", input=">x\n" + "ACGTG" * 21 + "\n")
    assert lone.stdout.splitlines()[-1].split("\t")[9] == "NA"
    blank = saresnet(*arguments, "-", input=">x\nACGT\n")
    assert blank.returncode == 1
    assert "standard input: it has no window of 101 bp without N; give longer" in blank.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-m", "CCXG"], 1, "motif 'CCXG' is neither a file nor a consensus: 'X' is no nucleotide code"),
        (["-m", "ACG", "--position", "99"], 1, "give a position of 0 to 98"),
        (["-m", "ACG", "--position", "left"], 2, "--position left"),
        (["-m", "ACG", "--position", "-1"], 2, "--position -1"),
        (["-m", "ACG", "--no-shuffle"], 2, "--no-shuffle needs --background"),
        (["-m", "ACG", "--count", "0"], 2, "--count"),
        (["-m", "ACG", "--background", "missing.fa"], 1, "missing.fa: No such file"),
        (["-m", "ACG", "--plot", "x.pdf"], 1, "x.pdf: a picture is PNG or SVG"),
        ([], 2, "--motif"),
    ],
)
def test_wrong_use_is_one_line(
    saresnet: Command, model: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = saresnet("marginalize", "--model", model, "-o", "out.tsv", *LIGHT, *arguments)
    assert done.returncode == code
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == "" and not (tmp_path / "out.tsv").exists()


@pytest.mark.parametrize("motifs", [("ACG",), ("ACG", "GG", "TTAT")])
def test_a_plot_is_the_same_each_time(saresnet: Command, model: Path, tmp_path: Path, motifs: tuple[str, ...]) -> None:
    pytest.importorskip("matplotlib")
    options = [word for motif in motifs for word in ("-m", motif)]
    for name in ("a.svg", "b.svg", "a.png"):
        done = saresnet("marginalize", *options, "--model", model, "--count", 40, "--plot", name, *LIGHT)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 2 + len(motifs)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_help_fits_and_imports_nothing_heavy(saresnet: Command) -> None:
    done = saresnet("marginalize", "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) < 50
