"""Explanations: exact for a model that is a sum, the factor's motif for a real one, and files that others read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli import Region, load_model, pipeline, scan, score
from saresnet_cli.errors import RegionError
from saresnet_cli.explaining import Explanations, Mutagenesis, explain, explanations
from saresnet_cli.marginalizing import random_windows, shuffled_windows
from saresnet_cli.regions import read_regions
from saresnet_cli.runtime import Runtime
from saresnet_cli.sequences import Sequence, read_fasta

Command = Callable[..., subprocess.CompletedProcess[str]]
CPU = Runtime(engine="onnxruntime", device="cpu", threads=1)
LIGHT = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1")
CTCF = "CTCF_GM12878"


def explained(model: object, *where: object, **options: object) -> Explanations:
    """Explain with the package: all rows as one table."""
    with explain(model, *where, **{"runtime": CPU, **options}) as run:  # type: ignore[arg-type]
        return joined(list(run))


def joined(blocks: list[Explanations]) -> Explanations:
    return Explanations(*(np.concatenate([vars(b)[name] for b in blocks]) for name in vars(blocks[0])))


def sequence(text: str, name: str = "x") -> Sequence:
    return Sequence(name, "", np.frombuffer(text.encode(), np.uint8))


def letters(windows: np.ndarray) -> list[str]:
    return [window.tobytes().decode() for window in windows]


# Mutagenesis


@given(st.lists(st.text("ACGTNR", min_size=101, max_size=101), min_size=1, max_size=3), st.integers(1, 2))
def test_every_change_is_made_and_measured(windows: list[str], models: int) -> None:
    method = Mutagenesis()
    bases = np.stack([sequence(text).bases for text in windows])
    made = letters(method.windows(bases))
    wanted = []
    for text in windows:
        wanted.append(text)
        for i, base in enumerate(text):
            wanted += [text[:i] + other + text[i + 1 :] for other in "ACGT" if base in "ACGT" and other != base]
    assert made == wanted
    value = {text: np.random.default_rng(i).normal(size=models) for i, text in enumerate(wanted)}
    found = method.explain(bases, np.array([value[text] for text in made], np.float32))
    for w, text in enumerate(windows):
        np.testing.assert_allclose(found.logit[w], value[text], rtol=1e-6)
        for i, base in enumerate(text):
            if base not in "ACGT":
                assert np.isnan(found.effect[w, :, i]).all()
                assert (found.contribution[w, :, i] == 0).all()
                continue
            effect = np.array([value[text[:i] + other + text[i + 1 :]] - value[text] for other in "ACGT"])
            np.testing.assert_allclose(found.effect[w, :, i], effect.T, atol=1e-5)
            for b in range(4):  # against the mean of the three others
                would = effect[b] - (effect.sum(axis=0) - effect[b]) / 3
                np.testing.assert_allclose(found.contribution[w, :, i, b], would, atol=1e-5)
    assert np.isnan(found.missing).all()


def test_a_sum_is_explained_exactly(model: Path, toy: SimpleNamespace, genome: Path, sequences: dict[str, str]) -> None:
    found = explained(model, genome, [Region("chr1", 1095, 1196, "near N"), Region("chr1", 300, 900, "all known")])
    assert found.name.tolist() == ["near N", "all known"]
    assert found.start.tolist() == [1095, 550]
    for i in range(len(found)):
        text = sequences["chr1"][found.start[i] : found.end[i]]
        assert letters(found.bases[i : i + 1]) == [text]
        assert found.logit[i] == pytest.approx(toy.logit(text), abs=1e-4)
        for at, base in enumerate(text):
            weights = np.array([toy.logit("N" * at + other + "N" * (100 - at)) for other in "ACGT"])
            own = weights["ACGT".index(base)]
            np.testing.assert_allclose(found.effect[i, at], weights - own, atol=1e-4)
            assert found.attribution[i, at] == pytest.approx(own - (weights.sum() - own) / 3, abs=1e-4)


# Which windows


def test_the_window_is_around_the_summit_or_the_middle_and_in_the_genome(model: Path, genome: Path) -> None:
    regions = [
        Region("chr1", 100, 500, summit=130),
        Region("chr1", 100, 501),
        Region("chr1", 0, 30),
        Region("1", 2990, 3000),
        Region("chr2", 10, 11),
    ]
    found = explained(model, genome, regions)
    assert found.start.tolist() == [80, 250, 0, 2899, 0]
    assert found.chrom.tolist() == ["chr1", "chr1", "chr1", "1", "chr2"]


def test_intervals_of_pybedtools_have_the_summits_of_their_file(model: Path, genome: Path, tmp_path: Path) -> None:
    pybedtools = pytest.importorskip("pybedtools")
    path = tmp_path / "x.narrowPeak"
    path.write_text("chr1\t100\t600\ta\t0\t.\t9\t5\t3\t60\nchr1\t300\t500\tb\t0\t.\t9\t5\t3\t-1\n")
    found = explained(model, genome, pybedtools.BedTool(str(path)))
    assert found.start.tolist() == explained(model, genome, path).start.tolist() == [110, 350]
    bad = pybedtools.BedTool("chr1\t100\t600\ta\t0\t.\t9\t5\t3\t501", from_string=True)
    with pytest.raises(RegionError, match="summit 501 is outside the 500 bp of the peak"):
        explained(model, genome, bad)


def test_all_windows_are_those_of_a_scan(model: Path, genome: Path) -> None:
    found = explained(model, genome, [Region("chr1", 100, 400, "r")], window="all", stride=80)
    assert found.start.tolist() == [100, 180, 260, 299]
    assert set(found.name) == {"r"}
    region = Region("chr1", 900, 1700)  # with 300 N inside
    with scan(model, genome, [region], stride=10, runtime=CPU) as blocks:
        starts = [start for block in blocks for start in block.start.tolist()]
    with explain(model, genome, [region], window="all", stride=10, runtime=CPU) as run:
        assert joined(list(run)).start.tolist() == starts
    assert run.summary.skipped == blocks.summary.skipped


def test_of_equal_windows_the_first_is_explained(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "ACG" * 100
    whole = explained(model, [sequence(text)])
    assert whole.start[0] < 3
    monkeypatch.setattr(pipeline, "CHUNK_WINDOWS", 64)
    assert explained(model, [sequence(text)]).start.tolist() == whole.start.tolist()


def test_what_cannot_be_explained_is_counted(model: Path, genome: Path) -> None:
    regions = [Region("chr1", 1250, 1400), Region("tiny", 0, 60), Region("chrM", 0, 700)]
    with explain(model, genome, regions, runtime=CPU) as run:
        (only,) = run
    assert only.chrom.tolist() == ["chrM"]
    assert run.summary.skipped == {"windows with more than 10% N": 1, "regions in sequences shorter than 101 bp": 1}
    assert run.summary.windows == 1
    assert "1 windows explained, 1 explanations from 304 scored windows, skipped: 1 windows with" in str(run.summary)


def test_a_region_has_to_be_in_the_genome(model: Path, genome: Path, tmp_path: Path) -> None:
    for line, message in (("chrX\t5\t9", "no sequence named 'chrX'"), ("chr1\t2000\t3001", "end 3001 is beyond")):
        bed = tmp_path / "r.bed"
        bed.write_text(f"chr1\t5\t500\n{line}\n")
        with pytest.raises(RegionError, match=rf"r\.bed:2: .*{message}"):
            explained(model, genome, bed)


def test_a_sequence_is_explained_where_it_scores_highest(model: Path, sequences: dict[str, str]) -> None:
    records = [sequence(text, name) for name, text in sequences.items()]
    (scores,) = score(load_model(model), records, runtime=CPU)
    with explain(model, records, runtime=CPU) as run:
        found = joined(list(run))
    usable = scores.windows > 0
    assert found.chrom.tolist() == found.name.tolist() == scores.name[usable].tolist()
    assert found.start.tolist() == scores.start[usable, 0].tolist()
    np.testing.assert_allclose(found.logit, scores.logit[usable, 0], atol=1e-4)
    assert run.summary.skipped["sequences shorter than 101 bp"] == 1


def test_the_central_window_of_a_sequence(model: Path) -> None:
    texts = [letters(random_windows(1, i))[0] * 2 for i in range(3)]
    records = [sequence(texts[0]), sequence(texts[1][:101]), sequence(texts[2][:150])]
    assert explained(model, records, window="center").start.tolist() == [51, 0, 25]


def test_each_model_has_its_own_best_window(example_genome: Path, example_peaks: Path) -> None:
    models = [CTCF, "CTCF_Dnd41"]
    peaks = list(read_regions(example_peaks))[:2]
    (whole,) = read_fasta(example_genome)
    found = explained(models, example_genome, peaks, window="best")
    pieces = [Sequence(peak.name, "", whole.bases[peak.start : peak.end]) for peak in peaks]
    (scores,) = score(models, pieces, runtime=CPU)
    wanted = {(p.name, m): p.start + int(scores.start[i, j]) for i, p in enumerate(peaks) for j, m in enumerate(models)}
    assert {(n, m): s for n, m, s in zip(found.name, found.model, found.start.tolist(), strict=True)} == wanted
    assert len(set(wanted.values())) == 4  # they do differ


# Groups


def test_groups_do_not_show_and_a_window_that_comes_again_is_scored_once(
    model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = np.random.default_rng(5).integers(0, 12, 60) * 40
    regions = [Region("chr1", int(start), int(start) + 101, f"r{i}") for i, start in enumerate(starts)]
    with explain(model, genome, regions, runtime=CPU) as run:
        whole = joined(list(run))
    assert whole.start.tolist() == starts.tolist()
    assert run.summary.scored == 304 * len(set(starts.tolist()))
    for group, remembered in ((1, 3), (7, 1), (64, 2)):
        monkeypatch.setattr(explanations, "GROUP", group)
        monkeypatch.setattr(explanations, "REMEMBERED", remembered)
        parts = explained(model, genome, regions, runtime=Runtime("onnxruntime", device="cpu", threads=2))
        for name, column in vars(whole).items():
            np.testing.assert_array_equal(column, vars(parts)[name], err_msg=name)


# What a real model says


def site_matrix(found: Explanations, width: int) -> tuple[int, np.ndarray]:
    """Where the attribution of `width` bases together is largest, and bases there, likelier with more effect."""
    start = int(np.convolve(found.attribution[0], np.ones(width), "valid").argmax())
    likelihood = np.exp(found.effect[0, start : start + width])
    return start, (likelihood / likelihood.sum(axis=1, keepdims=True)).T


def test_a_ctcf_site_is_explained_by_the_motif_of_ctcf(example_genome: Path, example_peaks: Path) -> None:
    jaspar = pytest.importorskip("pyjaspar")
    tomtom = pytest.importorskip("memelite").tomtom
    motifs = jaspar.jaspardb(release="JASPAR2024").fetch_motifs(
        collection="CORE", tax_group=["vertebrates"], tf_class="C2H2 zinc finger factors"
    )  # those most like it
    assert len(motifs) > 150
    matrices = [np.array([motif.counts[base] for base in "ACGT"], float) for motif in motifs]
    names = [f"{motif.matrix_id} {motif.name}" for motif in motifs]
    found = explained(CTCF, example_genome, example_peaks, window="best")
    best = {}
    for row in found.rows():
        _, matrix = site_matrix(row, 19)
        pvalues = tomtom([matrix], [counts / counts.sum(axis=0) for counts in matrices], n_jobs=1)[0][0]
        best[row.name[0].removeprefix("CTCF_peak_")] = (names[int(pvalues.argmin())], float(pvalues.min()))
    assert [name.split()[1] for name, _ in best.values()] == [
        "CTCF",
        "CTCFL",
        *["CTCF"] * 5,
    ]  # CTCFL binds as CTCF does
    # 2.7e-7, 1.5e-6, 9.4e-9 and 5.6e-9 when this was written
    assert all(best[peak][0] == "MA0139.2 CTCF" and best[peak][1] < 1e-5 for peak in "1467"), best


def test_a_planted_motif_is_found(real_windows: np.ndarray) -> None:
    pytest.importorskip("dinuc_shuf")
    motif = "TGGCCACCAGGGGGCGCTA"
    windows = shuffled_windows(np.frombuffer(b"ACGT", np.uint8)[real_windows[::60]], 6, 1)
    places = [2, 20, 41, 55, 70, 82]
    for window, place in zip(windows, places, strict=True):
        window[place : place + 19] = sequence(motif).bases
    found = explained(CTCF, [sequence(text) for text in letters(windows)])
    for i, place in enumerate(places):
        top = np.argsort(-found.attribution[i])[:8]
        assert (top >= place).all() and (top < place + 19).all(), (place, sorted(top.tolist()))
        sums = np.convolve(found.attribution[i], np.ones(19), "valid")
        assert abs(int(sums.argmax()) - place) <= 3


# The command


def test_the_command_writes_table_picture_and_npz(
    saresnet: Command, model: Path, genome: Path, tmp_path: Path, toy: SimpleNamespace, sequences: dict[str, str]
) -> None:
    pytest.importorskip("logomaker")
    bed = "chr1\t100\t300\tone\nchr1\t1095\t1211\ttwo\n"
    arguments = ("explain", genome, "-", "--model", model, *LIGHT)
    done = saresnet(*arguments, "--plot", "x.svg", "--npz", "x.npz", input=bed)
    assert done.returncode == 0, done.stderr
    about, names, *rows = done.stdout.splitlines()
    assert about.startswith("# saresnet 0.") and about.endswith(" windows=center method=ism")
    assert names == "#chrom\tstart\tend\tbase\tattribution\tA\tC\tG\tT\tname\tmodel\twindow\tlogit"
    table = [row.split("\t") for row in rows]
    assert [row[9] for row in table] == ["one"] * 101 + ["two"] * 101
    assert [int(row[1]) for row in table] == [*range(150, 251), *range(1103, 1204)]
    assert table[-1][3:9] == ["N", *["NA"] * 5]
    assert table[0][12] == f"{toy.logit(sequences['chr1'][150:251]):.4f}"
    for name in ("x.svg", "x.ohe.npz", "x.shap.npz"):
        assert (tmp_path / name).stat().st_size > 100
    assert "modisco motifs -s x.ohe.npz -a x.shap.npz" in done.stderr
    assert "2 windows explained, 2 explanations from 596 scored windows, skipped: nothing" in done.stderr
    assert saresnet(*arguments, input=bed).stdout == done.stdout
    for name in ("y.png", "y.npz"):
        assert saresnet(*arguments, "-o", name, input=bed).stdout == ""
    assert (tmp_path / "y.shap.npz").read_bytes() == (tmp_path / "x.shap.npz").read_bytes()
    assert (tmp_path / "y.png").exists()
    assert saresnet(*arguments, "-o", "y.tsv", input=bed).stdout == ""
    assert (tmp_path / "y.tsv").read_text() == done.stdout


def test_the_command_reads_sequences(saresnet: Command, model: Path, genome: Path) -> None:
    done = saresnet("explain", genome, "--model", model, *LIGHT, "-q")
    rows = [line.split("\t") for line in done.stdout.splitlines() if line[0] != "#"]
    assert list(dict.fromkeys(row[0] for row in rows)) == ["chr1", "chr2", "chrM"]
    assert " windows=best method=ism\n" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["genome.fa", "--method", "ig"], 2, "--method ig needs --checkpoint FILE.pt"),
        (["genome.fa", "--checkpoint", "x.pt"], 2, "--checkpoint is for --method ig or deeplift"),
        (["genome.fa", "-o", "x.png", "--plot", "y.png"], 2, "Give either -o x.png or --plot"),
        (["genome.fa", "--window", "middle"], 2, "middle"),
        (["genome.fa", "--plot", "x.pdf"], 1, "x.pdf: a picture is PNG or SVG"),
        (["genome.fa", "-o", "x.pdf"], 1, "x.pdf: a picture is PNG or SVG; give a name that ends in .png or .svg"),
        (["genome.fa", "-o", "x.JPG"], 1, "x.JPG: a picture is PNG or SVG"),
        (["genome.fa", "none.bed"], 1, "none.bed: No such file"),
        (["none.fa"], 1, "none.fa: No such file"),
        (["genome.fa", "--npz", "none/x.npz"], 1, "its folder does not exist; mkdir -p none"),
        (["genome.fa", "blank.bed", "--plot", "x.png"], 1, "nothing was explained, so there is nothing to draw"),
    ],
)
def test_wrong_use_is_one_line(
    saresnet: Command, model: Path, genome: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    pytest.importorskip("logomaker")
    (tmp_path / "blank.bed").write_text("blank\t0\t200\n")
    options = [] if "-o" in arguments else ["-o", "out.tsv"]
    done = saresnet("explain", "--model", model, *options, "-q", *LIGHT, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out.tsv").exists() and not list(tmp_path.glob("x.*"))


def test_help_fits_and_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("numpy", "torch", "onnxruntime", "matplotlib", "pandas")
    script = (
        "import sys; from saresnet_cli.main import main; code = main(sys.argv[1:]);"
        f"print([m for m in {heavy} if m in sys.modules]); sys.exit(code)"
    )
    for name in ("explain", "marginalize"):
        command = [sys.executable, "-c", script, name, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        *shown, loaded = done.stdout.splitlines()
        assert loaded == "[]"
        assert len(shown) < 50
