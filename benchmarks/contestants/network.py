"""The network of a shipped model, in torch: two-dimensional as it was trained, and one-dimensional as in the paper."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from saresnet_cli.model import Model
from saresnet_train.network import NetworkConfig, SAResNet

_ATTENDED = (50, 50, 25)
"""Positions that each attention sees."""


class Attention1d(nn.Module):
    """`saresnet_train.network.Attention` over (batch, channels, L)."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)
        self.p = nn.Conv1d(channels, inner, 1)
        self.q = nn.Conv1d(channels, inner, 1)
        self.h = nn.Conv1d(channels, inner, 1)
        self.norm_y = nn.BatchNorm1d(inner)
        self.u = nn.Conv1d(inner, channels, 1)
        self.theta = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        f = functional.elu(self.norm(x))  # (B, C, L)
        p, q, h = self.p(f).transpose(1, 2), self.q(f), self.h(f).transpose(1, 2)
        y = torch.softmax(p @ q, dim=2) @ h / x.shape[2]  # (B, L, 32)
        return self.theta * self.u(functional.elu(self.norm_y(y.transpose(1, 2)))) + x


class Block1d(nn.Module):
    """`saresnet_train.network.ResidualBlock` over (batch, channels, L)."""

    def __init__(self, channels: int, stride: int, project: bool) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm1d(channels)
        self.conv1 = nn.Conv1d(channels, channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(channels)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.shortcut = nn.Conv1d(channels, channels, 1, stride, bias=False) if project else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(functional.elu(self.norm1(x)))
        y = self.conv2(functional.elu(self.norm2(y)))
        return y + self.shortcut(x)


class Network1d(nn.Module):
    """`saresnet_train.network.SAResNet` in evaluation mode, written as the paper has it.

    x: (batch, 4, 101) float32 -> (batch, 2) float32.
    """

    def __init__(self, network: SAResNet) -> None:
        super().__init__()
        config = network.config
        self.stem = nn.Conv1d(4, config.channels, 7, padding=3)
        self.attentions, self.stages = nn.ModuleList(), nn.ModuleList()
        for number, count in enumerate(config.blocks):
            attended = number < len(config.blocks) - 1
            self.attentions.append(
                Attention1d(config.channels, config.attention_channels) if attended else nn.Identity()
            )
            first = Block1d(config.channels, 2 if number else 1, True)
            self.stages.append(nn.Sequential(first, *(Block1d(config.channels, 1, False) for _ in range(count - 1))))
        self.dense = nn.Linear(config.channels, config.hidden)
        self.out = nn.Linear(config.hidden, 2)
        self.load_state_dict({k: v.squeeze(2) if v.ndim == 4 else v for k, v in network.state_dict().items()})
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool1d(functional.elu(self.stem(x)), 3, 2)  # (B, 64, 50)
        for attend, stage in zip(self.attentions, self.stages, strict=True):
            x = stage(attend(x))
        return self.out(functional.elu(self.dense(x.mean(2))))


def network_of_model(model: Model) -> SAResNet:
    """Return the network that a model file computes, on one strand, in evaluation mode.

    Export folds norms, theta and the difference of the logits into weights
    (`saresnet_export.graph`); this gives a network with the same logits, not the same parameters.
    """
    values = {i.name: numpy_helper.to_array(i) for i in onnx.load_from_string(model.data).graph.initializer}
    network = SAResNet(NetworkConfig(channels=model.card.channels))
    state = network.state_dict()

    def put(name: str, value: np.ndarray) -> None:
        state[name] = torch.from_numpy(np.array(value, np.float32)).reshape(state[name].shape)

    def weight(name: str) -> None:
        stored = f"{name}.weight.float16"
        put(f"{name}.weight", values[stored if stored in values else f"{name}.weight"])

    def norm(name: str, scale: np.ndarray, shift: np.ndarray) -> None:
        put(f"{name}.weight", scale * np.sqrt(1 + network.get_submodule(name).eps))  # type: ignore[operator]
        put(f"{name}.bias", shift)

    for name in ("stem", "dense"):
        weight(name)
        put(f"{name}.bias", values[f"{name}.bias"])
    put("out.weight", np.concatenate([np.zeros_like(values["out.weight"]), values["out.weight"]]))
    put("out.bias", np.concatenate([[0], values["out.bias"]]))
    ones = np.ones(model.card.channels, np.float32)
    for name in [name.removesuffix(".norm1.scale") for name in values if name.endswith(".norm1.scale")]:
        norm(f"{name}.norm1", values[f"{name}.norm1.scale"], values[f"{name}.norm1.shift"])
        norm(f"{name}.norm2", values.get(f"{name}.conv1.weight.scale", ones).ravel(), values[f"{name}.conv1.bias"])
        for part in ("conv1", "conv2", "shortcut"):
            if f"{name}.{part}.weight" in state:
                weight(f"{name}.{part}")
    for number, length in enumerate(_ATTENDED):
        name = f"attentions.{number}"
        norm(f"{name}.norm", values[f"{name}.norm.scale"], values[f"{name}.norm.shift"])
        for part in "pqhu":
            weight(f"{name}.{part}")
        for part in "pq":
            put(f"{name}.{part}.bias", values[f"{name}.{part}.bias"])
        scale = values.get(f"{name}.h.weight.scale", np.ones_like(values[f"{name}.h.bias"])).ravel()
        norm(f"{name}.norm_y", scale * length, values[f"{name}.h.bias"])
        theta = values.get(f"{name}.u.weight.scale", ones).ravel()[0]
        put(f"{name}.theta", theta)
        put(f"{name}.u.bias", values[f"{name}.u.bias"] / (theta or 1))
    network.load_state_dict(state)
    return network.eval()
