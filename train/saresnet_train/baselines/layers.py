"""What the networks of the rivals are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Network(nn.Module):
    """A rival's network: `detect`, the first convolution with the pooling behind it, then `classify`.

    Nearly all of the arithmetic is in the first part, so bfloat16 is used there alone, and only to train.
    """

    def detect(self, x: Tensor) -> Tensor:
        """Return what the detectors found: (batch, 4, 101) one-hot windows -> (batch, …)."""
        raise NotImplementedError

    def classify(self, found: Tensor) -> Tensor:
        """Return the log-odds of binding from what `detect` gave: (batch, …) float32 -> (batch,)."""
        raise NotImplementedError

    def forward(self, x: Tensor, bfloat16: bool = False) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            found = self.detect(x)
        return self.classify(found.float())


class Detectors(nn.Module):
    """A convolution with a maximum over positions behind it.

    x: (batch, channels, L) -> (batch, kernels, L // pool): the windows are filled up with zeros so that there is one
    value a position ("same" in Keras), and each `pool` of them give their maximum; pool None: all of them.
    The bias is added behind the maximum, which is the same and L times cheaper; a rectifier can follow.
    """

    def __init__(self, channels: int, kernels: int, width: int, pool: int | None = None) -> None:
        super().__init__()
        self.width, self.pool = width, pool
        # 2-dimensional, as in SAResNet: faster on a CPU with channels last
        self.weight = nn.Parameter(torch.empty(kernels, channels, 1, width, memory_format=torch.channels_last))
        self.bias = nn.Parameter(torch.zeros(kernels))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        left = (self.width - 1) // 2
        x = functional.pad(x.transpose(1, 2), (0, 0, left, self.width - 1 - left))  # (B, L + width - 1, channels)
        y = functional.conv2d(x.transpose(1, 2).unsqueeze(2), self.weight)  # (B, kernels, 1, L)
        y = functional.max_pool2d(y, (1, self.pool or y.shape[3]))  # (B, kernels, 1, L // pool)
        return y.squeeze(2) + self.bias[:, None]


class Head(nn.Module):
    """The layers behind the pooling: a dense layer of `hidden` rectified units, or none (0), dropout, the log-odds.

    x: (batch, inputs) -> (batch,). Weights are drawn as Keras does (Glorot and Bengio 2010).
    """

    def __init__(self, inputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, hidden) if hidden else None
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden or inputs, 1)
        for layer in (self.dense, self.out):
            if layer is not None:
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.dense is not None:
            x = functional.relu(self.dense(x))
        return self.out(self.drop(x)).squeeze(1)
