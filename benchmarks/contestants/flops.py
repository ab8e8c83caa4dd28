"""Counts the floating-point operations of the network for one strand of one window."""

from __future__ import annotations

import click
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from contestants.common import report
from saresnet_train.network import SAResNet


@click.command()
def main() -> None:
    """Count multiplications and additions of convolutions, attention products and dense layers.

    `flop` leaves out products with the zeros that pad a convolution; `flop_padded` has them.
    """
    network = SAResNet().eval()
    lengths: list[tuple[nn.Conv2d, int]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            lengths.append((module, inputs[0].shape[3]))

    for module in network.modules():
        module.register_forward_hook(note)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network(torch.zeros(1, 4, 101))
    total = int(counter.get_total_flops())
    report(flop=total - sum(padding_flop(conv, length) for conv, length in lengths), flop_padded=total)


def padding_flop(conv: nn.Conv2d, length: int) -> int:
    """Return how many operations of a 1 x k convolution over `length` positions meet padding."""
    kernel = torch.ones(1, 1, *conv.kernel_size)
    used = functional.conv2d(torch.ones(1, 1, 1, length), kernel, None, conv.stride, conv.padding)
    taps = used.numel() * kernel.numel() - int(used.sum())
    return 2 * taps * conv.in_channels * conv.out_channels


if __name__ == "__main__":
    main()
