"""Compares a model file with the torch network that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from saresnet_cli.card import WINDOW
from saresnet_cli.engines.onnx_runtime import OnnxRuntimeEngine
from saresnet_cli.errors import SaresnetError
from saresnet_export.reference import reference_logits
from saresnet_train.network import SAResNet

LOGIT_TOLERANCE = 1e-4
PROBABILITY_TOLERANCE = 1e-5

BATCHES = (1, 2, 3, 7, 17, 33, 64, 101)
"""Batch sizes that are tried, in turn."""


class ExportError(SaresnetError):
    """A network that can't be exported, or whose file does not compute what it computes."""


@dataclass(frozen=True)
class Agreement:
    """How far a file is from its network: largest absolute differences over `windows` windows.

    torch_logit: the same difference for torch itself in float32, for comparison.
    """

    windows: int
    logit: float
    probability: float
    torch_logit: float


def check_windows(windows: np.ndarray, seed: int = 0, count: int = 240) -> np.ndarray:
    """Choose and make the windows that a file is checked on: (n, 101) uint8 ASCII -> (m, 101).

    `count` of them as they are, spread evenly; half as many again with runs of N
    and stray IUPAC letters, a quarter in lower case, and one of N alone. Without
    any, random DNA takes their place.
    """
    rng = np.random.default_rng((seed, 11))
    if not len(windows):
        windows = rng.choice(np.frombuffer(b"ACGT", np.uint8), (count, WINDOW))
    real = windows[np.unique(np.linspace(0, len(windows) - 1, min(count, len(windows))).astype(np.int64))]
    masked = np.resize(real, (max(2, len(real) // 2), WINDOW)).copy()
    starts, ends = np.sort(rng.integers(0, WINDOW + 1, (2, len(masked))), axis=0)
    place = np.arange(WINDOW)
    masked[(place >= starts[:, None]) & (place < ends[:, None])] = ord("N")
    letters = rng.choice(np.frombuffer(b"NRYSWKMBDHVnry", np.uint8), masked.shape)
    masked = np.where(rng.random(masked.shape) < 0.02, letters, masked)
    lower = real[::4] | 0x20
    blank = np.full((1, WINDOW), ord("N"), np.uint8)
    return np.concatenate([real, masked, lower, blank])


def verify(
    data: bytes, network: SAResNet, windows: np.ndarray, strands: str = "both", path: Path = Path("model.onnx")
) -> Agreement:
    """Compare a model file with its network, in odd batch sizes.

    data: the bytes of the file; network: with the weights that the file stores
    (`stored_network`); windows: (n, 101) uint8 ASCII, from `check_windows`. The
    network is evaluated in float64. path: named in the error. Raises ExportError
    when a logit differs by more than 1e-4 or a probability by more than 1e-5.
    """
    exact = reference_logits(network, windows, strands)
    single = reference_logits(network, windows, strands, torch.float32)
    engine = OnnxRuntimeEngine(data, path=path, batch_size=max(BATCHES))
    scored = np.empty(len(windows))
    at = turn = 0
    while at < len(windows):
        size = BATCHES[turn % len(BATCHES)]
        scored[at : at + size] = engine.run(windows[at : at + size])
        at, turn = at + size, turn + 1
    agreement = Agreement(
        windows=len(windows),
        logit=float(np.abs(scored - exact).max()),
        probability=float(np.abs(_sigmoid(scored) - _sigmoid(exact)).max()),
        torch_logit=float(np.abs(single - exact).max()),
    )
    # written so that NaN fails as well
    if not (agreement.logit <= LOGIT_TOLERANCE and agreement.probability <= PROBABILITY_TOLERANCE):
        raise ExportError(
            f"the ONNX model differs from torch by {agreement.logit:.2g} in logit and {agreement.probability:.2g} in "
            f"probability (torch in float32: {agreement.torch_logit:.2g}), and was not written",
            path=path,
            cure="a network with such large weights needs to be trained again",
        )
    return agreement


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits))
