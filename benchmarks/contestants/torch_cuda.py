"""The same network in torch on a GPU, eager or compiled, over windows in the memory of the card."""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch

from contestants.common import MODEL, Stopwatch, piece_options, read_windows, report, shown, skip
from contestants.network import network_of_model
from contestants.torch_loop import Network, letters_table, score
from saresnet_cli.model import load_model


@click.command()
@piece_options
@click.option("--batch", type=click.IntRange(1), default=4096, show_default=True)
@click.option("--precision", type=click.Choice(["float32", "tf32", "bfloat16"]), default="float32", show_default=True)
@click.option("--compile/--eager", "compiled", default=False, show_default=True)
@click.option("--model", default=MODEL, show_default=True)
def main(
    genome: Path,
    region: str,
    stride: int,
    windows: int | None,
    batch: int,
    precision: str,
    compiled: bool,
    model: str,
) -> None:
    """Score windows with torch on CUDA."""
    if not torch.cuda.is_available():
        skip("no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    device = torch.device("cuda")
    network: Network = network_of_model(load_model(model)).to(device)
    if compiled:
        network = torch.compile(network, dynamic=False)
    table = letters_table("cuda")
    prepared = torch.from_numpy(read_windows(genome, region, stride, windows)).to(device)
    watch = Stopwatch()
    with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16"):
        begun = time.perf_counter()
        score(network, prepared[:batch], batch, table)
        torch.cuda.synchronize()
        compile_seconds = time.perf_counter() - begun
        score(network, prepared[: 2 * batch], batch, table)
        torch.cuda.synchronize()
        with watch.running():
            logits = score(network, prepared, batch, table).float().cpu().numpy()
    report(
        windows=len(prepared),
        seconds=watch.seconds,
        threads=1,
        batch=batch,
        compile_seconds=compile_seconds,
        gpu=torch.cuda.get_device_name(),
        logits=shown(logits),
    )


if __name__ == "__main__":
    main()
