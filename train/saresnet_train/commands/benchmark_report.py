"""`saresnet benchmark report`."""

from __future__ import annotations

from pathlib import Path

import click

from saresnet_cli.commands.options import debug_option
from saresnet_train.commands.options import FOLDER


@click.command()
@click.argument("results", type=FOLDER)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default="docs/benchmark.md",
    show_default=True,
    metavar="FILE.md",
    help="Markdown; its pictures go to a folder of the same name beside it.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Also one HTML page, pictures inside.",
)
@click.option(
    "--excerpt",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.md",
    help="Also the smallest table, put into this page between its marks.",
)
@debug_option
def report(results: Path, output: Path, page: Path | None, excerpt: Path | None) -> None:
    """Write what came of a benchmark, the paper's figures beside ours.

    RESULTS is the folder that `saresnet benchmark run` fills. It may be done in
    part: the report names what is missing, and can be written again at any time.
    """
    from saresnet_train.benchmark.report import report as write_report

    files = write_report(results, output, page, excerpt)
    size = sum(path.stat().st_size for path in files)
    click.echo(f"{len(files)} files, {size / 1024:,.0f} kB: {output}{'' if page is None else f', {page}'}", err=True)
