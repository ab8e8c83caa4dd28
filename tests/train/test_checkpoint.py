"""The weights that are shipped: whole, small, and those of the model beside them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.runtime import Runtime
from saresnet_export.experiment import global_weights
from saresnet_train.checkpoint import load_network, read_checkpoint, save_checkpoint, strip_checkpoint
from saresnet_train.codes import decode
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.predict import predict


def test_the_shipped_weights_are_those_of_the_shipped_model(real_windows: np.ndarray) -> None:
    windows = real_windows[:60]
    with Runtime(device="cpu", threads=1).open([load_model("global")]) as scorer:
        shipped = scorer.logits(decode(windows))[:, 0]
    # the model file keeps its weights in half the bits
    np.testing.assert_allclose(predict(load_network(global_weights()), windows), shipped, atol=0.02)
    state = read_checkpoint(global_weights())
    assert set(state) == {"format", "config", "set", "training", "seed", "model"}
    assert all(value.dtype in (torch.float32, torch.int64) for value in state["model"].values())
    assert global_weights().stat().st_size < 2_000_000


def test_stripped_weights_have_the_same_bytes_wherever_they_come_from(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, last = (SAResNet(NetworkConfig(channels=16, blocks=(1, 1), attention_channels=8)) for _ in range(2))
    state = {
        "config": network.config.as_dict(), "model": last.state_dict(), "best_model": network.state_dict(), "seed": 1,
        "set": {"id": "x"}, "training": {"positives": 3}, "optimizer": {"lr": 0.1}, "history": [1],
    }  # fmt: skip
    for folder in ("a", "b"):
        save_checkpoint(tmp_path / folder / "checkpoint.pt", {**state, "history": [folder]})
        strip_checkpoint(tmp_path / folder / "checkpoint.pt", tmp_path / folder / f"{folder}.pt")
    digests = {hashlib.sha256((tmp_path / f / f"{f}.pt").read_bytes()).hexdigest() for f in ("a", "b")}
    assert len(digests) == 1
    stripped = load_network(tmp_path / "a/a.pt")
    assert all(torch.equal(value, stripped.state_dict()[name]) for name, value in network.state_dict().items())
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == ["a.pt", "checkpoint.pt"]


def test_what_is_no_checkpoint_is_not_stripped(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"x\.pt: it"):
        strip_checkpoint(tmp_path / "x.pt", tmp_path / "y.pt")
    assert not (tmp_path / "y.pt").exists()
