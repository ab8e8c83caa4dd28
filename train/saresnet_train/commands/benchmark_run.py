"""`saresnet benchmark run`."""

from __future__ import annotations

from pathlib import Path

import click

from saresnet_train.commands.options import FILE, FOLDER


def _split(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part for part in (value or "").split(",") if part)


def _seeds(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    parts = _split(context, option, value)
    if not parts or not all(part.isdigit() for part in parts):
        raise click.BadParameter(f"{value!r} is not numbers separated by commas, such as 1,2,3")
    return tuple(dict.fromkeys(int(part) for part in parts))


@click.command()
@click.option("--data", type=FOLDER, required=True, help="Data folder with a manifest.tsv.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where results are, and go."
)
@click.option("--methods", callback=_split, metavar="NAMES", help="Separated by commas; default: all.")
@click.option("--sets", callback=_split, metavar="NAMES", help="Sets, TIER/SET or tiers; default: encode,gm12878.")
@click.option(
    "--seeds", "--folds", callback=_seeds, default="1", show_default=True, metavar="NUMBERS",
    help="Each draws a validation fold of its own, shuffles and first weights.",
)  # fmt: skip
@click.option("--genome", type=FILE, help="FASTA of hg19 chr20: also scan it where the data folder has its peaks.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="Cells at a time; default: a core each, on CUDA one.")
@click.option("--threads", type=click.IntRange(min=1), help="Of a cell; default: the cores, shared out among the jobs.")
@click.option("--list", "list_only", is_flag=True, help="Run nothing: name the cells that are missing.")
def run(
    data: Path,
    out: Path,
    methods: tuple[str, ...],
    sets: tuple[str, ...],
    seeds: tuple[int, ...],
    genome: Path | None,
    device: str,
    jobs: int | None,
    threads: int | None,
    list_only: bool,
) -> None:
    """Train every method on every set and judge it on the set's test files.

    One small JSON file a cell (method, set, seed), and the scores of its test
    windows. Cells that have one are not run again; a run that was killed goes
    on when the same command is given again, and several can share a folder.
    """
    from saresnet_cli.errors import SaresnetError
    from saresnet_train.benchmark.running import missing, plan, run_all

    chosen = plan(data, out, methods, sets, seeds, genome, device, jobs, threads)
    if list_only:
        for cell in missing(chosen):
            click.echo(cell)
        return
    counts = run_all(chosen)
    click.echo(", ".join(f"{count} {what}" for what, count in counts.items()), err=True)
    if counts["failed"]:
        raise SaresnetError(f"{counts['failed']} cells failed", cure="see the lines above, and run it again")
