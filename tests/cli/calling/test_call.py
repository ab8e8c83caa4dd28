"""Sites of a genome, and the same from its scan, by several rules, threads and regions."""

from __future__ import annotations

import gzip
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli import Region
from saresnet_cli import pipeline as pipelines
from saresnet_cli.calling import Cutoff, call, call_scan, scored_windows
from saresnet_cli.calling.narrowpeak import narrowpeak_line
from saresnet_cli.calling.sites import Site
from saresnet_cli.runtime import Runtime
from support.called_windows import CPU, HEAD, RULES, line, places, printed_windows, rows, sites_of

Command = Callable[..., subprocess.CompletedProcess[str]]


# From a genome and from its scan


@pytest.mark.parametrize("stride", [7, 20, 60])
def test_a_genome_is_called_window_by_window(model: Path, genome: Path, stride: int) -> None:
    windows = printed_windows(model, genome, stride)
    shares = sorted(p for *_, p in windows)
    ratio = [p * len(shares) / (i + 1) for i, p in enumerate(shares)]
    limit = max((p for i, p in enumerate(shares) if min(ratio[i:]) <= 0.2), default=0.0)
    passes: list[Callable[[float, float], bool]] = [
        lambda logit, p: logit >= 0,  # the toy's card
        lambda logit, p: logit >= 1.5,
        lambda logit, p: p <= 0.2,
        lambda logit, p: p <= limit,
    ]
    for cutoff, passing in zip(RULES, passes, strict=True):
        run = call(model, genome, stride=stride, cutoff=cutoff, runtime=CPU)
        sites = list(run)
        assert places(sites) == sites_of(windows, passing)
        assert {(site.logit, site.pvalue) for site in sites} <= {(logit, p) for *_, logit, p in windows}
        assert run.summary.kept == len(sites)
        assert run.summary.windows == len(windows)
        assert [site.name for site in sites] == [f"TOY_CELL_{i + 1}" for i in range(len(sites))]
        assert all((site.qvalue is None) == (cutoff.max_qvalue is None) for site in sites)
        if cutoff.max_qvalue is not None:
            for site in sites:
                assert site.qvalue == pytest.approx(
                    min(r for p, r in zip(shares, ratio, strict=True) if p >= site.pvalue)
                )
                assert site.pvalue is not None and site.qvalue is not None
                assert site.pvalue <= site.qvalue <= 0.2
        assert len(sites) > 1


@pytest.mark.parametrize(
    "options", [[], ["--threshold", "1.5"], ["--max-pvalue", "0.2"], ["--max-qvalue", "0.2"], ["--min-distance", "40"]]
)
def test_a_scan_gives_the_bytes_of_its_genome(saresnet: Command, genome: Path, options: list[str]) -> None:
    models = ["--model", "MAX_K562", "--model", "CTCF_K562"]
    direct = saresnet("call", genome, *models, *options, "--device", "cpu")
    assert saresnet("scan", genome, *models, "--stride", 20, "--device", "cpu", "-o", "scan.bed.gz").returncode == 0
    again = saresnet("call", "--scan", "scan.bed.gz", *options)
    assert again.stdout == direct.stdout
    table = rows(direct)
    assert len(table) > 2
    assert len({tuple(row[:3]) for row in table}) * 2 == len(table)  # both are the same toy
    for id in ("MAX_K562", "CTCF_K562"):
        names = [row[3] for row in table if row[3].startswith(id)]
        assert names == [f"{id}_{i + 1}" for i in range(len(names))]
    text = gzip.decompress((genome.parent / "scan.bed.gz").read_bytes()).decode()
    piped = saresnet("call", "--scan", "-", *options, "--model", "MAX_K562", input=text)
    assert rows(piped) == [row for row in table if row[3].startswith("MAX_K562")]
    assert "model=CTCF_K562" not in piped.stdout
    bare = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    assert rows(saresnet("call", "--scan", "-", *options, input=bare)) == table


