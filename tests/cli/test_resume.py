"""A scan that is killed leaves no half file, and goes on to the bytes of one that was not."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from saresnet_cli import Genome, bgzf, load_model, scan
from saresnet_cli import pipeline as pipelines
from saresnet_cli.errors import OutputError
from saresnet_cli.formats import journal
from saresnet_cli.formats.layout import Layout
from saresnet_cli.formats.writing import Source, open_writer
from saresnet_cli.runtime import Runtime
from saresnet_cli.shards import Shard

Command = Callable[..., subprocess.CompletedProcess[str]]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, and each is written down."""
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 64)
    monkeypatch.setattr(journal, "SECONDS", 0.0)


@pytest.fixture
def write(genome: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Scan to a file: all of it, or until so many blocks are written, when the process vanishes without a word."""

    def run(
        name: str,
        blocks: int | None = None,
        resume: bool = False,
        regions: Path | None = None,
        models: list[Path] | None = None,
        **options: Any,
    ) -> Any:
        loaded = [load_model(path) for path in models or [model]]
        stride = options.pop("stride", 3)
        shard = options.pop("shard", None)
        layout = Layout.choose(f"{tmp_path}/{name}", models=len(loaded), shard=shard, **options.pop("layout", {}))
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(Genome(genome))
            found = stack.enter_context(
                scan(loaded, opened, regions, stride=stride, shard=shard, runtime=Runtime(device="cpu"), **options)
            )
            writer = open_writer(layout, loaded, opened, stride, found.summary, Source(regions, options, resume))
            put = stack.enter_context(writer)
            for number, block in enumerate(found):
                if number == blocks:
                    _vanish(writer)
                    raise Killed
                put(block)
        return found.summary

    return run


def _vanish(writer: Any) -> None:
    """Leave the files as SIGKILL does: what Python or a thread still holds is lost, and no one tidies up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with contextlib.suppress(Killed):
            writer.__exit__(Killed, Killed(), None)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("name", ["out.bed", "out.bed.gz", "out.tsv", "out.tsv.bgz"])
@pytest.mark.parametrize("blocks", [1, 4, 15])
def test_the_bytes_are_those_of_an_unbroken_run(
    write: Callable[..., Any], tmp_path: Path, name: str, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgzf, "BLOCK_BYTES", 1000)  # a file of a few kB has many blocks
    monkeypatch.setattr("saresnet_cli.output._BLOCKS_AHEAD", 2)
    counted = write(name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    with pytest.raises(Killed):
        write(name, blocks)
    assert not (tmp_path / name).exists()
    assert left(tmp_path) == [f".{name}.journal", f".{name}.part"]
    entries = (tmp_path / f".{name}.journal").read_bytes().splitlines()
    assert len(entries) == blocks + 1
    again = write(name, resume=True)
    assert (tmp_path / name).read_bytes() == whole
    assert left(tmp_path) == []
    for quantity in ("windows", "kept", "skipped", "reached"):
        assert getattr(again, quantity) == getattr(counted, quantity)


def test_it_goes_on_and_does_not_begin_anew(
    write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    computed = []
    pvalues = scan.__globals__["pvalues"]
    monkeypatch.setitem(scan.__globals__, "pvalues", lambda *given: (computed.append(given[1]), pvalues(*given))[1])
    caplog.set_level("INFO", "saresnet")
    whole = write("all.bed")
    count = sum(map(len, computed))
    with pytest.raises(Killed):
        write("out.bed", 15)
    computed.clear()
    write("out.bed", resume=True)
    kept = int(re.search(r"out\.bed is gone on with after ([0-9]+) windows", caplog.text)[1])  # type: ignore[index]
    assert count / 2 < kept < count == whole.windows
    assert sum(map(len, computed)) == count - kept


def test_it_can_be_killed_again_and_again(write: Callable[..., Any], tmp_path: Path) -> None:
    write("all.bed")
    for _ in range(3):
        with pytest.raises(Killed):
            write("out.bed", 4, resume=True)
    write("out.bed", resume=True)
    assert (tmp_path / "out.bed").read_bytes() == (tmp_path / "all.bed").read_bytes()


def test_regions_shards_filters_and_several_files(
    write: Callable[..., Any], tmp_path: Path, toy: SimpleNamespace
) -> None:
    bed = tmp_path / "a.bed"
    bed.write_text("tiny\t0\t60\nchr1\t0\t1500\nchr1\t100\t900\n2\t0\t101\nchrM\t3\t700\ntiny\t0\t9\n")
    models = [toy.model(tmp_path / f"{id}.onnx", toy.card(id)) for id in ("A_x", "B_y")]
    how = {"regions": bed, "models": models, "shard": Shard(2, 3), "stride": 1, "max_pvalue": 0.4}
    counted = write("all/", **how)
    with pytest.raises(Killed):
        write("out/", 5, **how)
    again = write("out/", resume=True, **how)
    assert again.skipped == counted.skipped
    for id in ("A_x", "B_y"):
        assert (tmp_path / "out" / f"{id}.bed").read_bytes() == (tmp_path / "all" / f"{id}.bed").read_bytes()
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stride": 4}, "another models"),
        ({"max_pvalue": 0.3}, "another max_pvalue"),
        ({"layout": {"format": "tsv"}}, "another output"),
        ("genome", "another genome"),
        ("processor", "another processor"),
        ("journal", "what is left is damaged"),
        ("header", "what is left is of a scan with another"),
        ("short", "the earlier run had just begun"),
        ("text", "what is left was changed"),
        ("gone", "the earlier run had just begun"),
    ],
)
def test_what_is_left_of_another_scan_is_not_gone_on_with(
    write: Callable[..., Any],
    tmp_path: Path,
    genome: Path,
    change: Any,
    reason: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part, log = tmp_path / ".out.bed.part", tmp_path / ".out.bed.journal"
    with pytest.raises(Killed):
        write("out.bed", 6, max_pvalue=0.5)
    options: dict[str, Any] = {"max_pvalue": 0.5}
    if isinstance(change, dict):
        options |= change
    elif change == "genome":
        os.utime(genome, (2**30, 2**30))
    elif change == "processor":
        monkeypatch.setattr("saresnet_cli.formats.fingerprint._processor", lambda: "another")
    elif change == "journal":
        log.write_bytes(log.read_bytes().replace(b'"reached"', b'"reach"'))
    elif change == "header":
        log.write_bytes(b"{}\n" + log.read_bytes())
    elif change == "short":
        os.truncate(part, 30)
    elif change == "text":
        part.write_bytes(part.read_bytes().replace(b"chr1", b"chr2", 1))
    elif change == "gone":
        part.unlink()
    caplog.set_level("INFO", "saresnet")
    write("out.bed", resume=True, **options)
    assert reason in caplog.text
    found = (tmp_path / "out.bed").read_bytes()
    write("all.bed", **options)
    assert found == (tmp_path / "all.bed").read_bytes()


def test_a_journal_that_was_cut_short_counts_up_to_there(write: Callable[..., Any], tmp_path: Path) -> None:
    write("all.bed")
    with pytest.raises(Killed):
        write("out.bed", 6)
    log = tmp_path / ".out.bed.journal"
    os.truncate(log, log.stat().st_size - 9)
    assert write("out.bed", resume=True).windows
    assert (tmp_path / "out.bed").read_bytes() == (tmp_path / "all.bed").read_bytes()


def test_without_resume_it_begins_anew_and_an_error_leaves_nothing(write: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        write("out.bed", 4)
    write("out.bed", stride=5)
    write("all.bed", stride=5)
    assert (tmp_path / "out.bed").read_bytes() == (tmp_path / "all.bed").read_bytes()
    (tmp_path / "a.bed").write_text("chr1\t0\t3000\nchr9\t0\t5\n")
    with pytest.raises(Exception, match="chr9"):
        write("bad.bed", regions=tmp_path / "a.bed")
    assert left(tmp_path) == []


def test_two_processes_do_not_write_one_file(write: Callable[..., Any], tmp_path: Path) -> None:
    with journal.open_journal([tmp_path / "out.bed"], {}, SimpleNamespace(), False) as held:  # type: ignore[arg-type]
        with pytest.raises(OutputError, match=r"out\.bed: another process is writing it; give another name"):
            write("out.bed")
        with held.open(tmp_path / "out.bed") as file:
            file.write(b"first\n")
    assert (tmp_path / "out.bed").read_bytes() == b"first\n"
    write("out.bed")


def test_two_processes_share_no_file_among_several(tmp_path: Path) -> None:
    first, shared, second = (tmp_path / f"{name}.bed" for name in "abc")
    summary: Any = SimpleNamespace()
    with journal.open_journal([first, shared], {}, summary, False) as held:
        with (
            pytest.raises(OutputError, match=r"b\.bed: another process is writing it; give another name"),
            journal.open_journal([second, shared], {}, summary, False),
        ):
            pass
        assert not [path for path in tmp_path.iterdir() if "c.bed" in path.name]
        for path in (first, shared):
            with held.open(path) as file:
                file.write(b"first\n")
    assert shared.read_bytes() == b"first\n"
    assert left(tmp_path) == []


# The command


@pytest.fixture
def large(tmp_path: Path, fasta: Callable[..., str]) -> Path:
    """A genome that takes the toy some seconds at stride 1."""
    bases = np.random.default_rng(3).choice(np.frombuffer(b"ACGT", np.uint8), 120_000)
    path = tmp_path / "large.fa"
    path.write_bytes(b">one\n" + bases.tobytes() + b"\n")
    return path


@contextlib.contextmanager
def running(model: Path, tmp_path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SOON, "scan", "large.fa", "--model", str(model), "--stride", "1", *options]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


SOON = """
from saresnet_cli.formats import journal
journal.SECONDS = 0.02
from saresnet_cli.main import run
run()
"""


def entries(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes().count(b"\n") - 1
    return 0


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_command_goes_on(
    saresnet: Command, model: Path, large: Path, tmp_path: Path, signal_: signal.Signals
) -> None:
    options = ["--resume"] if signal_ != signal.SIGKILL else []  # after SIGKILL it goes on also without
    log = tmp_path / ".out.bed.gz.journal"
    with running(model, tmp_path, "-o", "out.bed.gz", *options) as process:
        end = time.monotonic() + 60
        while entries(log) < 15 and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        process.send_signal(signal_)
        process.wait()
    assert process.returncode == (-signal.SIGKILL if signal_ == signal.SIGKILL else 143)
    assert left(tmp_path) == [".out.bed.gz.journal", ".out.bed.gz.part"]
    assert not (tmp_path / "out.bed.gz").exists()
    done = saresnet("scan", large, "--model", model, "--stride", "1", "-o", "out.bed.gz", "--resume")
    assert done.returncode == 0, done.stderr
    assert "out.bed.gz is gone on with after" in done.stderr
    assert "119,900 windows scored" in done.stderr
    assert left(tmp_path) == []
    whole = saresnet("scan", large, "--model", model, "--stride", "1").stdout
    assert gzip.decompress((tmp_path / "out.bed.gz").read_bytes()).decode() == whole
    with (tmp_path / "out.bed.gz").open("rb") as file:
        found = bgzf.find_blocks(file)
    assert set(np.diff(found[:-2, 1]).tolist()) == {bgzf.BLOCK_BYTES}  # the blocks are those of an unbroken run, too


def test_another_stride_does_not_go_on(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.bed.journal").write_text(json.dumps({"form": 0}) + "\n")
    done = saresnet("scan", genome, "--model", model, "-o", "out.bed", "--resume")
    assert done.returncode == 0
    assert "out.bed is begun: what is left is of a scan with another" in done.stderr
    assert (tmp_path / "out.bed").read_text() == saresnet("scan", genome, "--model", model).stdout


@pytest.mark.parametrize("options", [[], ["-o", "a.bw"], ["-o", "a.bedgraph"], ["-", "-o", "a.bed"]])
def test_what_can_not_go_on_is_said(saresnet: Command, genome: Path, model: Path, options: list[str]) -> None:
    done = saresnet("scan", genome, *options, "--model", model, "--resume", input="chr1\t0\t500\n")
    assert done.returncode == 2
    assert "--resume goes on with a BED or TSV file" in done.stderr
