"""The command as a process: what it prints, where, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest

from saresnet_cli import bgzf, scan
from saresnet_cli.main import COMMANDS, main
from saresnet_cli.printed import six_decimals, three_digits
from saresnet_cli.runtime import Runtime

Command = Callable[..., subprocess.CompletedProcess[str]]
HEADER = "#chrom\tstart\tend\tname\tscore\tstrand\tlogit\tpvalue"


def results(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The rows of a scan that went well."""
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]


# Help


@pytest.mark.parametrize(
    "arguments", [["--help"], ["scan", "--help"], ["models", "--help"], ["finetune", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys; from saresnet_cli.main import main; code = main(sys.argv[1:]);"
        "print([m for m in ('numpy', 'torch', 'onnxruntime', 'onnx', 'pyfaidx') if m in sys.modules]); sys.exit(code)"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command", ["scan", "score", "call", "variants", "explain", "marginalize", "finetune", "serve", "selftest"]
)
def test_help_fits_a_screen(saresnet: Command, command: str) -> None:
    lines = saresnet(command, "--help").stdout.splitlines()
    assert len(lines) <= 40
    assert f"  saresnet {command}" in "\n".join(lines[:20])  # its commonest use comes before its options


def test_help_lists_every_command(saresnet: Command) -> None:
    done = saresnet("--help")
    assert done.returncode == 0
    for name in ("scan", "score", "call", "variants", "models", "finetune", "train", "export"):
        assert f"\n  {name} " in done.stdout


@click.command()
def needy() -> None:
    """A command that finds out when it runs."""
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


@pytest.mark.parametrize("module", ["torch", __name__])
def test_an_extra_that_is_missing_is_named(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, sys.modules[__name__] if module == __name__ else None)
    monkeypatch.setitem(COMMANDS, "train", (module, "needy", ""))
    assert main(["train"]) == 1
    wanted = "saresnet: error: `saresnet train` needs torch, which is not installed; pip install 'saresnet[train]'\n"
    assert capsys.readouterr().err == wanted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "g.fa"], "Say which model"),
        (["scan", "g.fa", "--model", "x", "--tf", "CTCF"], "either --model"),
        (["scan", "g.fa", "--tf", "CTCF", "--stride", "0"], "--stride"),
        (["scan", "g.fa", "--tf", "CTCF", "--max-n", "2"], "--max-n"),
        (["scan", "g.fa", "--tf", "CTCF", "--max-n", "nan"], "'--max-n': 'nan' is no finite number"),
        (["call", "g.fa", "--tf", "CTCF", "--threshold", "inf"], "'--threshold': 'inf' is no finite number"),
        (["scan", "g.fa", "--tf", "CTCF", "--device", "tpu"], "tpu"),
        (["scan", "g.fa", "--threads", "none"], "none"),
        (["scam"], "No such command 'scam'"),
        (["scan", "g.fa", "a.bed", "b.bed"], "b.bed"),
    ],
)
def test_a_wrong_use_is_one_line_and_2(saresnet: Command, arguments: list[str], message: str) -> None:
    done = saresnet(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("saresnet: error: ")
    assert message in done.stderr
    assert "--help" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


# Results


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_scan_is_bed_with_a_header(saresnet: Command, genome: Path, model: Path, engine: str) -> None:
    done = saresnet("scan", genome, "--model", model, "--engine", engine)
    head = done.stdout.splitlines()[:2]
    assert head[0].startswith("# saresnet 0.")
    assert " model=TOY_CELL sha256=" in head[0]
    assert head[0].endswith(f" window=101 stride=50 strands=both engine={engine} precision=float32 background=shuffled")
    assert head[1] == HEADER
    rows = results(done)
    assert rows[0][:4] == ["chr1", "0", "101", "TOY_CELL"]
    for row in rows:
        assert len(row) == len(HEADER.split("\t"))
        assert int(row[2]) - int(row[1]) == 101
        assert row[5] == "."
        assert len(row[4].split(".")[1]) == 6
        assert len(row[6].split(".")[1]) == 4
        assert 0 < float(row[7]) <= 1
        assert 1 / (1 + 2.718281828459045 ** -float(row[6])) == pytest.approx(float(row[4]), abs=2e-5)


def test_the_summary_says_what_was_skipped(saresnet: Command, genome: Path, model: Path) -> None:
    done = saresnet("scan", genome, "--model", model, "--device", "cpu", "--threads", "1")
    summary = done.stderr.splitlines()[-1]
    assert f"{len(results(done))} windows scored" in summary
    assert "windows with more than 10% N" in summary
    assert "1 sequences shorter than 101 bp" in summary
    assert "windows/s on CPU, 1 thread" in summary
    assert saresnet("scan", genome, "--model", model, "--quiet").stderr == ""


def test_auto_says_what_it_uses(saresnet: Command, genome: Path, model: Path) -> None:
    assert "saresnet: device: C" in saresnet("scan", genome, "--model", model).stderr


def test_the_same_input_gives_the_same_bytes(saresnet: Command, genome: Path, model: Path) -> None:
    runs = [
        saresnet("scan", genome, "--model", model, "--stride", "1", "--device", "cpu", "--threads", threads).stdout
        for threads in ("1", "2", "2")
    ]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0].count("\n") > 2000


