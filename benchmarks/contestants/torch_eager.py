"""(e) The same network in torch, eager."""

from __future__ import annotations

from pathlib import Path

import click
import torch

from contestants.common import MODEL, Stopwatch, piece_options, read_windows, report, shown, threads_option
from contestants.network import Network1d, network_of_model
from contestants.torch_loop import fastest, letters_table, score
from saresnet_cli.model import load_model


@click.command()
@piece_options
@threads_option
@click.option("--model", default=MODEL, show_default=True)
def main(genome: Path, region: str, stride: int, windows: int | None, threads: int, model: str) -> None:
    """Score windows with torch in inference mode, in the layout and batch that is fastest here."""
    torch.set_num_threads(threads)
    network, table = network_of_model(load_model(model)), letters_table()
    prepared = torch.from_numpy(read_windows(genome, region, stride, windows))
    flat = Network1d(network)
    choices = {f"{n}-D, batch {b}": (net, b) for n, net in ((1, flat), (2, network)) for b in (32, 64, 256)}
    watch = Stopwatch()
    with torch.inference_mode():
        best = fastest(choices, prepared[:256], table)
        chosen, batch = choices[best]
        with watch.running():
            logits = score(chosen, prepared, batch, table)
    report(windows=len(prepared), seconds=watch.seconds, threads=threads, setting=best, logits=shown(logits.numpy()))


if __name__ == "__main__":
    main()
