"""(a) The naive loop: one onnxruntime session, batch 256, one-hot in Python, the strands as two passes."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import onnxruntime

from contestants.common import Stopwatch, piece_options, read_windows, report, shown, threads_option

COLUMNS = {"A": (1, 0, 0, 0), "C": (0, 1, 0, 0), "G": (0, 0, 1, 0), "T": (0, 0, 0, 1)}
OTHER = (0, 0, 0, 0)
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def one_hot(window: str) -> np.ndarray:
    """Return the input of the network for one window: (4, 101) float32."""
    return np.array([COLUMNS.get(base, OTHER) for base in window], np.float32).T


@click.command()
@piece_options
@threads_option
@click.option("--onnx", type=click.Path(exists=True, dir_okay=False), required=True, help="From export_naive.")
@click.option("--batch", type=click.IntRange(1), default=256, show_default=True)
def main(genome: Path, region: str, stride: int, windows: int | None, threads: int, onnx: str, batch: int) -> None:
    """Score windows the way a first script does it."""
    letters = [bytes(window).decode() for window in read_windows(genome, region, stride, windows)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    logits = np.empty(len(letters), np.float32)
    whole, encoding = Stopwatch(), Stopwatch()

    def score(part: list[str]) -> np.ndarray:
        with encoding.running():
            encoded = np.stack([one_hot(window) for window in part])
        z = session.run(None, {"one_hot": encoded})[0]
        return z[:, 1] - z[:, 0]

    score(letters[:batch])
    encoding.seconds = 0.0
    with whole.running():
        for at in range(0, len(letters), batch):
            part = letters[at : at + batch]
            reverse = [window.translate(COMPLEMENT)[::-1] for window in part]
            logits[at : at + batch] = (score(part) + score(reverse)) / 2
    report(
        windows=len(letters),
        seconds=whole.seconds,
        threads=threads,
        batch=batch,
        encoding_seconds=encoding.seconds,
        logits=shown(logits),
    )


if __name__ == "__main__":
    main()
