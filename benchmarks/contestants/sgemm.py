"""(d) How many float32 operations a second a matrix product does here and now: the limit of any engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import click
import numpy as np

from contestants.common import report, threads_option

SIZES = (2048, 4096)


def rate(product: Callable[[], object], size: int, seconds: float) -> float:
    """Return the floating-point operations a second of a product of two (size, size) matrices."""
    product()
    count, begun = 0, time.perf_counter()
    while count < 2 or time.perf_counter() - begun < seconds:
        product()
        count += 1
    return count * 2 * size**3 / (time.perf_counter() - begun)


@click.command()
@threads_option
@click.option("--library", type=click.Choice(["numpy", "torch"]), default="numpy", show_default=True)
@click.option("--seconds", type=float, default=2.0, show_default=True, help="Of each size.")
def main(threads: int, library: str, seconds: float) -> None:
    """Multiply square float32 matrices."""
    random = np.random.default_rng(1)
    gflops = {}
    for size in SIZES:
        a, b = (random.standard_normal((size, size), np.float32) for _ in range(2))
        if library == "numpy":
            from threadpoolctl import threadpool_info, threadpool_limits

            out = np.empty_like(a)
            with threadpool_limits(threads):
                gflops[str(size)] = rate(partial(np.matmul, a, b, out=out), size, seconds) / 1e9
            blas = [entry for entry in threadpool_info() if entry["user_api"] == "blas"]
            how = ", ".join(f"{entry['internal_api']} {entry['version']} {entry['architecture']}" for entry in blas)
        else:
            import torch

            torch.set_num_threads(threads)
            x, y, z = torch.from_numpy(a), torch.from_numpy(b), torch.empty(size, size)
            gflops[str(size)] = rate(partial(torch.mm, x, y, out=z), size, seconds) / 1e9
            how = "MKL" if torch.backends.mkl.is_available() else "torch's own BLAS"
    report(threads=threads, gflops={size: round(value, 1) for size, value in gflops.items()}, library=how)


if __name__ == "__main__":
    main()
