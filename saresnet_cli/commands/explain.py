"""`saresnet explain`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import kept_apart, model_options, output_options, runtime_options, window_options

if TYPE_CHECKING:
    from saresnet_cli.explaining.explanations import Explanations, Method
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@kept_apart(("sequences", "regions", "model", "checkpoint"), ("output", "plot"))
@click.argument("sequences", metavar="GENOME.fa|SEQS.fa")
@click.argument("regions", metavar="[REGIONS.bed|-]", required=False)
@model_options
@click.option("--plot", metavar="FILE", help="A picture, PNG or SVG; {name}: one each.")
@click.option("--npz", metavar="NAME.npz", help="NAME.ohe.npz, NAME.shap.npz: for TF-MoDISco.")
@click.option("--window", type=click.Choice(["center", "best", "all"]), help="Of a region, or of a sequence.")
@window_options(stride=50)
@click.option("--method", type=click.Choice(["ism", "ig", "deeplift"]), default="ism", show_default=True)
@click.option("--checkpoint", metavar="FILE.pt", help="The model's network, for ig and deeplift.")
@click.option("--references", type=click.IntRange(0), default=20, help="Shuffles, 0: blank.  [default: 20]")
@click.option("--steps", type=click.IntRange(1), default=50, help="Steps of ig.  [default: 50]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the shuffles.  [default: 0]")
@runtime_options
@output_options
def explain(
    sequences: str,
    regions: str | None,
    models: list[Model],
    plot: str | None,
    npz: str | None,
    window: str | None,
    stride: int,
    max_n: float,
    method: str,
    checkpoint: str | None,
    references: int,
    steps: int,
    seed: int,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Explain scores base by base.

    With REGIONS.bed, around the summit or the middle of each region (--window
    center), without, where each sequence scores highest (best). ism scores all
    303 changes of a window; ig and deeplift take gradients. The result is a
    table, a row a base: what it adds to the logit, and what A, C, G or T there
    would change. -o FILE.png, .svg or .npz gives that instead.

    \b
    saresnet explain hg38.fa peaks.bed --tf CTCF --cell GM12878 --plot peaks.svg > peaks.tsv
    saresnet explain seqs.fa --tf CTCF --cell GM12878 --npz seqs.npz -o seqs.tsv.gz
    """
    from saresnet_cli.figures import OTHERS, check_format

    suffix = Path(output or "").suffix.lower()
    if suffix in (".png", ".svg"):
        plot, output = _instead(plot, output, "--plot"), None
    elif suffix == ".npz":
        npz, output = _instead(npz, output, "--npz"), None
    elif suffix in OTHERS:
        check_format(str(output))  # which refuses it: it would be a table under the name of a picture
    else:
        suffix = ""

    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.explaining.attribution_files import COLUMNS, ModiscoFiles, table_lines
    from saresnet_cli.explaining.explanations import explain as run_explain
    from saresnet_cli.explaining.logo import LogoFiles
    from saresnet_cli.output import open_output
    from saresnet_cli.provenance import Provenance

    log = logging.getLogger("saresnet")
    pictures = LogoFiles(plot) if plot else None
    window = window or ("best" if regions is None else "center")
    about: dict[str, object] = {"windows": window, **({"stride": stride} if window == "all" else {}), "method": method}
    gradients = None
    if method != "ism":
        about |= {"references": references, "seed": seed, **({"steps": steps} if method == "ig" else {})}
        gradients = _gradients(method, models, checkpoint, references, steps, seed, runtime)
    elif checkpoint is not None:
        raise click.UsageError("--checkpoint is for --method ig or deeplift.")
    with contextlib.ExitStack() as stack:
        blocks = stack.enter_context(
            run_explain(
                models, sequences, regions, window=window, stride=stride, max_n=max_n, method=gradients, runtime=runtime
            )
        )
        takers: list[Callable[[Explanations], object]] = [pictures.add] if pictures else []
        if npz:
            files = stack.enter_context(ModiscoFiles(npz))
            takers.append(files.add)
        if not suffix:
            out = stack.enter_context(open_output(output))
            out.write(Provenance.of(models, blocks.summary, about).header(COLUMNS))
            takers.append(lambda block: out.write(table_lines(block)))
        missing = 0.0
        for block in with_progress(blocks):
            for take in takers:
                take(block)
            missing = max(missing, float(abs(block.missing).max())) if gradients else 0.0
        if pictures:
            pictures.close()
    if gradients:
        log.info("attributions add up to the logit less the references' within %.3g", missing)
    if npz:
        log.info("for TF-MoDISco: modisco motifs -s %s -a %s -w 100 -n 2000", files.sequences, files.contributions)
    log.info("%s", blocks.summary)


def _instead(given: str | None, output: str | None, option: str) -> str | None:
    if given is not None:
        raise click.UsageError(f"Give either -o {output} or {option}.")
    return output


def _gradients(
    name: str,
    models: list[Model],
    checkpoint: str | None,
    references: int,
    steps: int,
    seed: int,
    runtime: Runtime,
) -> Method:
    if checkpoint is None:
        raise click.UsageError(f"--method {name} needs --checkpoint FILE.pt, which the model was exported from.")
    if len(models) != 1:
        raise click.UsageError(f"--method {name} explains one model, not {len(models)}.")
    try:
        from saresnet_train.attribution import TOLERANCE, Gradients
    except ModuleNotFoundError as error:
        from saresnet_cli.errors import SaresnetError

        raise SaresnetError(
            f"--method {name} needs {error.name}, which is not installed", cure="pip install 'saresnet[train,explain]'"
        ) from error
    return Gradients(
        checkpoint,
        name,
        references=references,
        steps=steps,
        seed=seed,
        strands=models[0].card.strands,
        threads=runtime.threads,
        tolerance=TOLERANCE if runtime.precision == "float32" else 1.0,
    )
