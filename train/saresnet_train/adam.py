"""Adam, by torch's own fused kernel: `torch.optim.Adam` and `AdamW`, but for what these load.

A first step of theirs loads torch's compiler, whether it is used or not: two seconds of every training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019), whose decay of the weights is decoupled.

    weights: what is trained; their gradients are used up by `step`. rate: of the next step. decay: of the weights;
    decoupled: whether it is AdamW's. The same numbers, bit by bit, and the same state as torch's with `fused=True`.
    """

    def __init__(self, weights: Iterable[nn.Parameter], rate: float, decay: float, decoupled: bool) -> None:
        self.weights = list(weights)
        self.rate = rate
        self._decay = decay
        self._update: Any = adamw if decoupled else adam
        self._moments: dict[int, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights that have a gradient."""
        moved = [i for i, weight in enumerate(self.weights) if weight.grad is not None]
        for i in moved:
            if i not in self._moments:
                weight = self.weights[i]
                self._moments[i] = {
                    "step": torch.zeros((), dtype=torch.float32, device=weight.device),
                    "exp_avg": torch.zeros_like(weight),
                    "exp_avg_sq": torch.zeros_like(weight),
                }
        held = [self._moments[i] for i in moved]
        self._update(
            [self.weights[i] for i in moved],
            [self.weights[i].grad for i in moved],
            [each["exp_avg"] for each in held],
            [each["exp_avg_sq"] for each in held],
            [],
            [each["step"] for each in held],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.rate,
            weight_decay=self._decay,
            eps=EPSILON,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, as torch's optimizers have it."""
        return {"state": self._moments, "param_groups": [{"lr": self.rate, "params": list(range(len(self.weights)))}]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint, also one of torch's Adam; raises KeyError or ValueError on another."""
        if len(state["param_groups"]) != 1 or len(state["param_groups"][0]["params"]) != len(self.weights):
            raise ValueError("the state is that of other weights")
        for i, values in state["state"].items():
            weight = self.weights[int(i)]
            taken = {name: values[name].to(weight.device) for name in ("step", "exp_avg", "exp_avg_sq")}
            if taken["exp_avg"].shape != weight.shape:
                raise ValueError("the state is that of other weights")
            self._moments[int(i)] = taken
