"""The torch network that a model file has to agree with."""

from __future__ import annotations

import copy

import numpy as np
import torch

from saresnet_train.codes import encode, reverse_complement
from saresnet_train.network import SAResNet, one_hot


def stored_network(network: SAResNet, weights: str) -> SAResNet:
    """Return a copy of a network with the weights that a file stores, in evaluation mode.

    weights: "float16" rounds the weights of convolutions and dense layers to
    float16; biases, batch norms and theta stay float32. "float32" rounds nothing.
    """
    stored = copy.deepcopy(network).cpu().float().eval()
    if weights == "float16":
        with torch.no_grad():
            for parameter in stored.parameters():
                if parameter.ndim > 1:
                    parameter.copy_(parameter.half())
    return stored


def reference_logits(
    network: SAResNet, windows: np.ndarray, strands: str = "both", precision: torch.dtype = torch.float64
) -> np.ndarray:
    """Score windows with torch: (n, 101) uint8 ASCII -> (n,) float64.

    precision: of the whole computation. float64 has no rounding error to speak
    of, so that a difference from it is the file's own.
    """
    exact = copy.deepcopy(network).to(precision).eval()
    codes = encode(windows)
    with torch.inference_mode():
        z = exact(one_hot(codes).to(precision))
        logits = z[:, 1] - z[:, 0]
        if strands == "both":
            z = exact(one_hot(reverse_complement(codes).copy()).to(precision))
            logits = (logits + z[:, 1] - z[:, 0]) / 2
    return logits.double().numpy()
