"""Gradients: sums that come out, for every step and for the network; and what they are not asked to explain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from saresnet_cli.errors import ModelError, SaresnetError
from saresnet_cli.explaining import explain
from saresnet_cli.runtime import Runtime
from saresnet_train import attribution
from saresnet_train.attribution import Gradients
from saresnet_train.checkpoint import save_checkpoint
from saresnet_train.codes import encode, reverse_complement
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.predict import predict

CPU = Runtime(engine="onnxruntime", device="cpu", threads=1)
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def make_network(seed: int) -> SAResNet:
    """Return a small network with every kind of layer, away from where training begins."""
    torch.manual_seed(seed)
    network = SAResNet(NetworkConfig(channels=16, blocks=(1, 2), attention_channels=8, hidden=8)).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.4, 1.2)
                module.bias.normal_(0, 0.3)
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
            if hasattr(module, "theta"):
                module.theta.fill_(0.7)
    return network


@pytest.fixture(scope="module")
def network() -> SAResNet:
    return make_network(0)


@pytest.fixture(scope="module")
def checkpoint(network: SAResNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    identity = {"id": "TOY_CELL", "tf": "TOY", "cell": "CELL", "source": "test"}
    save_checkpoint(path, {"config": network.config.as_dict(), "model": network.state_dict(), "set": identity})
    return path


@pytest.fixture(scope="module")
def windows(real_windows: np.ndarray) -> np.ndarray:
    """Real windows, the last with N."""
    chosen = LETTERS[real_windows[[3, 100, 200, 300]]]
    chosen[3, [0, 50, 51, 52]] = ord("N")
    return chosen


# Each step


def pairs(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Values and, below them, those of the reference; some are the same in both."""
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * scale
    made[len(made) // 2 :, ..., :2] = made[: len(made) // 2, ..., :2]
    return made


STEPS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], Callable[[torch.Tensor], torch.Tensor], float]] = {
    "elu": (
        lambda z: attribution._rescaled(functional.elu, lambda v: v.clamp(max=0).exp(), z),
        functional.elu,
        3.0,
    ),
    "softmax": (lambda z: attribution._softmax(z, 3), lambda z: torch.softmax(z, 3), 3.0),
    "steep softmax": (lambda z: attribution._softmax(z, 3), lambda z: torch.softmax(z, 3), 5000.0),
    "max_pool": (
        lambda z: attribution._max_pool(z, (1, 3), (1, 2)),
        lambda z: functional.max_pool2d(z, (1, 3), (1, 2)),
        3.0,
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_differences_add_up(name: str) -> None:
    step, plain, scale = STEPS[name]
    z = pairs(8, 3, 1, 15, scale=scale).requires_grad_(True)
    y = step(z)
    torch.testing.assert_close(y, plain(z))
    weight = torch.randn(y[:4].shape, generator=torch.Generator().manual_seed(2), dtype=y.dtype)
    (multiplier,) = torch.autograd.grad((weight * y[:4]).sum(), z)
    assert (multiplier[4:] == 0).all()  # nothing of the reference itself
    assert torch.isfinite(multiplier).all()
    found = (multiplier[:4] * (z[:4] - z[4:])).sum((1, 2, 3))
    torch.testing.assert_close(found, (weight * (y[:4] - y[4:])).sum((1, 2, 3)))


def test_a_pool_has_no_direction() -> None:
    z = pairs(8, 3, 1, 15, scale=3.0).requires_grad_(True)
    (there,) = torch.autograd.grad(STEPS["max_pool"][0](z)[:4].sum(), z)
    (back,) = torch.autograd.grad(STEPS["max_pool"][0](z.flip(3))[:4].sum(), z)
    torch.testing.assert_close(there, back)


def test_differences_of_a_product_add_up() -> None:
    a, b = pairs(8, 5, 4).requires_grad_(True), (pairs(8, 4, 6) + 1).requires_grad_(True)
    y = attribution._product(torch.matmul, a, b)
    torch.testing.assert_close(y, a @ b)
    of_a, of_b = torch.autograd.grad(y[:4].sum(), (a, b))
    found = (of_a * (a - a.roll(4, 0)))[:4].sum() + (of_b * (b - b.roll(4, 0)))[:4].sum()
    torch.testing.assert_close(found, (y[:4] - y[4:]).sum())


# The network


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize("references", [0, 5])
def test_deeplift_adds_up_to_the_difference_in_logit(
    checkpoint: Path, network: SAResNet, windows: np.ndarray, strands: str, references: int
) -> None:
    method = Gradients(checkpoint, "deeplift", references=references, strands=strands)
    logits = predict(network, encode(windows), strands)
    found = method.explain(windows, logits[:, None])
    assert np.abs(found.missing).max() < 1e-9
    for i, window in enumerate(windows):
        codes = encode(window)
        shuffles = method._shuffles(codes)
        baseline = predict(network, shuffles, strands).mean() if references else _blank(network, strands)
        known = codes < 4
        total = found.contribution[i, 0, np.flatnonzero(known), codes[known]].sum()
        assert total == pytest.approx(float(logits[i]) - baseline, abs=1e-4)
        assert (found.contribution[i, 0, ~known] == 0).all()
        assert np.isnan(found.effect[i, 0, ~known]).all()
        np.testing.assert_allclose(found.effect[i, 0, np.flatnonzero(known), codes[known]], 0)


def _blank(network: SAResNet, strands: str) -> float:
    return float(predict(network, np.full((1, 101), 4, np.uint8), strands)[0])


def test_integrated_gradients_come_near_with_more_steps(
    checkpoint: Path, network: SAResNet, windows: np.ndarray
) -> None:
    pytest.importorskip("captum")
    logits = predict(network, encode(windows))[:, None]
    few, many, exact = (
        Gradients(checkpoint, name, references=2, steps=steps).explain(windows, logits)
        for name, steps in (("ig", 3), ("ig", 100), ("deeplift", 1))
    )
    assert np.abs(many.missing).max() < 0.02 < np.abs(few.missing).max()
    # two methods agree on what matters
    codes = encode(windows)[:3].astype(int)
    own = [np.take_along_axis(found.contribution[:3, 0], codes[..., None], 2).ravel() for found in (many, exact)]
    assert np.corrcoef(*own)[0, 1] > 0.9


def test_both_strands_are_explained_alike(checkpoint: Path, windows: np.ndarray) -> None:
    method = Gradients(checkpoint, "deeplift", references=0)
    there = method.attribute(windows[3])
    back = method.attribute(np.frombuffer(b"ACGTN", np.uint8)[reverse_complement(encode(windows[3]))])
    assert there[0] == pytest.approx(back[0])
    np.testing.assert_allclose(there[1], back[1][::-1, ::-1], atol=1e-12)


def test_references_are_shuffles_that_come_from_the_window_alone(checkpoint: Path, windows: np.ndarray) -> None:
    method = Gradients(checkpoint, "deeplift", references=6, seed=3)
    codes = encode(windows[3])
    shuffles = method._shuffles(codes)
    assert shuffles.shape == (6, 101)
    assert len({shuffle.tobytes() for shuffle in shuffles}) == 6
    for shuffle in shuffles:
        assert ((shuffle == 4) == (codes == 4)).all()
        assert (np.bincount(shuffle) == np.bincount(codes)).all()
    one = method.attribute(windows[1])
    alone, first = Gradients(checkpoint, "deeplift", references=6, seed=3), Gradients(checkpoint, "deeplift", seed=4)
    np.testing.assert_array_equal(alone.attribute(windows[1])[1], one[1])
    assert (first.attribute(windows[1])[1] != one[1]).any()


def test_another_network_is_refused(checkpoint: Path, windows: np.ndarray) -> None:
    logits = predict(make_network(1), encode(windows))[:, None]
    with pytest.raises(ModelError, match=r"checkpoint\.pt: is not what the model was exported from: its logit"):
        Gradients(checkpoint).explain(windows, logits)
    logits[:] = np.nan
    with pytest.raises(ModelError, match="differs by nan"):
        Gradients(checkpoint).explain(windows, logits)


def test_what_is_missing_is_named(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="no such file"):
        Gradients(tmp_path / "none.pt")
    with pytest.raises(ValueError, match="method 'shap' is not one of ig, deeplift"):
        Gradients(checkpoint, "shap")
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(SaresnetError, match=r"need captum.*; pip install 'saresnet\[train,explain\]', or use --method"):
        Gradients(checkpoint, "ig")


# The command


@pytest.fixture(scope="module")
def exported(checkpoint: Path) -> Path:
    pytest.importorskip("onnx")
    from saresnet_export.export import export_model

    export_model(checkpoint, checkpoint.with_suffix(".onnx"))
    return checkpoint.with_suffix(".onnx")


def test_a_model_and_its_checkpoint_are_explained(
    exported: Path, checkpoint: Path, example_genome: Path, example_peaks: Path
) -> None:
    with explain(exported, example_genome, example_peaks, method=Gradients(checkpoint), runtime=CPU) as run:
        (found,) = run
    assert len(found) == 7
    assert run.summary.scored == 7
    assert np.abs(found.missing).max() < 1e-9
    with explain(exported, example_genome, example_peaks, runtime=CPU) as run:
        (changed,) = run
    assert np.corrcoef(found.attribution.ravel(), changed.attribution.ravel())[0, 1] > 0.7


def test_the_command_gives_the_same_table_twice(
    exported: Path, checkpoint: Path, example_genome: Path, example_peaks: Path, tmp_path: Path
) -> None:
    def run(*options: object) -> subprocess.CompletedProcess[str]:
        command = ["explain", example_genome, example_peaks, "--model", exported, "--device", "cpu", "--threads", "1"]
        words = [sys.executable, "-m", "saresnet_cli", *command, "--engine", "onnxruntime", *options]
        return subprocess.run([*map(str, words)], capture_output=True, text=True, cwd=tmp_path, check=False)

    options = ("--method", "deeplift", "--checkpoint", checkpoint, "--references", "4", "--seed", "9")
    done = run(*options)
    assert done.returncode == 0, done.stderr
    about, _, *rows = done.stdout.splitlines()
    assert about.endswith(" windows=center method=deeplift references=4 seed=9")
    assert len(rows) == 7 * 101
    assert "attributions add up to the logit less the references' within" in done.stderr
    assert run(*options).stdout == done.stdout
    two = run(*options, "--model", "CTCF_GM12878")
    assert two.returncode == 2
    assert "--method deeplift explains one model, not 2" in two.stderr
