"""(b) The engine of saresnet alone: windows in memory, no reading, no writing."""

from __future__ import annotations

from pathlib import Path

import click

from contestants.common import MODEL, Stopwatch, piece_options, read_windows, report, shown, threads_option
from saresnet_cli.model import load_model
from saresnet_cli.runtime import Runtime


@click.command()
@piece_options
@threads_option
@click.option("--engine", default="onnxruntime", show_default=True)
@click.option("--precision", default="float32", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--model", default=MODEL, show_default=True)
def main(
    genome: Path,
    region: str,
    stride: int,
    windows: int | None,
    threads: int,
    engine: str,
    precision: str,
    device: str,
    model: str,
) -> None:
    """Score windows that are in memory with the engine of saresnet."""
    prepared = read_windows(genome, region, stride, windows)
    runtime = Runtime(engine=engine, precision=precision, device=device, threads=threads)
    watch = Stopwatch()
    with runtime.open([load_model(model)]) as scorer:
        scorer.logits(prepared[: 4 * scorer.batch_size])
        with watch.running():
            logits = scorer.logits(prepared)[:, 0]
        report(
            windows=len(prepared),
            seconds=watch.seconds,
            threads=threads,
            batch=scorer.batch_size,
            device=scorer.device,
            logits=shown(logits),
        )


if __name__ == "__main__":
    main()