def test_a_model_from_elsewhere_may_have_blanks_in_its_id(
    saresnet: Command, genome: Path, toy: SimpleNamespace, tmp_path: Path
) -> None:
    id = "My TF  sha256=a kept=b_K 562"
    by = ("--model", toy.model(tmp_path / "own.onnx", toy.card(id)), "--device", "cpu")
    direct = saresnet("call", genome, *by)
    assert saresnet("scan", genome, *by, "--stride", 20, "-o", "scan.bed").returncode == 0
    assert saresnet("call", "--scan", "scan.bed", *by[:2]).stdout == direct.stdout
    table = rows(direct)
    assert table and {row[3].rpartition("_")[0] for row in table} == {id}
    whole = saresnet("call", "--scan", "scan.bed", "--max-qvalue", "0.2")  # which is refused where rows are left out
    assert rows(whole) == rows(saresnet("call", genome, *by, "--max-qvalue", "0.2"))
    assert saresnet("scan", genome, *by, "--min-score", "0.5", "-o", "few.bed").returncode == 0
    assert "only rows with score>=0.5" in saresnet("call", "--scan", "few.bed", "--max-qvalue", "0.2").stderr


def test_the_columns_are_those_of_narrowpeak(saresnet: Command, genome: Path, sequences: dict[str, str]) -> None:
    done = saresnet("call", genome, "--model", "MAX_K562", "--max-qvalue", "0.3", "--device", "cpu")
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith("# saresnet 0") and first.endswith(" max_qvalue=0.3 min_distance=101")
    assert " model=MAX_K562 " in first and " stride=20 " in first
    assert second == "#chrom\tstart\tend\tname\tscore\tstrand\tsignalValue\tpValue\tqValue\tpeak"
    table = rows(done)
    assert table
    for chrom, start, end, _, score, strand, signal, pvalue, qvalue, peak in table:
        assert 0 <= int(start) < int(end) <= len(sequences[chrom])
        assert 0 <= int(peak) < int(end) - int(start)
        assert int(score) == round(1000 / (1 + math.exp(-float(signal))))
        assert strand == "."
        assert 0 <= float(qvalue) <= float(pvalue)


def test_what_is_not_known_is_minus_one() -> None:
    site = Site("chr1", 10, 111, "X_1", "X", 60, -0.25)
    assert narrowpeak_line(site) == b"chr1\t10\t111\tX_1\t438\t.\t-0.2500\t-1\t-1\t50\n"
    site = Site("chr1", 10, 111, "X_1", "X", 60, 900.0, 1.0, 0.05)
    assert narrowpeak_line(site) == b"chr1\t10\t111\tX_1\t1000\t.\t900.0000\t0.0000\t1.3010\t50\n"


def test_sites_come_while_the_scan_goes_on(model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 1)
    runtime = Runtime(device="cpu", threads=1, batch_size=1)
    total = len(printed_windows(model, genome, 20))
    with call(model, genome, runtime=runtime) as run:
        next(iter(run))
        assert run.summary.windows < total / 2


def test_a_site_comes_when_windows_have_gone_past_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", 1)
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0) + "".join(line("a", 101 + i, "-1.0") for i in range(500)))
    with call_scan(path, cutoff=Cutoff(threshold=0.0)) as run:
        next(iter(run))
        assert run.summary.windows < 10


