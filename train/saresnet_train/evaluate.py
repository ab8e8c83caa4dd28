"""Evaluation: the metrics of a model on labelled windows, or on a real genome with known peaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from saresnet_train.background import Interval
from saresnet_train.codes import decode
from saresnet_train.data import read_windows
from saresnet_train.genomic import label_windows
from saresnet_train.metrics import measure

Scorer = Callable[[np.ndarray], np.ndarray]
"""From windows, (n, 101) uint8 base codes, to logits, (n,) float32."""


@contextmanager
def open_scorer(
    model: Path | str, strands: str = "both", threads: int | None = None, device: str = "auto"
) -> Iterator[Scorer]:
    """Give what scores windows: a checkpoint (`.pt`), or an exported model (a file or an id).

    strands: how a checkpoint scores; an exported model does as its card says. device: for an exported model.
    Raises ModelError when there is no such model.
    """
    if str(model).endswith(".pt"):
        from saresnet_export.scoring import open_network
        from saresnet_train.checkpoint import load_network

        with open_network(load_network(model), strands, threads) as score:
            yield score
    else:
        from saresnet_cli.model import load_model
        from saresnet_cli.runtime import Runtime

        with Runtime(threads=threads, device=device).open([load_model(str(model))]) as scorer:
            yield lambda codes: scorer.logits(decode(codes))[:, 0]


def evaluate_windows(score: Scorer, positive: Path | str, negative: Path | str) -> dict:
    """Return the metrics on FASTA files of bound and unbound windows (`measure`)."""
    bound, unbound = read_windows(positive), read_windows(negative)
    labels = np.repeat([1, 0], [len(bound), len(unbound)])
    return measure(labels, score(np.concatenate([bound, unbound])))


def evaluate_genome(
    score: Scorer,
    genome: Path | str,
    peaks: Path | str,
    stride: int = 50,
    only: tuple[Interval, ...] = (),
    leave_out: Iterable[Path | str] = (),
) -> dict:
    """Return the metrics over the windows of a genome, labelled by peaks (`label_windows`)."""
    labels, logits, left_out, without = [], [], 0, 0
    for part in label_windows(genome, peaks, stride, only, leave_out):
        labels.append(part.labels)
        logits.append(score(part.codes))
        left_out, without = left_out + part.left_out, without + part.without_bases
    figures = measure(np.concatenate(labels), np.concatenate(logits))
    return {**figures, "left_out": left_out, "with_other_letters": without, "stride": stride}
