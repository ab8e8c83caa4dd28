"""Networks with weights as training leaves them, windows and checkpoints for the export tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from saresnet_train.checkpoint import save_checkpoint  # noqa: E402
from saresnet_train.network import NetworkConfig, SAResNet  # noqa: E402

LETTERS = b"ACGTacgtNnRy-"


def random_network(seed: int = 0, **config: object) -> SAResNet:
    """Return a network whose norms, biases and theta are away from where they start."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = SAResNet(NetworkConfig(**config)).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.4, 1.2, generator=generator)
                module.bias.normal_(0, 0.3, generator=generator)
                module.running_mean.normal_(0, 0.3, generator=generator)
                module.running_var.uniform_(0.5, 2, generator=generator)
            elif isinstance(module, torch.nn.Conv2d | torch.nn.Linear) and module.bias is not None:
                module.bias.normal_(0, 0.1, generator=generator)
            if hasattr(module, "theta"):
                module.theta.fill_(0.7)
        network.out.weight.mul_(0.2)
    return network


def random_windows(count: int, seed: int = 0, letters: bytes = LETTERS) -> np.ndarray:
    """Return (count, 101) uint8 ASCII."""
    return np.random.default_rng(seed).choice(np.frombuffer(letters, np.uint8), (count, 101))


@pytest.fixture(scope="session")
def make_network() -> Callable[..., SAResNet]:
    """`random_network`."""
    return random_network


@pytest.fixture(scope="session")
def make_windows() -> Callable[..., np.ndarray]:
    """`random_windows`."""
    return random_windows


@pytest.fixture(scope="session")
def network() -> SAResNet:
    """A network of the paper's size."""
    return random_network()


@pytest.fixture
def write_fasta(tmp_path: Path) -> Callable[[str, np.ndarray], Path]:
    """Write windows as FASTA and return the file."""

    def write(name: str, windows: np.ndarray) -> Path:
        path = tmp_path / name
        path.write_text("".join(f">{i}\n{row.tobytes().decode()}\n" for i, row in enumerate(windows)))
        return path

    return write


@pytest.fixture(scope="session")
def small_network() -> SAResNet:
    """A network that is quick to score, of every kind of layer."""
    return random_network(channels=16, blocks=(1, 1), attention_channels=8, hidden=8)


@pytest.fixture
def checkpoint(tmp_path: Path, small_network: SAResNet) -> Path:
    """A checkpoint as training writes it, whose best weights are not its last."""
    path = tmp_path / "checkpoint.pt"
    network, last = small_network, random_network(seed=1, channels=16, blocks=(1, 1), attention_channels=8, hidden=8)
    state = {
        "config": network.config.as_dict(),
        "model": last.state_dict(),
        "best_model": network.state_dict(),
        "set": {"id": "CTCF_GM12878", "tf": "CTCF", "cell": "GM12878", "source": "test"},
        "training": {"positives": 10, "shuffled": 10, "genomic": 0},
    }
    save_checkpoint(path, state)
    return path
