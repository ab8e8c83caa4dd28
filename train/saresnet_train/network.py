"""SAResNet: the self-attention residual network (Shen et al. 2021).

The network is single-stranded, as in the paper: it reads one strand of a
window. Both strands are put together at export.

Its convolutions are 1-dimensional and written 2-dimensional, 1 x k over
(batch, channels, 1, position) with channels last in memory: the same
arithmetic, 1.6 times faster to train on a CPU.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_ONE_HOT = torch.cat([torch.eye(4), torch.zeros(1, 4)])


def one_hot(codes: np.ndarray | Tensor) -> Tensor:
    """Return the input of the network: (n, length) codes -> (n, 4, length) float32.

    It is a view of memory with channels last, which is how the network computes.
    """
    return _ONE_HOT[torch.as_tensor(codes).long()].transpose(1, 2)


@dataclass(frozen=True)
class NetworkConfig:
    """What defines a network; the defaults are the paper's (section "Network")."""

    channels: int = 64  # table 4 compares 32 and 64
    attention: bool = True  # table 4 compares with and without
    attention_channels: int = 32  # "32 filters were selected in all our experiments"
    blocks: tuple[int, ...] = (3, 4, 6, 3)  # residual blocks in stages 2 to 5
    hidden: int = 32  # width of the dense layer before the two logits
    dropout: float = 0.7  # the paper's; a recipe may set another

    def as_dict(self) -> dict:
        """Return the configuration as plain JSON types."""
        return {**asdict(self), "blocks": list(self.blocks)}

    @classmethod
    def from_dict(cls, values: dict) -> NetworkConfig:
        """Rebuild a configuration from `as_dict`; raises TypeError on an unknown field."""
        return cls(**{**values, "blocks": tuple(values["blocks"])})


class Attention(nn.Module):
    """Self-attention over the positions of a sequence (eq. 5-7).

    x: (batch, channels, 1, L) -> the same shape. At theta = 0, where training
    starts, it is the identity.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.p = nn.Conv2d(channels, inner, 1)
        self.q = nn.Conv2d(channels, inner, 1)
        self.h = nn.Conv2d(channels, inner, 1)
        self.norm_y = nn.BatchNorm2d(inner)
        self.u = nn.Conv2d(inner, channels, 1)
        self.theta = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        f = functional.elu(self.norm(x))  # (B, C, 1, L)
        p = self.p(f).squeeze(2).transpose(1, 2)  # (B, L, 32)
        q = self.q(f).squeeze(2)  # (B, 32, L)
        h = self.h(f).squeeze(2).transpose(1, 2)  # (B, L, 32)
        weights = torch.softmax(p @ q, dim=2)  # eq. 6: (B, L, L), row i sums to 1 over j
        y = weights @ h / x.shape[3]  # eq. 5: (B, L, 32), y_i = 1/N sum_j F(x_i, x_j) h(x_j)
        y = y.transpose(1, 2).unsqueeze(2)  # (B, 32, 1, L)
        return self.theta * self.u(functional.elu(self.norm_y(y))) + x  # eq. 7: (B, C, 1, L)


class ResidualBlock(nn.Module):
    """Pre-activation residual block (eq. 8).

    x: (batch, channels, 1, L) -> (batch, channels, 1, ceil(L / stride)).
    The first block of a stage projects its shortcut with a 1x1 convolution.
    """

    def __init__(self, channels: int, stride: int = 1, project: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, (1, 3), (1, stride), (0, 1), bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False)
        self.shortcut = nn.Conv2d(channels, channels, 1, (1, stride), bias=False) if project else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(functional.elu(self.norm1(x)))  # (B, C, 1, ceil(L/stride))
        y = self.conv2(functional.elu(self.norm2(y)))  # (B, C, 1, ceil(L/stride))
        return y + self.shortcut(x)


class SAResNet(nn.Module):
    """The network of the paper: one-hot window in, two logits out.

    x: (batch, 4, 101) float32, rows A, C, G, T -> (batch, 2) float32, the
    logits of "not bound" and "bound". 443,333 parameters at 64 channels.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetworkConfig()
        channels = config.channels
        self.stem = nn.Conv2d(4, channels, (1, 7), padding=(0, 3))
        self.attentions = nn.ModuleList()
        self.stages = nn.ModuleList()
        for number, count in enumerate(config.blocks):
            attended = config.attention and number < len(config.blocks) - 1
            self.attentions.append(Attention(channels, config.attention_channels) if attended else nn.Identity())
            strides = [1 if number == 0 else 2] + [1] * (count - 1)
            self.stages.append(nn.Sequential(*(ResidualBlock(channels, s, i == 0) for i, s in enumerate(strides))))
        self.drop1 = nn.Dropout(config.dropout)
        self.dense = nn.Linear(channels, config.hidden)
        self.drop2 = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, 2)
        self.apply(_initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (B, 4, 1, 101)
        x = functional.elu(self.stem(x))  # (B, 64, 1, 101)
        x = functional.max_pool2d(x, (1, 3), (1, 2))  # (B, 64, 1, 50)
        for attend, stage in zip(self.attentions, self.stages, strict=True):
            x = stage(attend(x))  # (B, 64, 1, 50), then 25, 13, 7 positions
        x = x.mean((2, 3))  # average-pool over the 7 positions left: (B, 64)
        x = functional.elu(self.dense(self.drop1(x)))  # (B, 32)
        return self.out(self.drop2(x))  # (B, 2)

    def train(self, mode: bool = True) -> SAResNet:
        """Switch to training; a frozen batch norm keeps the statistics that it has."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def logit(self, x: Tensor) -> Tensor:
        """Return the log-odds of binding, z[1] - z[0]: (batch, 4, 101) -> (batch,) float32."""
        z = self(x).float()
        return z[:, 1] - z[:, 0]


def _initialise(module: nn.Module) -> None:
    """Draw weights from a truncated normal (table 1), scaled to keep the variance (He et al. 2015)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        std = (2.0 / module.weight[0].numel()) ** 0.5
        nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
