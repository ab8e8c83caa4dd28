"""A scan from Python: the right windows, the right scores, in the right order."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from saresnet_cli import Genome, Region, load_model, reading, scan
from saresnet_cli import pipeline as pipelines
from saresnet_cli.errors import GenomeError, ModelError, RegionError
from saresnet_cli.runtime import Runtime
from saresnet_cli.scanning import Block
from saresnet_cli.scorer import Scorer
from saresnet_cli.windows import window_starts

Row = tuple[str, int, int, float]
CPU = Runtime(device="cpu")


def rows(blocks: Iterable[Block]) -> list[Row]:
    return [
        row
        for b in blocks
        for row in zip(b.chrom.tolist(), b.start.tolist(), b.end.tolist(), b.logit[:, 0].tolist(), strict=True)
    ]


def expected(
    sequences: dict[str, str], regions: list[Region], stride: int, logit: Callable[[str], float], max_n: float = 0.1
) -> list[Row]:
    """Scan without the package, a window at a time."""
    found = []
    for region in regions:
        text = sequences[region.chrom]
        for start in window_starts(region.start, region.end, len(text), stride).tolist():
            window = text[start : start + 101]
            if sum(base not in "ACGT" for base in window) <= max_n * 101:
                found.append((region.chrom, start, start + 101, pytest.approx(logit(window), abs=1e-4)))
    return found


def whole(sequences: dict[str, str]) -> list[Region]:
    return [Region(name, 0, len(text)) for name, text in sequences.items()]


@pytest.mark.parametrize("stride", [1, 7, 50, 1000])
def test_every_sequence_in_file_order(
    model: Path, genome: Path, sequences: dict[str, str], toy: SimpleNamespace, stride: int
) -> None:
    run = scan(model, genome, stride=stride, runtime=CPU)
    found = rows(run)
    assert found == expected(sequences, whole(sequences), stride, toy.logit)
    assert run.summary.windows == run.summary.kept == len(found)
    assert run.summary.skipped["sequences shorter than 101 bp"] == 1


def test_regions_in_their_own_order_at_every_edge(
    model: Path, genome: Path, sequences: dict[str, str], toy: SimpleNamespace
) -> None:
    regions = [
        Region("chrM", 700, 777),  # shorter than a window, at the end of the chromosome
        Region("chr1", 2899, 3000),  # just one window, flush with the end
        Region("chr1", 2898, 3000),  # and one base more
        Region("chr1", 0, 5),
        Region("chr2", 0, 101),
        Region("chr1", 1000, 1300),  # into the N
        Region("chrM", 3, 400),
        Region("chr1", 0, 5),  # again
    ]
    assert rows(scan(model, genome, regions, runtime=CPU)) == expected(sequences, regions, 50, toy.logit)


def test_many_regions_in_many_chunks(
    model: Path, genome: Path, sequences: dict[str, str], toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_REGIONS_AT_ONCE", 7)
    monkeypatch.setattr(reading, "_GAP", 20)
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 5)
    rng = np.random.default_rng(5)
    regions = []
    for _ in range(60):
        name = str(rng.choice(["chr1", "chr2", "chrM", "tiny", "blank"]))
        start, end = sorted(rng.choice(len(sequences[name]) + 1, 2, replace=False).tolist())
        regions.append(Region(name, start, end))
    run = scan(model, genome, iter(regions), stride=13, runtime=Runtime(device="cpu", batch_size=3))
    assert rows(run) == expected(sequences, regions, 13, toy.logit)
    assert run.summary.skipped["regions in sequences shorter than 101 bp"] == sum(r.chrom == "tiny" for r in regions)


@pytest.mark.parametrize(("max_n", "kept"), [(0.0, 0), (0.049, 0), (5 / 101, 1), (1.0, 1)])
def test_max_n_counts_every_letter_but_acgt(
    model: Path, tmp_path: Path, toy: SimpleNamespace, max_n: float, kept: int
) -> None:
    text = "RYNKM" + "ACGT" * 24
    path = tmp_path / "a.fa"
    path.write_text(f">x\n{text}\n")
    run = scan(model, path, max_n=max_n, runtime=CPU)
    assert [row[3] for row in rows(run)] == pytest.approx([toy.logit(text)] * kept, abs=1e-4)
    reason = f"windows with more than {100 * max_n:.3g}% N"
    assert run.summary.skipped == ({} if kept else {reason: 1})


def test_scores_p_values_and_filters(model: Path, genome: Path) -> None:
    everything = list(scan(model, genome, stride=3, runtime=CPU))
    logit, score, pvalue = (
        np.concatenate([getattr(block, name)[:, 0] for block in everything]) for name in ("logit", "score", "pvalue")
    )
    assert score == pytest.approx([1 / (1 + math.exp(-x)) for x in logit.tolist()])
    assert ((pvalue > 0) & (pvalue <= 1)).all()
    assert (np.diff(pvalue[np.argsort(logit)]) <= 0).all()
    by_score = list(scan(model, genome, stride=3, min_score=0.6, runtime=CPU))
    assert np.concatenate([block.logit[:, 0] for block in by_score]).tolist() == logit[score >= 0.6].tolist()
    run = scan(model, genome, stride=3, max_pvalue=0.5, runtime=CPU)
    by_pvalue = np.concatenate([block.logit[:, 0] for block in run])
    assert by_pvalue.tolist() == logit[pvalue <= 0.5].tolist()
    assert 0 < run.summary.kept == len(by_pvalue) < run.summary.windows == len(logit)


def test_without_a_background_there_are_no_p_values(genome: Path, tmp_path: Path, toy: SimpleNamespace) -> None:
    bare = load_model(toy.model(tmp_path / "bare.onnx", toy.card(background=False)))
    blocks = list(scan(bare, genome, runtime=CPU))
    assert all(np.isnan(block.pvalue).all() for block in blocks)
    with pytest.raises(ModelError, match="no background"):
        scan(bare, genome, max_pvalue=0.1)


def test_threads_and_batches_do_not_show(model: Path, genome: Path) -> None:
    runtimes = [Runtime(device="cpu", threads=threads, batch_size=size) for threads, size in [(1, 128), (3, 32)]]
    runs = [rows(scan(model, genome, stride=1, runtime=runtime)) for runtime in runtimes]
    assert runs[0] == runs[1]


def test_a_bridged_region_keeps_its_own_name(model: Path, genome: Path) -> None:
    found = rows(scan(model, genome, [Region("1", 0, 101), Region("MT", 0, 101)], runtime=CPU))
    assert [row[0] for row in found] == ["1", "MT"]
    assert [row[3] for row in found] == [
        row[3] for row in rows(scan(model, genome, [Region("chr1", 0, 101), Region("chrM", 0, 101)], runtime=CPU))
    ]


def test_intervals_of_pybedtools_are_regions(model: Path, genome: Path) -> None:
    pybedtools = pytest.importorskip("pybedtools")
    interval = pybedtools.Interval("chr1", 100, 300)
    assert rows(scan(model, genome, [interval], runtime=CPU)) == rows(
        scan(model, genome, [Region("chr1", 100, 300)], runtime=CPU)
    )


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (Region("chr2", 50, 102), "chr2:50-102: end 102 is beyond the end of chr2, which has 101 bp"),
        (Region("chr9", 1, 2), "no sequence named 'chr9'"),
        (Region("chr1", 9, 9), "start 9 is not less than end 9"),
        (Region("chr1", -5, 9), "start -5"),
    ],
)
def test_a_region_outside_the_genome_is_an_error(model: Path, genome: Path, region: Region, message: str) -> None:
    with pytest.raises(RegionError) as caught:
        rows(scan(model, genome, [Region("chr1", 0, 500), region], runtime=CPU))
    assert message in str(caught.value)


def test_an_open_genome_stays_open(model: Path, genome: Path) -> None:
    with Genome(genome) as opened:
        first = rows(scan(model, opened, runtime=CPU))
        assert rows(scan(model, opened, runtime=CPU)) == first


def test_leaving_early_stops_the_threads(model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 1)
    before = threading.active_count()
    with scan(model, genome, stride=1, runtime=Runtime(device="cpu", batch_size=1)) as run:
        next(iter(run))
    assert threading.active_count() == before
    assert run.summary.windows < 50  # and little was read ahead


def test_an_error_of_the_reader_is_raised_and_nothing_of_the_bad_sequence_is_given(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_text(">x\n" + "ACGT" * 100 + "\n>y\n" + "MELK" * 100 + "\n")
    found = []
    with pytest.raises(GenomeError, match="letter 'E' at position 1 of y"):
        for block in scan(model, path, [Region("x", 0, 400), Region("y", 0, 400)], runtime=CPU):
            found.append(block)
    assert all(set(block.chrom) == {"x"} for block in found)


@pytest.mark.parametrize("options", [{"stride": 0}, {"max_n": 1.5}, {"models": []}])
def test_options_out_of_range_are_mistakes_of_the_caller(model: Path, genome: Path, options: dict) -> None:
    with pytest.raises(ValueError, match=r"stride|max_n|no models"):
        scan(options.pop("models", model), genome, **options)


def test_windows_that_coincide_are_computed_once(
    model: Path, genome: Path, sequences: dict[str, str], toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    submit = Scorer.submit

    def counting(self: Scorer, windows: np.ndarray) -> object:
        computed.extend(window.tobytes() for window in windows)
        return submit(self, windows)

    monkeypatch.setattr(Scorer, "submit", counting)
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 8)
    regions = [Region("chr1", s, s + 301) for s in (0, 100, 200, 100, 50)] + [Region("chrM", 0, 200)] * 3
    assert rows(scan(model, genome, regions, runtime=CPU)) == expected(sequences, regions, 50, toy.logit)
    assert len(computed) == len(set(computed)) == 9 + 3


def test_several_models_in_one_pass_give_what_each_gives_alone(
    genome: Path, tmp_path: Path, toy: SimpleNamespace
) -> None:
    ids = ["A_x", "B_x", "C_x"]
    models = [load_model(toy.model(tmp_path / f"{id}.onnx", toy.card(id, background=id != "B_x"))) for id in ids]
    blocks = list(scan(models, genome, stride=9, runtime=CPU))
    for column, model in enumerate(models):
        alone = list(scan(model, genome, stride=9, runtime=CPU))
        for name in ("logit", "score", "pvalue"):
            together = np.concatenate([getattr(block, name)[:, column] for block in blocks])
            assert together.tobytes() == np.concatenate([getattr(block, name)[:, 0] for block in alone]).tobytes()
    with pytest.raises(ModelError, match="is called A_x, as "):
        scan([models[0], load_model(models[0].path)], genome)


FOLDERS = ("calling", "explaining", "marginalizing", "registry", "variants")


@pytest.mark.parametrize("package", ["saresnet_cli", *(f"saresnet_cli.{folder}" for folder in FOLDERS)])
def test_the_package_offers_what_it_says(package: str) -> None:
    offers = importlib.import_module(package)
    for name in offers.__all__:
        assert getattr(offers, name).__name__ == name
        assert name in dir(offers)
    with pytest.raises(AttributeError, match="nothing"):
        offers.nothing  # noqa: B018


def test_packages_import_nothing_heavy_before_a_name_is_used() -> None:
    code = f"import sys, saresnet_cli.{', saresnet_cli.'.join(FOLDERS)}\n"
    code += "print([m for m in ('numpy', 'ssl', 'pysam', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
