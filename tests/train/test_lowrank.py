"""Low-rank fine-tuning: what is held, what is learnt, and that a model and its adapter are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_cli.adapters import LARGEST
from saresnet_cli.model import load_model
from saresnet_train.checkpoint import load_network, network_of, read_checkpoint
from saresnet_train.codes import decode
from saresnet_train.lowrank import adapt, is_adapted, merge
from saresnet_train.network import SAResNet, one_hot

ROOT = Path(__file__).resolve().parents[2]


def learnt(network: SAResNet, rank: int, steps: int = 8) -> SAResNet:
    """Adapt a network and train it for some steps on noise."""
    torch.manual_seed(0)
    adapt(network.train(), rank)
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=0.003)
    x = one_hot(np.random.default_rng(0).integers(0, 4, (32, 101)).astype(np.uint8))
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x), torch.arange(32) % 2).backward()
        optimizer.step()
    return network.eval()


def test_convolutions_keep_their_weights_and_all_else_is_learnt() -> None:
    before = load_network(ROOT / "models/global.pt").state_dict()
    after = learnt(load_network(ROOT / "models/global.pt"), 2).state_dict()
    held = [key for key in after if key.endswith(".original")]
    assert len(held) == 49
    for key in held:
        name = key.removesuffix(".parametrizations.weight.original")
        assert torch.equal(after[key], before[f"{name}.weight"].half().float()), name
        assert after[f"{name}.parametrizations.weight.0.left"].abs().max() > 0, name
    for key in set(before) & set(after):
        assert not torch.equal(before[key], after[key]), key


def test_the_merged_network_computes_the_same_but_for_rounding() -> None:
    network = learnt(load_network(ROOT / "models/global.pt"), 3)
    assert is_adapted(network.state_dict())
    merged = merge(network.state_dict())
    plain = network_of({"config": network.config.as_dict(), "model": network.state_dict()})
    assert not is_adapted(plain.state_dict())
    assert len(merged.factors) == 49
    for factors in merged.factors.values():
        assert factors.left.shape[1] == factors.right.shape[0] == len(factors.scale) == 3
        assert max(abs(factors.left).max(), abs(factors.right).max()) == LARGEST
    x = one_hot(np.random.default_rng(1).integers(0, 4, (200, 101)).astype(np.uint8))
    with torch.inference_mode():
        exact, rounded = network.logit(x), plain.logit(x)
    assert 0 < (exact - rounded).std() < 0.05 * exact.std()
    # what a file stores in float16 is in float16, and norms are scale and shift alone
    for key, value in plain.state_dict().items():
        if key.endswith("running_mean"):
            assert not value.any()
        elif value.is_floating_point() and not key.endswith("running_var"):
            assert torch.equal(value, value.half().float()), key


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, real_windows: np.ndarray) -> Path:
    """A folder with bound and unbound windows, and runs that were fine-tuned with and without --rank."""
    folder = tmp_path_factory.mktemp("lowrank")
    windows = real_windows.copy()
    windows[:200, 45:59] = [1, 1, 2, 1, 2, 0, 2, 2, 2, 2, 2, 1, 0, 2]
    for name, part in (("bound", windows[:200]), ("unbound", windows[200:400])):
        text = "".join(f">{i}\n{decode(row).tobytes().decode()}\n" for i, row in enumerate(part))
        (folder / f"{name}.fa").write_text(text)
    for name, options in (("low", ["--rank", 2, "--most", 150]), ("full", [])):
        done = command(*common(folder), *options, "-o", folder / name)
        assert done.returncode == 0, done.stderr
    return folder


def common(folder: Path) -> list[object]:
    """Return the command that fine-tunes, but for what a test adds."""
    options = "--epochs 2 --batch-size 32 --learning-rate 0.01 --threads 1 --device cpu --tf A --cell B"
    return ["train", "finetune", folder / "bound.fa", "--from", ROOT / "models/global.pt", *options.split()]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "saresnet_cli", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")


def test_a_model_and_its_adapter_are_the_same(run: Path) -> None:
    state = read_checkpoint(run / "low/checkpoint.pt")
    assert state["training"]["positives"] == 135  # of the 150, a tenth validates
    test = ["--test-positive", run / "bound.fa", "--test-negative", run / "unbound.fa", "--weights", "float16"]
    test += ["--background-shuffles", 1000]
    reports = []
    for name in ("a.onnx", "a.adapter"):
        done = command("export", run / "low/checkpoint.pt", "-o", run / name, *test)
        assert done.returncode == 0, done.stderr
        reports.append(json.loads(done.stdout))
    complete, small = reports
    assert small["sha256"] == complete["sha256"]
    assert small["bytes"] == (run / "a.adapter").stat().st_size < complete["bytes"] / 20
    assert load_model(run / "a.adapter").data == (run / "a.onnx").read_bytes()
    assert small["auroc"]["float16"] > 0.9


def test_the_same_run_gives_the_same_weights(run: Path) -> None:
    again = command(*common(run), "--rank", 2, "--most", 150, "-o", run / "again")
    assert again.returncode == 0, again.stderr
    one, two = (read_checkpoint(run / name / "checkpoint.pt")["model"] for name in ("low", "again"))
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_what_is_no_adapter_is_said(run: Path) -> None:
    done = command("export", run / "full/checkpoint.pt", "-o", run / "full.adapter")
    assert done.returncode == 1
    assert "full.adapter: its checkpoint was not fine-tuned with --rank; " in done.stderr
    done = command("export", run / "low/checkpoint.pt", "-o", run / "wide.adapter", "--weights", "float32")
    assert done.returncode == 1
    assert "wide.adapter: " in done.stderr and "choose an output that ends in .onnx" in done.stderr
    assert not list(run.glob("*.part*")) and not (run / "full.adapter").exists() and not (run / "wide.adapter").exists()
