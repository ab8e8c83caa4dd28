"""Puts a report together and writes it: Markdown with pictures beside it, and one HTML page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from saresnet_cli.errors import OutputError
from saresnet_cli.output import open_output
from saresnet_train.benchmark.report.ablations import attention, freezing
from saresnet_train.benchmark.report.chromosome import chromosome
from saresnet_train.benchmark.report.costs import calibration, costs
from saresnet_train.benchmark.report.described import described
from saresnet_train.benchmark.report.document import Block, Picture
from saresnet_train.benchmark.report.excerpt import quote
from saresnet_train.benchmark.report.html import html
from saresnet_train.benchmark.report.learning import learning
from saresnet_train.benchmark.report.markdown import markdown
from saresnet_train.benchmark.report.overview import TITLE, coverage, notes, overview
from saresnet_train.benchmark.report.real_dna import genomic
from saresnet_train.benchmark.report.records import Records, read_records
from saresnet_train.benchmark.report.rivals import all_methods, every_set, tried_remedies
from saresnet_train.benchmark.report.scores import agreement, with_ensemble
from saresnet_train.benchmark.report.strands import strands
from saresnet_train.benchmark.report.tables import Source

_SECTIONS = (
    overview,
    described,
    all_methods,
    genomic,
    chromosome,
    learning,
    attention,
    freezing,
    tried_remedies,
    strands,
    calibration,
    costs,
    every_set,
    coverage,
)


def build(records: Records, folder: str = "benchmarks/methods") -> list[Block]:
    """Return the report of some records; whatever is missing is named in it.

    folder: the results as a reader would name them in a command.
    Raises RecordError on scores that do not fit their record, SaresnetError when matplotlib is missing.
    """
    source = Source(with_ensemble(records), folder)
    blocks = [block for section in _SECTIONS for block in section(source)]
    return [*blocks, *notes(source, agreement(records), f"saresnet benchmark report {shlex.quote(folder)}")]


def write(blocks: Sequence[Block], output: Path | str, page: Path | str | None = None) -> list[Path]:
    """Write a report as Markdown, with its pictures in a folder of the same name beside it, and as an HTML page.

    Returns the files, in the order of writing: pictures, Markdown, HTML. Raises OutputError.
    """
    output = Path(output)
    pictures = output.with_suffix("")
    if pictures == output:
        raise OutputError("its pictures go to a folder of that name", path=output, cure="give a name that ends in .md")
    try:
        pictures.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder can't be made ({error.strerror})", path=pictures, cure="make the one above it"
        ) from error
    files = {pictures / f"{each.name}.svg": each.svg for each in blocks if isinstance(each, Picture)}
    files[output] = markdown(blocks, pictures.name).encode()
    if page is not None:
        files[Path(page)] = html(blocks, TITLE).encode()
    for path, content in files.items():
        with open_output(path) as out:
            out.write(content)
    return list(files)


def report(
    folder: Path | str,
    output: Path | str = "docs/benchmark.md",
    page: Path | str | None = None,
    excerpt: Path | str | None = None,
) -> list[Path]:
    """Read a folder of results and write its report (`build`, `write`); returns the files that were written.

    excerpt: a page of Markdown that quotes the table of `excerpt.py` between its marks.
    """
    records = read_records(folder)
    files = write(build(records, shown(folder)), output, page)
    if excerpt is not None:
        quote(Path(excerpt), Source(records, shown(folder)))
        files.append(Path(excerpt))
    return files


def shown(folder: Path | str) -> str:
    """Return a folder as a reader would name it: relative to the working folder where it is below it."""
    path = Path(folder)
    here = Path.cwd()
    return str(path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path)
