"""Low-rank fine-tuning: a convolution learns U V beside its weights, which stay (Hu et al. 2022, "LoRA").

A network that was trained so differs from the one it began with by a few small
matrices, which fit a fifteenth of the bytes (`saresnet_cli.adapters`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from saresnet_cli.adapters import LARGEST, Factors

_HELD = ".parametrizations.weight.original"
_LEFT, _RIGHT = ".parametrizations.weight.0.left", ".parametrizations.weight.0.right"


class LowRank(nn.Module):
    """Adds left @ right, (out, rank) times (rank, in * width), to the weight (out, in, 1, width) of a convolution.

    left starts at zero, so that training starts from the network as it is.
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        inputs = weight[0].numel()
        self.left = nn.Parameter(torch.zeros(len(weight), rank))
        self.right = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.left @ self.right).view(weight.shape)


def adapt(model: nn.Module, rank: int) -> None:
    """Hold the weights of all convolutions, and let each learn a matrix of this rank beside them.

    Norms, biases and dense layers are trained as before.
    """
    for module in list(model.modules()):
        if isinstance(module, nn.Conv2d):
            with torch.no_grad():  # as a model file stores it, so that what is learnt is what is added there
                module.weight.copy_(module.weight.half())
            parametrize.register_parametrization(module, "weight", LowRank(module.weight, rank))
            module.get_parameter("parametrizations.weight.original").requires_grad_(False)


@dataclass(frozen=True)
class Merged:
    """A network as its model file stores it: its state, and what was added to each convolution, by name."""

    state: dict[str, Tensor]
    factors: dict[str, Factors]


def is_adapted(state: dict[str, Tensor]) -> bool:
    """Whether the state of a network is one of low-rank fine-tuning."""
    return any(key.endswith(_HELD) for key in state)


def merge(state: dict[str, Tensor]) -> Merged:
    """Put the state of an adapted network together: that of a plain network with the same output, but for rounding.

    Factors are rounded to 21 values, everything else to float16, and norms hold their statistics in scale and shift:
    then a file of factors gives back the model file to the last bit (`saresnet_cli.adapters.unpack`).
    """
    merged: dict[str, Tensor] = {}
    factors: dict[str, Factors] = {}
    for key, value in state.items():
        if key.endswith(_HELD):
            name = key.removesuffix(_HELD)
            factors[name] = _rounded(state[name + _LEFT], state[name + _RIGHT])
            weight = factors[name].added_to(value.half().numpy())
            merged[f"{name}.weight"] = torch.from_numpy(weight.astype(np.float32))
        elif key not in (key.removesuffix(".right") + ".right", key.removesuffix(".left") + ".left"):
            merged[key] = value.clone()
    for name in [key.removesuffix(".running_var") for key in merged if key.endswith(".running_var")]:
        _fold(merged, name)
    return Merged({key: value if ".running_" in key else _half(value) for key, value in merged.items()}, factors)


def _rounded(left: Tensor, right: Tensor) -> Factors:
    """Return the product of two factors as components of int8 vectors, the largest first."""
    u, size, v = np.linalg.svd((left.double() @ right.double()).numpy(), full_matrices=False)
    rank = left.shape[1]
    u, size, v = u[:, :rank], size[:rank], v[:rank]
    tall = np.abs(u).max(axis=0) / LARGEST
    wide = np.abs(v).max(axis=1) / LARGEST
    return Factors(
        np.rint(u / tall).astype(np.int8),
        np.rint(v / wide[:, None]).astype(np.int8),
        (size * tall * wide).astype(np.float32),
    )


def _fold(state: dict[str, Tensor], name: str, epsilon: float = 1e-5) -> None:
    """Write a batch norm's statistics into its scale and shift; epsilon: that of torch's batch norms."""
    scale = state[f"{name}.weight"].double() / torch.sqrt(state[f"{name}.running_var"].double() + epsilon)
    shift = state[f"{name}.bias"].double() - state[f"{name}.running_mean"].double() * scale
    state[f"{name}.weight"], state[f"{name}.bias"] = scale.float(), shift.float()
    state[f"{name}.running_mean"] = torch.zeros_like(state[f"{name}.running_mean"])
    state[f"{name}.running_var"] = torch.full_like(state[f"{name}.running_var"], 1 - epsilon)


def _half(value: Tensor) -> Tensor:
    return value.half().float() if value.is_floating_point() else value
