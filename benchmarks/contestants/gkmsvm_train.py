"""Trains the gkm-SVM that `gkmsvm` predicts with, on windows of an experiment of the data folder."""

from __future__ import annotations

import time
from pathlib import Path

import click

from contestants.common import need, report
from saresnet_train.codes import decode
from saresnet_train.data import read_windows


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--experiment", default="encode/CTCF_GM12878", show_default=True)
@click.option("--count", type=click.IntRange(10), default=1000, show_default=True, help="Windows of each class.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(data: Path, experiment: str, count: int, output: Path) -> None:
    """Train a gkm-SVM with its defaults (l = 11, k = 7, d = 3)."""
    versions = need("gkmsvm-lite")
    from gkmsvm import train_gkmsvm

    folder = data / experiment
    bound, unbound = (
        [bytes(window).decode() for window in decode(read_windows(folder / name)[:count])]
        for name in ("train.positive.fa.gz", "test.negative.fa.gz")
    )
    begun = time.perf_counter()
    svm = train_gkmsvm(bound, unbound, device="cpu")
    seconds = time.perf_counter() - begun
    svm.save(str(output))
    report(
        train_seconds=seconds,
        support_vectors=int(svm.num_support_vectors),
        bound=len(bound),
        unbound=len(unbound),
        versions=versions,
    )


if __name__ == "__main__":
    main()