def test_regions_from_a_file_gzip_and_standard_input_are_one(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path
) -> None:
    text = "chrM\t100\t700\tb\n1\t0\t301\ta\n"
    (tmp_path / "a.bed").write_text(text)
    (tmp_path / "b.bed.gz").write_bytes(gzip.compress(text.replace("\n", "\r\n").encode()))
    outputs = {saresnet("scan", genome, name, "--model", model).stdout for name in ("a.bed", "b.bed.gz")}
    outputs.add(saresnet("scan", genome, "-", "--model", model, input=text).stdout)
    assert len(outputs) == 1
    chroms = [row.split("\t")[0] for row in outputs.pop().splitlines()[2:]]
    assert chroms == ["chrM"] * 11 + ["1"] * 5  # in the order and under the names of the regions


def test_the_bridge_between_names_is_said_once(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text("1\t0\t301\n2\t0\t101\n1\t0\t101\n")
    done = saresnet("scan", genome, "a.bed", "--model", model)
    assert len(results(done)) == 7
    assert done.stderr.count("names are matched with and without 'chr'") == 1


def test_no_regions_are_no_rows_and_it_is_said(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.bed").write_bytes(b"# nothing\n")
    for regions, name in ((tmp_path / "empty.bed", "empty.bed"), ("-", "standard input")):
        done = saresnet("scan", genome, regions, "--model", model, input="")
        assert results(done) == []
        assert f"{name} holds no regions" in done.stderr
        assert "0 windows scored" in done.stderr


def test_bedtools_intersects_the_output(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    if shutil.which("bedtools") is None:
        pytest.skip("bedtools is not installed")
    (tmp_path / "a.bed").write_text("chr1\t120\t130\n")
    done = saresnet("scan", genome, "--model", model)
    met = subprocess.run(
        ["bedtools", "intersect", "-a", "-", "-b", "a.bed"],
        input=done.stdout, capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert met.stderr == ""
    assert [line.split("\t")[:3] for line in met.stdout.splitlines()] == [["chr1", "120", "130"]] * 2


def test_filters_keep_rows_of_the_whole(saresnet: Command, genome: Path, model: Path) -> None:
    everything = results(saresnet("scan", genome, "--model", model))
    kept = results(saresnet("scan", genome, "--model", model, "--min-score", "0.3"))
    assert kept == [row for row in everything if float(row[4]) >= 0.3]
    assert 0 < len(kept) < len(everything)
    kept = results(saresnet("scan", genome, "--model", model, "--max-pvalue", "0.5"))
    assert kept == [row for row in everything if float(row[7]) <= 0.5]


def computed(model: Path, genome: Path) -> tuple[np.ndarray, np.ndarray]:
    """p-values and scores of every window, as they are before they are printed."""
    blocks = list(scan(model, genome, stride=1, runtime=Runtime("onnxruntime", device="cpu")))
    return tuple(np.concatenate([getattr(b, name)[:, 0] for b in blocks]) for name in ("pvalue", "score"))


@pytest.mark.parametrize("format", ["bed", "tsv"])
def test_filters_go_by_the_numbers_that_are_printed(saresnet: Command, genome: Path, model: Path, format: str) -> None:
    pvalue, score = computed(model, genome)
    printed = three_digits(pvalue)
    limit = printed[pvalue > printed].min()  # a p-value that is printed as less than it is
    least = six_decimals(score)[score < six_decimals(score)].max()
    common = ("--model", model, "--stride", "1", "--engine", "onnxruntime", "--format", format)
    everything = saresnet("scan", genome, *common).stdout.splitlines()
    at = {"bed": (7, 4), "tsv": (6, 4)}[format]
    head = [line for line in everything if line.startswith(("#", "chrom\t"))]
    rows = [line.split("\t") for line in everything[len(head) :]]
    for option, value, wanted in (
        ("--max-pvalue", limit, [row for row in rows if float(row[at[0]]) <= limit]),
        ("--min-score", least, [row for row in rows if float(row[at[1]]) >= least]),
    ):
        done = saresnet("scan", genome, *common, option, repr(float(value)))
        kept = [line.split("\t") for line in done.stdout.splitlines()[len(head) :]]
        assert kept == wanted
        assert 0 < len(kept) < len(rows)


def test_a_scan_of_few_p_values_is_called_like_its_genome(saresnet: Command, genome: Path, model: Path) -> None:
    pvalue, _ = computed(model, genome)
    printed = three_digits(pvalue)
    limits = np.unique(printed[pvalue > printed])[:3]
    for limit in limits.tolist():
        few = ("--model", model, "--stride", "1", "--engine", "onnxruntime", "--max-pvalue", repr(limit))
        wanted = [line for line in saresnet("call", genome, *few).stdout.splitlines() if line[:2] != "# "]
        scanned = saresnet("scan", genome, *few).stdout
        called = saresnet("call", "--scan", "-", "--max-pvalue", repr(limit), input=scanned).stdout.splitlines()
        assert [line for line in called if line[:2] != "# "] == wanted
        assert len(wanted) > 1


def test_a_file_appears_whole(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    plain = saresnet("scan", genome, "--model", model).stdout
    assert saresnet("scan", genome, "--model", model, "-o", "out.bed").stdout == ""
    assert (tmp_path / "out.bed").read_text() == plain
    saresnet("scan", genome, "--model", model, "-o", "out.bed.gz")
    packed = (tmp_path / "out.bed.gz").read_bytes()
    assert bgzf.is_bgzf(packed)
    assert packed.endswith(bgzf.END)
    assert gzip.decompress(packed).decode() == plain
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genome.fa", "genome.fa.fai", "out.bed", "out.bed.gz"]


def test_a_file_stays_as_it_was_after_an_error(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out.bed").write_text("before\n")
    (tmp_path / "a.bed").write_text("chr1\t0\t500\nchr1\t0\t5000\n")
    assert saresnet("scan", genome, "a.bed", "--model", model, "-o", "out.bed").returncode == 1
    assert (tmp_path / "out.bed").read_text() == "before\n"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize("output", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_name_of_standard_output_is_a_pipe_too(saresnet: Command, genome: Path, model: Path, output: str) -> None:
    plain = saresnet("scan", genome, "--model", model)
    assert saresnet("scan", genome, "--model", model, "-o", output).stdout == plain.stdout


def test_what_is_compressed_goes_by_the_name_that_was_given(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "link.bed.gz").symlink_to("plain")
    for name in ("a.bed.GZ", "link.bed.gz"):
        assert saresnet("scan", genome, "--model", model, "-o", name).returncode == 0
        assert gzip.decompress((tmp_path / name).read_bytes()).startswith(b"# saresnet ")


@pytest.mark.parametrize(
    ("closed", "arguments", "message"),
    [
        ("1>&-", "scan genome.fa", "standard output: Bad file descriptor"),
        ("0<&-", "variants genome.fa", "standard input: is no VCF or BCF"),
        ("0<&-", "score -", "standard input: is empty"),
    ],
)
def test_a_stream_that_is_closed_is_one_line(
    genome: Path, model: Path, tmp_path: Path, closed: str, arguments: str, message: str
) -> None:
    line = f"{sys.executable} -W error -m saresnet_cli {arguments} --model {model} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"saresnet: error: {message}")
    assert "Traceback" not in done.stderr


def test_a_closed_output_is_no_matter_where_a_file_is_named(genome: Path, model: Path, tmp_path: Path) -> None:
    line = f"{sys.executable} -W error -m saresnet_cli scan genome.fa --model {model} -o a.bed 1>&- 2>&-"
    assert subprocess.run(["sh", "-c", line], cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.bed").read_bytes().startswith(b"# saresnet ")


@pytest.mark.parametrize("command", ["scan", "call"])
def test_a_sequence_without_a_base_is_counted(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "e.fa").write_text(">none\n" + genome.read_text())
    whole, with_empty = (saresnet(command, name, "--model", model) for name in ("genome.fa", "e.fa"))
    assert with_empty.returncode == 0
    assert with_empty.stdout == whole.stdout
    counted = [int(re.search(r"(\d+) sequences shorter than 101 bp", done.stderr)[1]) for done in (whole, with_empty)]
    assert counted[1] == counted[0] + 1


def test_score_is_a_row_a_sequence(saresnet: Command, genome: Path, model: Path, sequences: dict[str, str]) -> None:
    done = saresnet("score", genome, "--model", model)
    assert done.returncode == 0
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == ["name", "model", "length", "windows", "score", "logit", "pvalue", "start", "end", "mean_logit"]
    assert {row[1] for row in rows} == {"TOY_CELL"}
    assert [(row[0], int(row[2])) for row in rows] == [(name, len(text)) for name, text in sequences.items()]
    assert [row[0] for row in rows if row[3] == "0" and row[4:] == ["NA"] * 6] == ["tiny", "blank"]
    assert "1 sequences shorter than 101 bp" in done.stderr
    best = results(saresnet("scan", genome, "--model", model, "--stride", "1"))
    best = max((row for row in best if row[0] == "chr1"), key=lambda row: float(row[6]))
    assert rows[0][4:9] == [best[4], best[6], best[7], best[1], best[2]]
    piped = saresnet("score", "-", "--model", model, input=genome.read_text().lower().replace(">chrm", ">chrM"))
    assert piped.stdout == done.stdout


def test_models_are_listed_shown_and_verified(saresnet: Command, registry: Path, tmp_path: Path) -> None:
    listed = saresnet("models", "list").stdout.splitlines()
    assert listed[0].split("\t")[:4] == ["id", "tf", "cell", "auroc"]
    assert [line.split("\t")[0] for line in listed[1:]] == ["CTCF_GM12878", "CTCF_K562", "MAX_K562", "REST_H1-hESC"]
    assert json.loads(saresnet("models", "list", "--json").stdout)[0]["tf"] == "CTCF"
    shown = json.loads(saresnet("models", "show", "max_k562", "--json").stdout)
    assert (shown["id"], shown["window"]) == ("MAX_K562", 101)
    assert "id\tMAX_K562\n" in saresnet("models", "show", "MAX_K562").stdout
    assert saresnet("models", "verify").stdout.count("\tok\n") == 4

    folder = tmp_path / "models"
    shutil.copytree(registry, folder)
    with (folder / "MAX_K562.onnx").open("ab") as file:
        file.write(b"\0")
    broken = saresnet("models", "verify", env={"SARESNET_MODELS": str(folder)})
    assert broken.returncode == 1
    assert broken.stdout.count("\tok\n") == 3
    assert "1 of 4 models are damaged: MAX_K562" in broken.stderr


# How it ends


def start(arguments: list[object], registry: Path, **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SARESNET_MODELS": str(registry)}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-W", "error", "-m", "saresnet_cli", *map(str, arguments)],
        stderr=subprocess.PIPE, env=environment, **options,
    )  # fmt: skip


@pytest.fixture
def long_scan(tmp_path: Path, model: Path) -> list[object]:
    """A scan that takes longer than any test waits."""
    path = tmp_path / "long.fa"
    path.write_text(">x\n" + ("ACGTACCTGA" * 10 + "\n") * 200_000)
    return ["scan", path, "--model", model, "--stride", "1", "--device", "cpu"]


def test_a_closed_pipe_ends_quietly(long_scan: list[object], registry: Path) -> None:
    process = start([*long_scan, "--quiet"], registry, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"# saresnet")
    process.stdout.close()
    assert process.communicate(timeout=30)[1] == b""
    assert process.returncode == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_no_file(
    long_scan: list[object], registry: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    process = start([*long_scan, "--quiet", "-o", tmp_path / "out.bed"], registry)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".out.bed.*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(sent)
    message = process.communicate(timeout=30)[1].decode()
    assert process.returncode == code
    assert message == ("saresnet: error: interrupted\n" if sent == signal.SIGINT else "")
    assert not list(tmp_path.glob("*out.bed*"))


def test_ctrl_c_while_it_waits_for_standard_input(genome: Path, model: Path, registry: Path) -> None:
    process = start(["scan", genome, "-", "--model", model], registry, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stderr is not None
    while b"device: " not in process.stderr.readline():
        pass
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)  # standard input is still open
    assert process.returncode == 130
    assert process.communicate()[1] == b"saresnet: error: interrupted\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("how", ["stdout", "-o"])
def test_a_full_disk_is_one_line(long_scan: list[object], registry: Path, how: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        extra = ["-o", "/dev/full"] if how == "-o" else []
        process = start([*long_scan, "--quiet", *extra], registry, stdout=full)
        message = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 1
    assert message.count("\n") == 1
    assert "No space left on device" in message
    assert ("standard output" if how == "stdout" else "/dev/full") in message
