"""Writes what the naive loop runs: torch's own export of the network, one strand, one-hot in, two logits out."""

from __future__ import annotations

from pathlib import Path

import click
import torch

from contestants.common import MODEL, need, report
from contestants.network import Network1d, network_of_model
from saresnet_cli.model import load_model


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--model", default=MODEL, show_default=True)
@click.option("--dimensions", type=click.IntRange(1, 2), default=1, show_default=True, help="Of the convolutions.")
def main(output: Path, model: str, dimensions: int) -> None:
    """Export the network of a shipped model with torch.onnx.export."""
    versions = need("torch", "onnx", "onnxscript")
    network = network_of_model(load_model(model))
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        Network1d(network) if dimensions == 1 else network,
        (torch.zeros(2, 4, 101),),
        str(output),
        input_names=["one_hot"],
        output_names=["logits"],
        dynamic_shapes=({0: batch},),
        external_data=False,
        verbose=False,
    )
    report(bytes=output.stat().st_size, versions=versions)


if __name__ == "__main__":
    main()
