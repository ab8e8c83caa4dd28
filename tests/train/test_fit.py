"""Training as a process: on real sequence, killed and started again, and on two processes."""

import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_train.checkpoint import load_network, read_checkpoint
from saresnet_train.codes import decode
from saresnet_train.fit import learning_rate
from saresnet_train.recipe import PRETRAIN, Recipe

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}


@pytest.fixture(scope="module")
def positives(tmp_path_factory: pytest.TempPathFactory, real_windows: np.ndarray) -> Path:
    """Real windows with a planted CTCF core, so that there is something to learn."""
    windows = real_windows[:300].copy()
    windows[:, 45:59] = [1, 1, 2, 1, 2, 0, 2, 2, 2, 2, 2, 1, 0, 2]
    path = tmp_path_factory.mktemp("data") / "positives.fa"
    path.write_text("".join(f">{i}\n{decode(row).tobytes().decode()}\n" for i, row in enumerate(windows)))
    return path


def _train(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "saresnet_cli", "train", *map(str, arguments)]
    if arguments[0] in ("pretrain", "finetune") and "--device" not in arguments:
        command += ["--device", "cpu"]  # where the same run gives the same bits
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
        cwd=cwd or tempfile.gettempdir(),
        timeout=600,
    )


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(folder / "checkpoint.pt")["model"]


