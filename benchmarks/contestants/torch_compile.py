"""(e) The same network in torch, compiled."""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch

from contestants.common import MODEL, Stopwatch, piece_options, read_windows, report, shown, threads_option
from contestants.network import network_of_model
from contestants.torch_loop import letters_table, score
from saresnet_cli.model import load_model


@click.command()
@piece_options
@threads_option
@click.option("--batch", type=click.IntRange(1), default=256, show_default=True)
@click.option("--freeze/--no-freeze", default=True, show_default=True, help="Weights as constants of the code.")
@click.option("--model", default=MODEL, show_default=True)
def main(
    genome: Path, region: str, stride: int, windows: int | None, threads: int, batch: int, freeze: bool, model: str
) -> None:
    """Score windows with torch.compile in inference mode."""
    torch.set_num_threads(threads)
    torch._inductor.config.freezing = freeze
    network, table = network_of_model(load_model(model)), letters_table()
    prepared = torch.from_numpy(read_windows(genome, region, stride, windows))
    compiled = torch.compile(network, dynamic=False)
    watch = Stopwatch()
    with torch.inference_mode():
        begun = time.perf_counter()
        score(compiled, prepared[:batch], batch, table)
        compile_seconds = time.perf_counter() - begun
        score(compiled, prepared[: 4 * batch], batch, table)
        with watch.running():
            logits = score(compiled, prepared, batch, table)
    report(
        windows=len(prepared),
        seconds=watch.seconds,
        threads=threads,
        compile_seconds=compile_seconds,
        setting=f"2-D, batch {batch}, {'frozen' if freeze else 'not frozen'}",
        logits=shown(logits.numpy()),
    )


if __name__ == "__main__":
    main()
