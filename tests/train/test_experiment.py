"""`saresnet finetune` as a process: from peaks to a model that scans, killed and resumed, and what it refuses."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pysam
import pytest

from saresnet_cli.commands.finetune import finetune
from saresnet_cli.model import load_model
from saresnet_train.checkpoint import read_checkpoint
from saresnet_train.data import read_windows
from saresnet_train.recipe import SCANNER

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
SITE = "TAATGGCCACCAGGGGGCGCTAGTG"
"""A strong CTCF site, which the global model knows."""

SUMMITS = range(400, 59_700, 500)
PARTS = ("--test-chroms", "chr20_part:45000-60000", "--valid-chroms", "chr20_part:36000-45000")
QUICK = ("--tf", "CTCF", "--cell", "X", *PARTS, "--epochs", 5, "--device", "cpu", "--threads", 1)

CHR20 = Path("/usr/share/doc/vt/examples/ref/20.fa.gz")
DATA = Path(os.environ.get("SARESNET_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
K562 = DATA / "chr20/CTCF_K562.narrowPeak.gz"


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "saresnet_cli", *map(str, arguments)]


def _run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), capture_output=True, text=True, env=ENVIRONMENT, check=False, cwd=folder, timeout=900
    )


def _write_data(folder: Path, example_genome: Path) -> None:
    """Write the example genome with CTCF sites planted every 500 bp, and peaks there."""
    header, *rows = example_genome.read_text().split("\n")
    bases = "".join(rows)
    for summit in SUMMITS:
        bases = bases[: summit - 12] + SITE + bases[summit + 13 :]
    (folder / "g.fa").write_text(f"{header}\n{bases}\n")
    rank = np.random.default_rng(1).permutation(len(SUMMITS))
    lines = [
        f"chr20_part\t{summit - 60}\t{summit + 40}\tp\t0\t.\t{signal}\t-1\t-1\t60\n"
        for summit, signal in zip(SUMMITS, rank.tolist(), strict=True)
    ]
    (folder / "p.narrowPeak").write_text("".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, example_genome: Path) -> Path:
    """A folder with a genome, peaks, and the model that was made of them: CTCF_X.onnx."""
    made = tmp_path_factory.mktemp("experiment")
    _write_data(made, example_genome)
    done = _run(made, "finetune", "p.narrowPeak", "g.fa", *QUICK, "-o", "CTCF_X.onnx")
    assert done.returncode == 0, done.stderr
    (made / "out.txt").write_text(done.stdout)
    (made / "err.txt").write_text(done.stderr)
    return made


def test_the_defaults_are_those_of_the_recipe() -> None:
    shown = {option.name: option.default for option in finetune.params}
    for name in ("shuffles", "genomic", "flanks", "learning_rate"):
        assert shown[name] == getattr(SCANNER, name)


def test_help_fits_a_screen_and_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from saresnet_cli.main import main; main(['finetune', '--help']);"
        "print([m for m in ('numpy', 'torch', 'onnxruntime', 'onnx', 'pyfaidx') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env={**ENVIRONMENT, "COLUMNS": "80"}
    )
    *lines, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert len(lines) <= 42


def test_it_prints_what_was_measured(folder: Path) -> None:
    header, *rows = (folder / "out.txt").read_text().splitlines()
    assert header.split() == ["against", "bound", "unbound", "auroc", "auprc"]
    assert [row.split("  ")[0] for row in rows] == ["shuffles", "genome, same GC", "scan, stride 50"]
    for row in rows:
        assert float(row.split()[-2]) > 0.95
    assert (
        "71 peaks to train on, 18 to validate, 29 to test; left out: 1 at the edge of"
        in (folder / "err.txt").read_text()
    )


def test_the_model_can_be_scanned_with_at_once(folder: Path) -> None:
    done = _run(folder, "scan", "g.fa", "--model", "CTCF_X.onnx", "--max-pvalue", "0.02", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    starts = [int(line.split("\t")[1]) for line in done.stdout.splitlines() if not line.startswith("#")]
    near = [min(abs(start + 50 - summit) for summit in SUMMITS) <= 50 for start in starts]
    assert sum(near) > 100
    # of the 1,199 windows a fiftieth may pass by chance, by the meaning of the p-value
    assert len(near) - sum(near) < 1199 / 50


def test_the_card_says_how_it_was_made_and_measured(folder: Path) -> None:
    card = load_model(folder / "CTCF_X.onnx").card
    assert (card.id, card.tf, card.cell, card.source) == ("CTCF_X", "CTCF", "X", "p.narrowPeak")
    assert card.test["part"] == "chr20_part:45000-60000"
    assert card.train["validation"] == "chr20_part:36000-45000"
    assert {key: card.train[key] for key in ("positives", "shuffled", "genomic", "flanks")} == {
        "positives": 71, "shuffled": 71, "genomic": 568, "flanks": 71,
    }  # fmt: skip
    assert card.test["positives"] == card.test["negatives"] == 29
    for row, prefix in zip((folder / "out.txt").read_text().splitlines()[1:], ("", "genomic_", "scan_"), strict=True):
        assert float(row.split()[-2]) == pytest.approx(card.test[f"{prefix}auroc"], abs=6e-5)
        assert float(row.split()[-1]) == pytest.approx(card.test[f"{prefix}auprc"], abs=6e-5)
    # p-values are those of windows that it has not seen, none near a peak
    assert "g.fa (chr20_part:36000-45000, chr20_part:45000-60000)" in card.background["genomic"].source
    assert card.background["genomic"].windows < 24_000 / 50 / 2
    assert card.train["command"] == (
        "saresnet finetune p.narrowPeak g.fa --tf CTCF --cell X --test-chroms chr20_part:45000-60000 --valid-chroms "
        "chr20_part:36000-45000 --shuffles 1 --genomic 8 --flanks 1 --epochs 5 --learning-rate 0.0015 --seed 1 "
        "--threads 1 --device cpu"
    )


def test_no_window_of_a_part_is_in_another(folder: Path) -> None:
    bases = "".join((folder / "g.fa").read_text().split("\n")[1:])
    letters = np.frombuffer(b"ACGTN", np.uint8)
    run = folder / "CTCF_X.train"
    for name, low, high in (("train.positive", 0, 36_000), ("test.positive", 45_000, 60_000)):
        for row in letters[read_windows(run / f"{name}.fa.gz")]:
            assert low <= bases.index(row.tobytes().decode()) <= high - 101
    # what is not bound lies in the part, away from all peaks
    for row in letters[read_windows(run / "test.genomic.fa.gz")]:
        start = bases.index(row.tobytes().decode())
        assert 45_000 <= start <= 60_000 - 101
        assert min(abs(start + 50 - summit) for summit in SUMMITS) > 100 + 40


def test_the_command_of_the_card_makes_the_same_bytes_even_killed(folder: Path, tmp_path: Path) -> None:
    for name in ("g.fa", "p.narrowPeak"):
        shutil.copy(folder / name, tmp_path)
    words = str(load_model(folder / "CTCF_X.onnx").card.train["command"]).split()[1:]
    command = _command(*words, "-o", "CTCF_X.onnx")
    checkpoint = tmp_path / "CTCF_X.train/checkpoint.pt"
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL, cwd=tmp_path)
    for _ in range(3000):
        time.sleep(0.05)
        if checkpoint.exists() and read_checkpoint(checkpoint)["epoch"] >= 2:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not read_checkpoint(checkpoint)["done"]
    assert not (tmp_path / "CTCF_X.onnx").exists()
    again = _run(tmp_path, *words, "-o", "CTCF_X.onnx", "-q")
    assert (again.returncode, again.stderr) == (0, "")
    assert (tmp_path / "CTCF_X.onnx").read_bytes() == (folder / "CTCF_X.onnx").read_bytes()
    assert again.stdout == (folder / "out.txt").read_text()


def test_a_run_that_is_done_is_not_trained_again(folder: Path, tmp_path: Path) -> None:
    for name in ("g.fa", "p.narrowPeak"):
        shutil.copy(folder / name, tmp_path)
    shutil.copytree(folder / "CTCF_X.train", tmp_path / "CTCF_X.train")
    again = _run(tmp_path, "finetune", "p.narrowPeak", "g.fa", *QUICK, "-o", "CTCF_X.onnx")
    assert "already trained" in again.stderr
    assert (tmp_path / "CTCF_X.onnx").read_bytes() == (folder / "CTCF_X.onnx").read_bytes()


def test_parts_are_chosen_and_told(folder: Path, tmp_path: Path) -> None:
    options = ["--tf", "A", "--cell", "B", "--top", 100, "--from-scratch", "--flanks", 0, "--epochs", 1, "--threads", 1]
    done = _run(folder, "finetune", "p.narrowPeak", "g.fa", *options, "--device", "cpu", "-o", tmp_path / "A_B.onnx")
    assert done.returncode == 0, done.stderr
    assert "80 peaks to train on, 10 to validate, 10 to test" in done.stderr
    command = str(load_model(tmp_path / "A_B.onnx").card.train["command"])
    test = load_model(tmp_path / "A_B.onnx").card.test["part"]
    assert f"--test-chroms {test} " in command
    assert test.startswith("chr20_part:5")
    assert "--top 100 " in command
    assert "--from-scratch " in command
    assert (tmp_path / "A_B.train/checkpoint.pt").exists()


def test_excluded_regions_hold_no_negatives(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "black.bed").write_text("chr20_part\t45000\t57000\nchr20_part\t0\t30000\n")
    options = [*QUICK, "--epochs", 1, "--exclude", tmp_path / "black.bed", "-o", tmp_path / "x.onnx"]
    done = _run(folder, "finetune", "p.narrowPeak", "g.fa", *options)
    assert done.returncode == 0, done.stderr
    bases = "".join((folder / "g.fa").read_text().split("\n")[1:])
    letters = np.frombuffer(b"ACGTN", np.uint8)
    for row in letters[read_windows(tmp_path / "x.train/test.genomic.fa.gz")]:
        assert bases.index(row.tobytes().decode()) >= 57_000
    card = load_model(tmp_path / "x.onnx").card
    assert card.test["scan_unbound"] < load_model(folder / "CTCF_X.onnx").card.test["scan_unbound"] / 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--test-chroms", "chr9"), 1, "g.fa: no sequence named 'chr9'; it has 1, among them chr20_part"),
        (("--test-chroms", "chr20_part:5"), 1, "'chr20_part:5' is not an interval; write chr22:44000000-51304566"),
        (("--test-chroms", "chr20_part:70000-80000"), 1, "chr20_part has 60,000 bases, and none from 70,000 on"),
        (("--test-chroms", "chr20_part:70,000-80,000"), 1, "chr20_part has 60,000 bases, and none from 70,000 on"),
        (
            ("--test-chroms", "chr20_part:0-300"),
            1,
            "no peak lies in chr20_part:0-300; choose other --test-chroms",
        ),
        (("--valid-chroms", "chr20_part:44000-50000"), 1, "chr20_part:45000-50000 is both to test and to validate on"),
        (("--top", "20"), 1, "CTCF_X: 9 positives are too few to train on; give more peaks"),
        (("--from", "p.narrowPeak"), 1, "p.narrowPeak: it"),
        (("--from", "none.pt"), 2, "File 'none.pt' does not exist"),
        (("--from", "g.fa", "--from-scratch"), 2, "Give either --from or --from-scratch"),
        (("--genomic", "-1"), 2, "--genomic"),
        (("--genomic", "0", "--shuffles", "0", "--flanks", "0"), 2, "Give negatives: one of --shuffles, --genomic and"),
        (
            ("--exclude", "far.bed"),
            1,
            "far.bed:2: end 99999 is beyond the end of chr20_part, which has",
        ),
        (("--exclude", "all.bed"), 1, "g.fa: it has no window of 101 bp to use as background"),
        (("--tf", "My TF"), 2, "'--tf': 'My TF' holds a blank, '/' or a control character; write My_TF; see"),
        (("--cell", "K562/2"), 2, "'--cell': 'K562/2' holds a blank, '/' or a control character; write K562_2; see"),
        (("--cell", ""), 2, "'--cell': '' is no name; write My_TF"),
        (("-o", "nowhere/x.onnx"), 1, "nowhere: no such folder; make it"),
    ],
)
def test_bad_input_is_one_line(folder: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    (folder / "far.bed").write_text("chr20_part\t5\t9\nchr20_part\t5\t99999\n")
    (folder / "all.bed").write_text("chr20_part\t0\t60000\n")
    output = () if "-o" in arguments else ("-o", "bad.onnx")
    done = _run(folder, "finetune", "p.narrowPeak", "g.fa", *QUICK, *output, *arguments, "-q")
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (folder / "bad.onnx").exists()


def test_a_mistake_in_the_peaks_is_told_before_torch_is_loaded(folder: Path) -> None:
    script = "import sys; from saresnet_cli.main import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    arguments = ["finetune", "p.narrowPeak", "g.fa", *QUICK, "--top", 20, "-o", "bad.onnx", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True, text=True, env=ENVIRONMENT, check=True, cwd=folder,
    )  # fmt: skip
    assert done.stdout == "1 False\n"
    assert "9 positives are too few to train on" in done.stderr


def test_peaks_of_another_genome_are_one_line(folder: Path, tmp_path: Path) -> None:
    for text, message in (
        ("chr20_part\t1\t60\nchr7\t1\t90\n", "p.bed:2: g.fa: no sequence named 'chr7'"),
        (
            "chr20_part\t59950\t60001\n",
            "p.bed:1: end 60001 is beyond the end of chr20_part, which has",
        ),
        ("# none\n", "p.bed: too few peaks to keep some from training"),
    ):
        (tmp_path / "p.bed").write_text(text)
        done = _run(folder, "finetune", tmp_path / "p.bed", "g.fa", "--tf", "A", "--cell", "B", "-o", "bad.onnx", "-q")
        assert done.returncode == 1
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_other_options_in_the_same_folder_are_refused(folder: Path) -> None:
    before = (folder / "CTCF_X.onnx").read_bytes()
    done = _run(folder, "finetune", "p.narrowPeak", "g.fa", *QUICK, "--seed", 2, "-o", "CTCF_X.onnx", "-q")
    assert done.returncode == 1
    assert "CTCF_X.train/checkpoint.pt: another run is in this folder; choose another folder" in done.stderr
    assert (folder / "CTCF_X.onnx").read_bytes() == before


@pytest.mark.skipif(
    not CHR20.exists() or not K562.exists(), reason="needs Debian's vt-examples, and peaks in $SARESNET_DATA"
)
def test_real_peaks_on_a_real_chromosome(tmp_path: Path) -> None:
    # the last 8 million bases of it: with all 63 million the test takes minutes
    start, name = 55_000_000, "20"
    header, *rows = gzip.decompress(CHR20.read_bytes()).decode().split("\n")
    assert header.split()[0] == f">{name}"
    (tmp_path / "20.fa").write_text(f">{name}\n{''.join(rows)[start:]}\n")
    pysam.tabix_compress(str(tmp_path / "20.fa"), str(tmp_path / "20.fa.gz"))
    fields = [line.split("\t") for line in gzip.decompress(K562.read_bytes()).decode().splitlines()]
    peaks = tmp_path / "CTCF_K562.narrowPeak"
    peaks.write_text(
        "".join(
            "\t".join([chrom, str(int(low) - start), str(int(high) - start), *rest]) + "\n"
            for chrom, low, high, *rest in fields
            if int(low) >= start
        )
    )
    options = ["--tf", "CTCF", "--cell", "K562", "--epochs", 2, "--genomic", 2, "--threads", 1, "--device", "cpu"]
    parts = ["--test-chroms", "chr20:6500000-7200000", "--valid-chroms", "chr20:7200000-8025520"]
    done = _run(tmp_path, "finetune", peaks, "20.fa.gz", *options, *parts, "-o", "CTCF_K562.onnx")
    assert done.returncode == 0, done.stderr
    card = load_model(tmp_path / "CTCF_K562.onnx").card
    assert card.test["auroc"] > 0.9
    assert card.test["genomic_auroc"] > 0.9
    assert card.test["scan_auroc"] > 0.85
    assert card.test["scan_auprc"] > 20 * card.test["scan_bound"] / (
        card.test["scan_bound"] + card.test["scan_unbound"]
    )
