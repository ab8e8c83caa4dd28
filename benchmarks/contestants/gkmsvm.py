"""(e) Prediction by a gkm-SVM: another model, with a few thousand support vectors; it sees both strands by itself."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from contestants.common import Stopwatch, need, piece_options, read_windows, report, threads_option

BATCH = 250


@click.command()
@piece_options
@threads_option
@click.option("--svm", type=click.Path(exists=True, dir_okay=False), required=True, help="From gkmsvm_train.")
@click.option("--seconds", type=float, default=8.0, show_default=True, help="Predict until so much time is gone.")
def main(genome: Path, region: str, stride: int, windows: int | None, threads: int, svm: str, seconds: float) -> None:
    """Predict windows, as many as the time allows."""
    versions = need("gkmsvm-lite", "numba")
    import numba
    from gkmsvm import load_model, one_hot_encode

    numba.set_num_threads(threads)
    model = load_model(svm, device="cpu")
    letters = [bytes(window).decode() for window in read_windows(genome, region, stride, windows)]

    def predict(part: list[str]) -> None:
        model(np.stack([one_hot_encode(window) for window in part]))

    predict(letters[:BATCH])
    watch, done = Stopwatch(), 0
    while done < len(letters) and watch.seconds < seconds:
        part = letters[done : done + BATCH]
        with watch.running():
            predict(part)
        done += len(part)
    report(
        windows=done,
        seconds=watch.seconds,
        threads=threads,
        support_vectors=int(model.num_support_vectors),
        versions=versions,
    )


if __name__ == "__main__":
    main()