def test_many_held_windows_go_to_a_file(model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cutoff = Cutoff(max_qvalue=0.2)
    wanted = list(call(model, genome, cutoff=cutoff, runtime=CPU))
    monkeypatch.setattr(scored_windows.Spool, "_IN_MEMORY", 100)
    monkeypatch.setattr(scored_windows.Spool, "_AT_ONCE", 3)
    assert list(call(model, genome, cutoff=cutoff, runtime=CPU)) == wanted
    assert wanted


def test_threads_do_not_show(model: Path, genome: Path) -> None:
    runs = [list(call(model, genome, runtime=Runtime(device="cpu", threads=n))) for n in (1, 3)]
    assert runs[0] == runs[1]


# Regions


def test_regions_are_sorted_and_joined(model: Path, genome: Path) -> None:
    jumbled = [
        Region("chrM", 300, 500),
        Region("chr1", 1600, 2200),
        Region("1", 100, 700),  # its other name
        Region("chr1", 650, 900),  # overlaps the one before
        Region("chr1", 900, 1000),  # and this touches
        Region("chr1", 2000, 2100),  # inside another
        Region("chrM", 0, 5),  # shorter than a window, as are the next two: all three give one and the same
        Region("chrM", 7, 9),
        Region("chrM", 11, 12),
        Region("chr1", 1600, 2200),  # again
    ]
    tidy = [
        Region("chrM", 0, 5),
        Region("chrM", 300, 500),
        Region("chr1", 100, 1000),
        Region("chr1", 1600, 2200),
    ]
    for cutoff in RULES:
        run = call(model, genome, jumbled, cutoff=cutoff, runtime=CPU)
        assert list(run) == list(call(model, genome, tidy, cutoff=cutoff, runtime=CPU))
    windows = printed_windows(model, genome, 20, tidy)
    assert places(list(call(model, genome, jumbled, runtime=CPU))) == sites_of(windows, lambda logit, p: logit >= 0)


def test_a_region_outside_the_genome_is_named_before_anything_is_computed(
    saresnet: Command, genome: Path, tmp_path: Path
) -> None:
    (tmp_path / "r.bed").write_text("chr1\t0\t900\nchr1\t10\t7000\n")
    done = saresnet("call", genome, "r.bed", "--model", "MAX_K562", "--device", "cpu", "-o", "sites.narrowPeak")
    assert (done.returncode, done.stdout) == (1, "")
    assert "saresnet: error: r.bed:2: end 7000 is beyond the end of chr1, which has 6000 bp" in done.stderr
    assert not list(tmp_path.glob("*narrowPeak*"))
    done = saresnet("call", genome, "-", "--model", "MAX_K562", "--device", "cpu", input="# none\n")
    assert rows(done) == []
    assert "standard input holds no regions" in done.stderr


# Other programs, and real sequence


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")
def test_bedtools_reads_sites_and_finds_them_sorted(saresnet: Command, genome: Path, tmp_path: Path) -> None:
    done = saresnet("call", genome, "--model", "MAX_K562", "--device", "cpu", "-o", "sites.narrowPeak")
    assert done.returncode == 0

    def bedtools(*arguments: str) -> list[str]:
        command = ["bedtools", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert not ran.stderr
        return ran.stdout.splitlines()

    sites = [text for text in (tmp_path / "sites.narrowPeak").read_text().splitlines() if not text.startswith("#")]
    assert len(sites) > 3
    assert bedtools("sort", "-i", "sites.narrowPeak") == sites
    assert len(bedtools("merge", "-d", "-1", "-i", "sites.narrowPeak")) == len(sites)  # none overlap
    assert bedtools("intersect", "-u", "-a", "sites.narrowPeak", "-b", "sites.narrowPeak") == sites


def test_sites_on_real_sequence_are_the_peaks(example_genome: Path, example_peaks: Path) -> None:
    peaks = [tuple(map(int, text.split("\t")[1:3])) for text in example_peaks.read_text().splitlines()]
    sites = list(call("CTCF_GM12878", example_genome, cutoff=Cutoff(max_pvalue=1e-4), stride=50, runtime=CPU))
    assert len(sites) >= 4
    for site in sites:
        assert any(start <= site.summit < end for start, end in peaks), site


def test_the_figures_in_the_documentation_are_the_measured_ones() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs/howto"
    table = [row.split("\t") for row in (docs / "call_chr20.tsv").read_text().splitlines() if not row.startswith("#")]
    measured = {(r[2], r[3]): r for r in table if r[0] == "CTCF_GM12878"}
    shown = re.findall(
        r"^\| ([^|]+) \| ([\d,]+) \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \|$",
        (docs / "call.md").read_text(),
        re.M,
    )
    assert len(shown) == 7
    for words, sites, *figures in shown:
        count = sites.replace(",", "")
        option = re.sub(r"`--max-(.)value (.*)`", r"\1 \2", words)
        ours = measured["CTCF_GM12878", f"best {count}" if "best" in words else option]
        pwm = measured["MA0139.1", f"best {count}"]
        assert ours[4] == pwm[4] == count
        shares = [(row[5], row[4], row[7], row[1]) for row in (ours, pwm)]  # right / sites, found / peaks
        assert figures == [f"{int(a) / int(b):.3f}" for row in shares for a, b in (row[:2], row[2:])]
