"""Scans that are damaged, filtered or of several models, and mistakes of usage."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli import load_model
from saresnet_cli.calling import Cutoff, call, call_scan
from saresnet_cli.errors import ModelError, RegionError
from support.called_windows import CPU, HEAD, line, rows

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("a", 5) + line("a", 4), "4: start 4 is below the one before"),
        (line("a", 5) + line("a", 6) + line("a", 4), "5: start 4 is below the one before"),
        (line("a", 5) + line("b", 5) + "\n# comment\n" + line("a", 500), "7: a comes again after b"),
        (line("a", 5) + "a\t6\t107\tTOY_CELL\n", "4: is not a row of a scan"),
        (line("a", 5) + "a\t6\t100\tTOY_CELL\t0\t.\t1\t0.5\n", "4: is not a row of a scan"),
        (line("a", 5, "high"), "3: is not a row of a scan"),
        (line("a", 5, "nan"), "3: is not a row of a scan"),
        (line("a", 5) + line("a", 6, "1", "nan") + line("a", 7), "4: is not a row of a scan"),
        (line("a", 5, "1", "0"), "3: is not a row of a scan"),
        (line("a", -5), "3: is not a row of a scan"),
        ("name\tmodel\tlength\n", "3: is not a row of a scan"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_a_row_that_is_not_of_a_sorted_scan_is_named(
    text: str, message: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + text)
    with pytest.raises(RegionError) as caught:
        list(call_scan(path, cutoff=Cutoff(threshold=0.0)))
    assert str(caught.value).startswith(f"{path}:{message}")


def test_windows_that_come_twice_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [0.9, 0.01, 0.02, 0.6, 0.7]
    once = [line("a", 200 * i, "1.0", str(p)) for i, p in enumerate(shares)]
    path = tmp_path / "scan.bed"
    for at_once in (1, 1 << 22):
        monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
        found = []
        for text in ("".join(once), "".join(once[:2] + [once[1]] * 3 + once[2:])):
            path.write_text(HEAD + text)
            run = call_scan(path, cutoff=Cutoff(max_qvalue=0.1))
            found.append((list(run), run.summary.windows))
        assert found[0] == found[1]
        assert [site.qvalue for site in found[0][0]] == pytest.approx([0.05, 0.05])


def test_windows_just_at_a_q_value_pass(tmp_path: Path) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + "".join(line("a", 200 * i, "1.0", p) for i, p in enumerate(["0.15", "0.9", "0.15", "0.15"])))
    assert len(list(call_scan(path, cutoff=Cutoff(max_qvalue=0.2)))) == 3


@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_several_models_come_in_one_order(at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
    text = line("a", 0, name="A") + line("a", 0, name="B") + line("a", 60, name="A") + line("a", 120, name="B")
    text += line("a", 150, name="A") + line("b", 0, name="B") + line("b", 10, "-5", name="A")
    text += line("b", 300, name="C")
    path = tmp_path / "scan.bed"
    path.write_text(text)
    sites = list(call_scan(path, cutoff=Cutoff(threshold=0.0)))
    assert [(s.chrom, s.start, s.end, s.name) for s in sites] == [
        ("a", 0, 251, "A_1"),
        ("a", 0, 101, "B_1"),
        ("a", 120, 221, "B_2"),
        ("b", 0, 101, "B_3"),
        ("b", 300, 401, "C_1"),
    ]


def test_the_lowest_q_value_is_said_where_none_passes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0) + line("a", 300, "1.0", "0.9"))
    with caplog.at_level("WARNING", "saresnet"):
        assert list(call_scan(path, cutoff=Cutoff(max_qvalue=0.005))) == []
    assert caplog.messages == ["TOY_CELL: no q-value is at most 0.005, the lowest is 0.02"]


def test_q_values_need_every_window(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD.replace("=abc", "=abc kept=pvalue<=0.1") + line("a", 0) + line("a", 300))
    with pytest.raises(RegionError, match=r"it holds only rows with pvalue<=0.1, and .*; scan without --max-pvalue"):
        list(call_scan(path, cutoff=Cutoff(max_qvalue=0.5)))
    path.write_text(HEAD + line("a", 0) + line("a", 300))
    with caplog.at_level("WARNING", "saresnet"):
        assert len(list(call_scan(path, cutoff=Cutoff(max_qvalue=0.5)))) == 2
    (said,) = caplog.messages
    assert "no p-value of TOY_CELL is above 0.5: if rows were taken out" in said


def test_a_filtered_scan_says_so(model: Path, example_genome: Path, saresnet: Command) -> None:
    scanned = saresnet("scan", example_genome, "--model", model, "--min-score", 0.5, "--max-pvalue", 0.25)
    assert scanned.stdout.splitlines()[0].endswith(" kept=score>=0.5,pvalue<=0.25")
    done = saresnet("call", "--scan", "-", "--max-qvalue", 0.5, input=scanned.stdout)
    assert done.returncode == 1
    assert "it holds only rows with score>=0.5,pvalue<=0.25" in done.stderr


def test_a_scan_without_p_values(tmp_path: Path) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0, "2.0", "."))
    (site,) = call_scan(path, cutoff=Cutoff(threshold=0.0))
    assert site.pvalue is None
    for cutoff in (Cutoff(max_pvalue=0.1), Cutoff(max_qvalue=0.1)):
        with pytest.raises(RegionError, match="no p-values; use --threshold"):
            list(call_scan(path, cutoff=cutoff))


def test_a_model_without_a_background(genome: Path, tmp_path: Path, toy: SimpleNamespace) -> None:
    bare = load_model(toy.model(tmp_path / "bare.onnx", toy.card(background=False)))
    assert all(site.pvalue is None for site in call(bare, genome, runtime=CPU))
    for cutoff in (Cutoff(max_pvalue=0.1), Cutoff(max_qvalue=0.1)):
        with pytest.raises(ModelError, match="no background, so no p-values; use --threshold"):
            call(bare, genome, cutoff=cutoff)


def test_a_threshold_is_that_of_the_model_that_scanned(saresnet: Command, model: Path, genome: Path) -> None:
    done = saresnet("scan", genome, "--model", model, "--device", "cpu", "-o", "scan.bed")
    assert done.returncode == 0
    done = saresnet("call", "--scan", "scan.bed")
    assert done.returncode == 1
    assert "error: no model 'TOY_CELL'" in done.stderr and "--threshold" in done.stderr
    assert rows(saresnet("call", "--scan", "scan.bed", "--model", model))
    done = saresnet("call", "--scan", "scan.bed", "--model", "MAX_K562")
    assert (done.returncode, done.stdout) == (1, "")
    assert "scan.bed: holds no scores by MAX_K562; it has TOY_CELL" in done.stderr
    text = (genome.parent / "scan.bed").read_text()
    other = text.replace("sha256=", "sha256=0")
    done = saresnet("call", "--scan", "-", "--model", model, input=other)
    assert done.returncode == 1
    assert "is not the TOY_CELL that made the scan" in done.stderr
    assert rows(saresnet("call", "--scan", "-", "--threshold", "0", input=other))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tf", "CTCF"], "GENOME.fa or --scan"),
        (["g.fa", "--scan", "s.bed"], "GENOME.fa or --scan"),
        (["g.fa"], "Say which model"),
        (["g.fa", "--model", "x", "--max-pvalue", "0.1", "--threshold", "0"], "one of"),
        (["g.fa", "--model", "x", "--max-qvalue", "0"], "--max-qvalue"),
        (["--scan", "s.bed", "--stride", "20"], "--stride"),
        (["--scan", "s.bed", "--batch-size", "8"], "--batch-size"),
    ],
)
def test_mistakes_of_usage(saresnet: Command, arguments: list[str], message: str) -> None:
    done = saresnet("call", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


def test_mistakes_of_the_caller(model: Path, genome: Path) -> None:
    for options in ({"threshold": 0.0, "max_pvalue": 0.1}, {"max_pvalue": 0.0}, {"max_qvalue": 1.5}):
        with pytest.raises(ValueError, match=r"threshold|max_"):
            Cutoff(**options)
    with pytest.raises(ValueError, match="min_distance"):
        call(model, genome, min_distance=0)


def test_a_damaged_scan_leaves_no_file(saresnet: Command, tmp_path: Path) -> None:
    packed = gzip.compress((HEAD + "".join(line("a", 200 * i) for i in range(5000))).encode())
    (tmp_path / "scan.bed.gz").write_bytes(packed[: len(packed) // 2])
    done = saresnet("call", "--scan", "scan.bed.gz", "--threshold", "0", "-o", "sites.narrowPeak")
    assert done.returncode == 1
    assert "scan.bed.gz: its compressed data is damaged" in done.stderr
    assert not list(tmp_path.glob("*narrowPeak*"))
