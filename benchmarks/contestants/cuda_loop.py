"""The limit on a GPU: onnxruntime on CUDA over windows in memory, buffers bound once, no reading, no writing."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import onnxruntime

from contestants.common import MODEL, Stopwatch, piece_options, read_windows, report, shown, skip
from saresnet_cli.model import load_model

PROVIDER = "CUDAExecutionProvider"


@click.command()
@piece_options
@click.option("--batch", type=click.IntRange(1), default=4096, show_default=True)
@click.option("--precision", type=click.Choice(["float32", "tf32"]), default="float32", show_default=True)
@click.option("--model", default=MODEL, show_default=True)
def main(genome: Path, region: str, stride: int, windows: int | None, batch: int, precision: str, model: str) -> None:
    """Score windows with a bare loop over whole batches."""
    if PROVIDER not in onnxruntime.get_available_providers():
        skip("no CUDA in this onnxruntime: pip install onnxruntime-gpu")
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    settings = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "1" if precision == "tf32" else "0"}
    session = onnxruntime.InferenceSession(load_model(model).data, providers=[(PROVIDER, settings)])
    if PROVIDER not in session.get_providers():
        skip("CUDA does not start")
    prepared = read_windows(genome, region, stride, windows)
    if len(prepared) < batch:
        skip(f"fewer than {batch} windows")
    prepared = prepared[: len(prepared) // batch * batch]
    sequence = onnxruntime.OrtValue.ortvalue_from_numpy(prepared[:batch], "cuda", 0)
    logit = onnxruntime.OrtValue.ortvalue_from_shape_and_type([batch], np.float32, "cuda", 0)
    binding = session.io_binding()
    binding.bind_ortvalue_input("sequence", sequence)
    binding.bind_ortvalue_output("logit", logit)
    logits = np.empty(len(prepared), np.float32)

    def score(at: int) -> None:
        sequence.update_inplace(prepared[at : at + batch])
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        logits[at : at + batch] = logit.numpy()

    for _ in range(3):
        score(0)
    watch = Stopwatch()
    with watch.running():
        for at in range(0, len(prepared), batch):
            score(at)
    report(windows=len(prepared), seconds=watch.seconds, threads=1, batch=batch, logits=shown(logits))


if __name__ == "__main__":
    main()