@pytest.fixture(scope="module")
def pretrained(positives: Path, tmp_path_factory: pytest.TempPathFactory, example_genome: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "global"
    done = _train(
        "pretrain", positives, "-o", out, "--background", example_genome, "--epochs", 4, "--batch-size", 32,
        "--threads", 1, "--learning-rate", 0.003, "--hard", 0.5,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return out


def test_a_run_learns_and_writes_its_history(pretrained: Path) -> None:
    lines = [line.split("\t") for line in (pretrained / "history.tsv").read_text().splitlines()]
    assert [line[0] for line in lines] == ["epoch", "1", "2", "3", "4"]
    last = dict(zip(lines[0], lines[-1], strict=True))
    assert float(last["shuffled_auroc"]) > 0.85
    assert float(last["genomic_auroc"]) > 0.85
    state = read_checkpoint(pretrained / "checkpoint.pt")
    assert state["done"]
    assert state["step"] == int(last["step"])
    assert state["training"]["positives"] == state["training"]["shuffled"]
    assert {"optimizer", "arguments", "best", "config", "seed"} <= set(state)


def test_a_killed_run_goes_on_to_the_same_weights(
    tmp_path: Path, pretrained: Path, positives: Path, example_genome: Path
) -> None:
    out = tmp_path / "killed"
    command = [
        sys.executable, "-m", "saresnet_cli", "train", "pretrain", positives, "-o", out, "--background", example_genome,
        "--epochs", 4, "--batch-size", 32, "--threads", 1, "--learning-rate", 0.003, "--hard", 0.5, "--save-every", 0,
        "--device", "cpu",
    ]  # fmt: skip
    for reached in (5, 50):  # in the first epoch, and in the third, after the hardest windows were found
        process = subprocess.Popen(list(map(str, command)), env=ENVIRONMENT, stderr=subprocess.DEVNULL, cwd=tmp_path)
        for _ in range(600):
            time.sleep(0.1)
            if (out / "checkpoint.pt").exists() and read_checkpoint(out / "checkpoint.pt")["step"] >= reached:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert reached <= read_checkpoint(out / "checkpoint.pt")["step"] < 88
    done = subprocess.run(
        list(map(str, command)), env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    unbroken, resumed = _weights(pretrained), _weights(out)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    history = [(f / "history.tsv").read_text().splitlines() for f in (pretrained, out)]
    assert [line.split("\t")[:-1] for line in history[0]] == [line.split("\t")[:-1] for line in history[1]]


def test_a_finished_run_is_not_trained_again(pretrained: Path, positives: Path, example_genome: Path) -> None:
    before = (pretrained / "checkpoint.pt").read_bytes()
    same = ("--epochs", 4, "--batch-size", 32, "--threads", 1, "--hard", 0.5, "--background", example_genome)
    again = _train("pretrain", positives, "-o", pretrained, *same, "--learning-rate", 0.003)
    assert again.returncode == 0
    assert "already trained" in again.stderr
    assert (pretrained / "checkpoint.pt").read_bytes() == before
    other = _train("pretrain", positives, "-o", pretrained, *same, "--learning-rate", 0.002)
    assert other.returncode == 1
    assert "another run is in this folder; choose another folder, or remove it" in other.stderr
    assert len(other.stderr.strip().splitlines()[-1:]) == 1


def test_transfer_freezing_and_direct_learning(tmp_path: Path, pretrained: Path, positives: Path) -> None:
    common = (
        positives,
        "--recipe",
        "paper",
        "--epochs",
        1,
        "--batch-size",
        32,
        "--threads",
        1,
        "--tf",
        "CTCF",
        "--cell",
        "X",
    )
    start = ("--from", pretrained / "checkpoint.pt")
    assert _train("finetune", *common, *start, "-o", tmp_path / "all").returncode == 0
    assert _train("finetune", *common, *start, "--freeze", "stage2", "-o", tmp_path / "frozen").returncode == 0
    assert _train("finetune", *common, "--from-scratch", "--channels", 32, "-o", tmp_path / "direct").returncode == 0
    before, after, frozen = _weights(pretrained), _weights(tmp_path / "all"), _weights(tmp_path / "frozen")
    assert read_checkpoint(tmp_path / "all/checkpoint.pt")["set"]["id"] == "CTCF_X"
    for name in before:
        if name.endswith(("num_batches_tracked", "running_mean", "running_var")):
            continue
        assert not torch.equal(before[name], after[name]), name
        still = name.startswith(("stem", "stages.0", "attentions.0"))
        assert torch.equal(before[name], frozen[name]) == still, name
    assert torch.equal(before["stages.0.0.norm1.running_mean"], frozen["stages.0.0.norm1.running_mean"])
    assert load_network(tmp_path / "direct/checkpoint.pt").config.channels == 32
    assert load_network(tmp_path / "all/checkpoint.pt").config == load_network(pretrained / "checkpoint.pt").config


def test_evaluation_prints_a_table_or_json(
    tmp_path: Path, pretrained: Path, positives: Path, real_windows: np.ndarray
) -> None:
    negative = tmp_path / "n.fa"
    negative.write_text("".join(f">{i}\n{decode(r).tobytes().decode()}\n" for i, r in enumerate(real_windows[300:])))
    arguments = ("evaluate", pretrained / "checkpoint.pt", "--positive", positives, "--negative", negative)
    figures = json.loads(_train(*arguments, "--json").stdout)[0]
    assert figures["positives"] == 300
    assert figures["auroc"] > 0.9
    lines = _train(*arguments).stdout.splitlines()
    assert lines[0].split() == list(figures)
    assert f"{figures['auroc']:.4f}" in lines[1].split()
    one = json.loads(_train(*arguments, "--strands", "forward", "--json").stdout)[0]
    assert one["auroc"] != figures["auroc"]


def test_two_processes_train_one_model(tmp_path: Path, positives: Path, pretrained: Path, example_genome: Path) -> None:
    out = tmp_path / "two"
    done = subprocess.run(
        list(map(str, [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, "-m", "saresnet_cli",
            "train", "pretrain", positives, "-o", out, "--background", example_genome, "--epochs", 4,
            "--batch-size", 32, "--learning-rate", 0.003, "--hard", 0.5, "--device", "cpu",
        ])),
        env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    history = (out / "history.tsv").read_text().splitlines()
    assert len(history) == 5
    figures = dict(zip(history[0].split("\t"), history[-1].split("\t"), strict=True))
    assert float(figures["shuffled_auroc"]) > 0.85
    assert read_checkpoint(out / "checkpoint.pt")["step"] == read_checkpoint(pretrained / "checkpoint.pt")["step"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pretrain", "-o", "x"), "give either POSITIVES or --data"),
        (("finetune", "-o", "x", "--from-scratch"), "give one of POSITIVES, --peaks or --data"),
        (("finetune", "{positives}", "-o", "x"), "give either --from CHECKPOINT or --from-scratch"),
        (("finetune", "{positives}", "-o", "x", "--from-scratch", "--genomic", "2"), "--genomic needs --background"),
        (("finetune", "{positives}", "-o", "x", "--from-scratch", "--hard", "0.5"), "--hard needs --background"),
        (("finetune", "{positives}", "-o", "x", "--from-scratch", "--match-gc"), "--match-gc needs --background"),
        (("evaluate", "m.pt"), "give one of --positive"),
    ],
)
def test_wrong_usage_exits_2(positives: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = _train(*(a.format(positives=positives) for a in arguments), cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "x").exists()


def test_wrong_files_exit_1_with_one_line(tmp_path: Path, positives: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"not a checkpoint")
    done = _train("finetune", positives, "--from", broken, "-o", tmp_path / "x")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert "broken.pt: it" in done.stderr
    few = tmp_path / "few.fa"
    few.write_text(">a\n" + "ACGTA" * 21 + "\n")
    done = _train("finetune", few, "--from-scratch", "-o", tmp_path / "y")
    assert done.returncode == 1
    assert "too few to train on" in done.stderr


def test_a_run_that_diverges_is_one_line(tmp_path: Path, positives: Path) -> None:
    done = _train("finetune", positives, "--from-scratch", "--learning-rate", 1e30, "-o", tmp_path / "x")
    assert done.returncode == 1
    assert "x: the training diverged: the loss of step 2 is not a number; choose a lower --learning-rate" in done.stderr
    assert "Traceback" not in done.stderr


def test_few_windows_are_said_and_almost_none_refused(tmp_path: Path, positives: Path) -> None:
    few, fewer = tmp_path / "few.fa", tmp_path / "fewer.fa"
    lines = positives.read_text().splitlines(keepends=True)
    few.write_text("".join(lines[:60]))
    fewer.write_text("".join(lines[:20]))
    options = ("--epochs", 1, "--batch-size", 16, "--threads", 1, "-o", tmp_path / "run")
    done = _train("pretrain", fewer, *options)
    assert (done.returncode, done.stderr) == (
        1,
        "saresnet: error: global: 9 positives are too few to train on; give more peaks\n",
    )
    assert not (tmp_path / "run").exists()
    done = _train("pretrain", few, *options)
    assert done.returncode == 0
    assert "note: 3 positives to validate are few" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_one_is_an_error(tmp_path: Path, positives: Path) -> None:
    done = _train("finetune", positives, "--from-scratch", "--device", "cuda", "-o", tmp_path / "x")
    assert done.returncode == 1
    assert "no CUDA device; use --device cpu or auto" in done.stderr


def test_one_cycle_rises_and_falls() -> None:
    recipe = PRETRAIN["default"]
    rates = [learning_rate(recipe, i / 100) for i in range(100)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(recipe.learning_rate)
    assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)
    assert rates[-1] < 0.01 * rates[peak]
    assert {learning_rate(Recipe(schedule="constant"), i / 9) for i in range(9)} == {2e-3}


def test_a_set_of_a_data_folder_with_another_set(tmp_path: Path, positives: Path, real_windows: np.ndarray) -> None:
    (tmp_path / "manifest.tsv").write_text("tier\tname\ttf\tcell\tsource\nt\tA_X\tA\tX\tone\nt\tA_Y\tA\tY\ttwo\n")
    text = positives.read_text().splitlines(keepends=True)
    for name, lines in (("A_X", text[:400]), ("A_Y", text[300:])):  # 50 windows are in both
        (tmp_path / "t" / name).mkdir(parents=True)
        (tmp_path / "t" / name / "train.positive.fa.gz").write_bytes(gzip.compress("".join(lines).encode()))
    out = tmp_path / "run"
    done = _train(
        "finetune", "--data", tmp_path, "--set", "A_X", "--also", "A_Y", "--from-scratch", "--epochs", 1,
        "--threads", 1, "-o", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    state = read_checkpoint(out / "checkpoint.pt")
    assert state["set"] == {"id": "A_X", "tf": "A", "cell": "X", "source": "one; with two"}
    assert state["training"]["positives"] == 270
    assert state["training"]["shuffled"] == 540
