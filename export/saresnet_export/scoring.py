"""Scores windows with a network as a scan does: through its graph and an engine, several times as fast as by torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from saresnet_cli.runtime import Runtime
from saresnet_export.graph import build_model
from saresnet_train.codes import decode
from saresnet_train.network import SAResNet


@contextmanager
def open_network(
    network: SAResNet, strands: str = "both", threads: int | None = None
) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Give what scores windows, (n, 101) uint8 base codes -> (n,) float32 logits, on the CPU.

    They are those of torch to within 1e-4. strands: "both" or "forward".
    """
    data = build_model(network, strands=strands).SerializeToString(deterministic=True)
    with Runtime(device="cpu", threads=threads).open_files([(data, Path("the network"))]) as scorer:
        yield lambda codes: scorer.logits(decode(codes))[:, 0]
