"""Explains windows by gradients of a torch network: integrated gradients and DeepLIFT, against shuffled references."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, fx
from torch.nn import functional

from saresnet_cli.errors import ModelError, SaresnetError
from saresnet_cli.explaining import Effects
from saresnet_train.checkpoint import load_network
from saresnet_train.codes import OTHER, encode, reverse_complement
from saresnet_train.negatives import shuffle_dinucleotides
from saresnet_train.network import SAResNet, one_hot

METHODS = ("ig", "deeplift")

TOLERANCE = 0.1
"""How far, in logit, a checkpoint may be from its model, whose weights may be stored as float16."""

_ROWS = 256  # windows in a pass of the network
_NEAR = 1e-6  # of two inputs this close the slope is taken, not the ratio of differences


class Gradients:
    """Explains windows of one model with its checkpoint; a `Method` of `saresnet_cli.explaining`.

    checkpoint: as training writes it. name: "ig", integrated gradients (Sundararajan et al. 2017) by captum, in `steps`
    steps, default 50; or "deeplift", DeepLIFT's rescale rule (Shrikumar et al. 2017), which takes one. references:
    how many dinucleotide shuffles of a window it is compared with, default 20; 0 compares with an empty window, all
    zeros. Shuffles come from `seed` and the window alone; letters other than A, C, G, T stay where they are.
    strands: "both" explains the mean of both strands, as most models give it, "forward" one. threads: of torch, for
    this process. tolerance: of a check that the network is that of the model, in logit.

    Raises ModelError when the checkpoint can't be read, SaresnetError when captum is missing.
    """

    def __init__(
        self,
        checkpoint: Path | str,
        name: str = "deeplift",
        *,
        references: int = 20,
        steps: int = 50,
        seed: int = 0,
        strands: str = "both",
        threads: int | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        if name not in METHODS:
            raise ValueError(f"method {name!r} is not one of {', '.join(METHODS)}")
        self.name = name
        self._path, self._references, self._seed, self._strands = checkpoint, references, seed, strands
        self._tolerance = tolerance
        if threads is not None:
            torch.set_num_threads(threads)
        network = load_network(checkpoint).double().requires_grad_(False)  # so that nothing is lost to rounding
        self._multipliers = _integrated(network, steps) if name == "ig" else _deeplift(network)
        self._network = network

    def windows(self, windows: np.ndarray) -> np.ndarray:
        """Return the windows themselves: their logits show whether the checkpoint is the model's."""
        return windows

    def explain(self, windows: np.ndarray, logits: np.ndarray) -> Effects:
        """Explain windows (n, 101) uint8 ASCII, whose logits by the model are (n, 1) float32.

        Contributions are multipliers times the difference to the reference, meant over references and strands; effect
        is the difference to the contribution of the base that is there, so to first order. Raises ModelError when
        the network gives other logits than the model.
        """
        found = [self.attribute(window) for window in windows]
        logit = np.array([value for value, _, _ in found])
        apart = float(np.abs(logit - logits[:, 0]).max(initial=0))
        if not apart <= self._tolerance:
            raise ModelError(
                f"is not what the model was exported from: its logit of a window differs by {apart:.3g}",
                path=self._path,
                cure="give the model's own checkpoint, or export this one",
            )
        contribution = np.stack([value for _, value, _ in found]).astype(np.float32)[:, None]
        codes = encode(windows).astype(np.int64)[:, None, :, None]
        effect = contribution - np.take_along_axis(contribution, np.minimum(codes, 3), axis=3)
        effect[np.broadcast_to(codes == OTHER, effect.shape)] = np.nan
        missing = np.array([value for _, _, value in found])[:, None]
        return Effects(logits, effect, contribution, missing)

    def attribute(self, window: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Explain one window, (101,) uint8 ASCII: logit, contribution (101, 4) float64, what their sum is missing."""
        codes = encode(window)
        references = self._shuffles(codes)
        strands = [lambda c: c, reverse_complement] if self._strands == "both" else [lambda c: c]
        logit, baseline = 0.0, 0.0
        contribution = np.zeros((len(codes), 4))
        for turn, read in enumerate(strands):
            x = one_hot(read(codes)[None].copy()).double().expand(max(1, len(references)), -1, -1)
            r = one_hot(read(references).copy()).double() if len(references) else torch.zeros_like(x)
            with torch.no_grad():
                logit += float(_logit(self._network(x[:1]))) / len(strands)
                baseline += float(_logit(self._network(r)).mean()) / len(strands)
            m = self._multipliers(x.contiguous(), r)
            mean = (m - (m * r).sum(1, keepdim=True)).mean(0).T.numpy() / len(strands)  # (101, 4)
            contribution += mean[::-1, ::-1] if turn else mean
        contribution[codes == OTHER] = 0
        own = np.take_along_axis(contribution, np.minimum(codes, 3).astype(np.int64)[:, None], axis=1)
        return logit, contribution, logit - baseline - float(own.sum())

    def _shuffles(self, codes: np.ndarray) -> np.ndarray:
        """Return the references of a window: (101,) codes -> (references, 101) codes."""
        shuffles = np.repeat(codes[None], self._references, axis=0)
        known = np.flatnonzero(codes != OTHER)
        if len(known) and len(shuffles):
            shuffles[:, known] = shuffle_dinucleotides(shuffles[:, known], (self._seed, 8, *codes.tolist()))
        return shuffles


Multipliers = Callable[[Tensor, Tensor], Tensor]
"""Windows and their references, each (n, 4, 101) -> (n, 4, 101), by what each unit of difference changes the logit."""


def _integrated(network: SAResNet, steps: int) -> Multipliers:
    try:
        from captum.attr import IntegratedGradients
    except ModuleNotFoundError as error:
        raise SaresnetError(
            f"integrated gradients need {error.name}, which is not installed",
            cure="pip install 'saresnet[train,explain]', or use --method deeplift",
        ) from error
    gradients = IntegratedGradients(lambda x: _logit(network(x)), multiply_by_inputs=False)

    def multipliers(x: Tensor, r: Tensor) -> Tensor:
        # midpoints: attention is so steep here that Gauss-Legendre nodes converge no faster
        found: Tensor = gradients.attribute(x, r, n_steps=steps, method="riemann_middle", internal_batch_size=_ROWS)
        return found.detach()

    return multipliers


def _deeplift(network: SAResNet) -> Multipliers:
    graph = Rescale(fx.symbolic_trace(network))

    def multipliers(x: Tensor, r: Tensor) -> Tensor:
        x = x.clone().requires_grad_(True)
        z = graph.run(torch.cat([x, r]))
        return torch.autograd.grad(_logit(z[: len(x)]).sum(), x)[0]

    return multipliers


class Rescale(fx.Interpreter):
    """Runs a traced network on windows, and their references below them, so that gradients are DeepLIFT's multipliers.

    Every step gives the value that it should, and a gradient by which differences to the reference add up: the
    logit's is then exactly the sum over the input. captum has such rules, but none for a product of two values, which
    attention has, and one for pools whose stretches do not overlap: its sums are off by several logits here.
    """

    def call_function(self, target: Callable, args: tuple, kwargs: dict) -> Tensor:  # type: ignore[override]
        """Replace the functions that are not linear."""
        if target is functional.elu:
            return _rescaled(functional.elu, lambda z: z.clamp(max=0).exp(), args[0])
        if target is functional.max_pool2d:
            return _max_pool(*args, **kwargs)
        if target is torch.softmax:
            return _softmax(*args, **kwargs)
        if target in (operator.matmul, torch.matmul):
            return _product(torch.matmul, *args)
        found: Tensor = super().call_function(target, args, kwargs)
        return found


def _logit(z: Tensor) -> Tensor:
    """Return the log-odds of binding, of the type that it is computed in, where the network's own are float32."""
    return z[:, 1] - z[:, 0]


def _pair(values: Tensor) -> Tensor:
    return torch.cat([values, values])


def _rescaled(function: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Apply a function of single values; its gradient is the ratio of differences to the reference."""
    with torch.no_grad():
        y = function(z)
        x, r = z.chunk(2)
        near = (x - r).abs() < _NEAR
        ratio = (y[: len(x)] - y[len(x) :]) / torch.where(near, 1.0, x - r)
        multiplier = _pair(torch.where(near, slope((x + r) / 2), ratio))
        rest = y - multiplier * z
    return multiplier * z + rest


def _product(multiply: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Multiply; a factor's gradient is the mean of the other, since ab - a'b' = (a-a')(b+b')/2 + (b-b')(a+a')/2."""
    with torch.no_grad():
        mean_a, mean_b = (_pair(torch.stack(factor.chunk(2)).mean(0)) for factor in (a, b))
        rest = multiply(a, b) - multiply(a, mean_b) - multiply(mean_a, b)
    return multiply(a, mean_b) + multiply(mean_a, b) + rest


def _softmax(z: Tensor, dim: int) -> Tensor:
    """Return exp(z - L), L = log sum exp z: both steps by their ratios, L's by way of the sum, without overflow."""
    with torch.no_grad():
        total = torch.logsumexp(z, dim, keepdim=True)
        multiplier = _pair(torch.exp(_log_mean(*z.chunk(2)) - _log_mean(*total.chunk(2))))
        rest = total - (multiplier * z).sum(dim, keepdim=True)
    total = (multiplier * z).sum(dim, keepdim=True) + rest
    return _rescaled(torch.exp, torch.exp, z - total)


def _log_mean(a: Tensor, b: Tensor) -> Tensor:
    """Return log((exp a - exp b) / (a - b)), the logarithm of the logarithmic mean."""
    d = (a - b).abs()
    return torch.maximum(a, b) + torch.where(d < _NEAR, -d / 2, torch.log(-torch.expm1(-d) / d.clamp(min=_NEAR)))


def _max_pool(x: Tensor, size: tuple[int, int], stride: tuple[int, int], *_: object, **__: object) -> Tensor:
    """Take the maximum of three, two at a time, from either side, so that no strand is before the other."""
    if size[1] != 3:
        raise NotImplementedError(f"a pool of {size}")
    count = (x.shape[3] - 3) // stride[1] + 1
    a, b, c = (x[..., i : i + stride[1] * (count - 1) + 1 : stride[1]] for i in range(3))
    return (_larger(_larger(a, b), c) + _larger(a, _larger(b, c))) / 2


def _larger(a: Tensor, b: Tensor) -> Tensor:
    return b + _rescaled(functional.relu, lambda z: (z > 0).to(z), a - b)
