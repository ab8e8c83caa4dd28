"""Opens the files of a scan in their format, and writes its blocks to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saresnet_cli.errors import ModelError
from saresnet_cli.formats.layout import Files, Layout

if TYPE_CHECKING:
    from saresnet_cli.genome import Genome
    from saresnet_cli.model import Model
    from saresnet_cli.running import Summary
    from saresnet_cli.scanning import Block


@dataclass(frozen=True)
class Source:
    """What is scanned, as far as a scan that goes on has to know: regions, a file or None, and settings, JSON types."""

    regions: str | Path | None
    settings: Mapping[str, Any]
    resume: bool = False


@contextlib.contextmanager
def open_writer(
    layout: Layout,
    models: Sequence[Model],
    genome: Genome,
    stride: int,
    summary: Summary,
    source: Source | None = None,
) -> Iterator[Callable[[Block], None]]:
    """Open the files of a scan; yields what writes a block.

    genome: that of the scan, which knows the chromosomes of a track. source: what a scan that was killed needs to go
    on; with `resume` it does, and `summary` then says where it begins. Files appear when the block ends without
    an error. Raises OutputError when a file can't be written, or is one that is read, or a library is not installed
    that its format needs, ModelError when p-values are wanted of a model that has none.
    """
    from saresnet_cli.output import check_apart, open_output
    from saresnet_cli.provenance import ScanProvenance

    if layout.value == "pvalue":
        for model in models:
            if model.card.null is None:
                raise ModelError(
                    "the model has no background, so no p-values", path=model.path, cure="use --value logit"
                )
    module = import_module(f"saresnet_cli.formats.{layout.format}")
    files = layout.files([model.id for model in models])
    check_apart(
        (path for path, _ in files),
        [genome.path, source.regions if source else None, *(model.path for model in models)],
    )
    for path, _ in files:
        if path is not None and layout.path != path:
            _make_folder(Path(path).parent)
    with contextlib.ExitStack() as stack:
        journal, opened = None, Files(open_output, layout.headed)
        if source is not None and layout.resumable:
            from saresnet_cli.formats.fingerprint import fingerprint
            from saresnet_cli.formats.journal import open_journal

            made = ScanProvenance.of_scan(models, summary, stride)
            about = fingerprint(layout, made, summary, genome.path, source.regions, source.settings)
            paths = [path for path, _ in files if path is not None]
            journal = stack.enter_context(open_journal(paths, about, summary, source.resume))
            opened = Files(journal.open, layout.headed and not journal.resumed)
        writers = []
        for path, columns in files:
            made = ScanProvenance.of_scan([models[column] for column in columns], summary, stride)
            writers.append((stack.enter_context(module.open_writer(path, made, layout, genome, opened)), columns))

        def write(block: Block) -> None:
            for writer, columns in writers:
                writer(block if len(columns) == len(models) else _part(block, columns))
            if journal is not None:
                journal.note(summary)

        yield write


def _part(block: Block, columns: list[int]) -> Block:
    """Return what a block holds of some of its models."""
    rows = block.keep[:, columns].any(axis=1)
    where = [column[rows] for column in (block.chrom, block.start, block.end)]
    values = [column[rows][:, columns] for column in (block.logit, block.score, block.pvalue, block.keep)]
    return type(block)(*where, *values)


def _make_folder(folder: Path) -> None:
    from saresnet_cli.output import unwritable

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(error, folder) from error
