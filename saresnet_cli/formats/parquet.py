"""Parquet: a typed table, for pandas, polars, DuckDB and Spark."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from saresnet_cli.errors import OutputError
from saresnet_cli.formats.layout import Files, Layout
from saresnet_cli.formats.tsv import LONG_COLUMNS, wide_values
from saresnet_cli.genome import Genome
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.scanning import Block

GROUP_ROWS = 1 << 18
"""Rows that are gathered before they are written as a row group."""

METADATA_KEY = b"saresnet"
"""Key of the schema's metadata that holds what made the table, as JSON."""


@contextlib.contextmanager
def open_writer(
    path: str | None, made: ScanProvenance, layout: Layout, genome: Genome, files: Files
) -> Iterator[Callable[[Block], None]]:
    """Open a Parquet file; yields what writes a block.

    chrom and model are dictionaries, start and end int64, all values float32, null where there is none.
    Raises OutputError when pyarrow is not installed, or the file can't be written.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise OutputError(
            "parquet needs pyarrow, which is not installed", cure="pip install 'saresnet[parquet]'"
        ) from error
    ids = [model.id for model in made.models]
    about = {**made.as_dict(), **({"value": layout.value} if layout.wide else {})}
    schema = _schema(pyarrow, ids, layout.wide).with_metadata({METADATA_KEY: json.dumps(about)})
    held: list[Block] = []
    rows = 1 if layout.wide else len(ids)  # a window
    with (
        files.open(path) as out,
        pyarrow.parquet.ParquetWriter(
            out,
            schema,
            compression="zstd",
            use_dictionary=["chrom", "model"],
            column_encoding={"start": "DELTA_BINARY_PACKED", "end": "DELTA_BINARY_PACKED"},
        ) as table,
    ):

        def write_group() -> None:
            columns = _wide(pyarrow, held, layout.value) if layout.wide else _long(pyarrow, held, ids)
            table.write_table(pyarrow.Table.from_arrays(columns, schema=schema))
            held.clear()

        def write(block: Block) -> None:
            held.append(block)
            if sum(map(len, held)) * rows >= GROUP_ROWS:
                write_group()

        yield write
        if held:
            write_group()


def _schema(pyarrow: Any, ids: list[str], wide: bool) -> Any:
    name = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    columns = [("chrom", name), ("start", pyarrow.int64()), ("end", pyarrow.int64())]
    if not wide:
        columns.append(("model", name))
    return pyarrow.schema([*columns, *((column, pyarrow.float32()) for column in (ids if wide else LONG_COLUMNS[4:]))])


def _long(pyarrow: Any, blocks: list[Block], ids: list[str]) -> list[Any]:
    kept = [np.nonzero(block.keep) for block in blocks]

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name)[place] for block, place in zip(blocks, kept, strict=True)])

    def of_window(name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name)[row] for block, (row, _) in zip(blocks, kept, strict=True)])

    model = np.concatenate([number for _, number in kept]).astype(np.int32)
    return [
        _dictionary(pyarrow, of_window("chrom")),
        of_window("start"),
        of_window("end"),
        pyarrow.DictionaryArray.from_arrays(model, ids),
        *(_floats(pyarrow, column(name)) for name in LONG_COLUMNS[4:]),
    ]


def _wide(pyarrow: Any, blocks: list[Block], value: str) -> list[Any]:
    values = np.concatenate([wide_values(block, value) for block in blocks])
    chrom, start, end = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("chrom", "start", "end")
    )
    return [_dictionary(pyarrow, chrom), start, end, *(_floats(pyarrow, column) for column in values.T)]


def _dictionary(pyarrow: Any, names: np.ndarray) -> Any:
    return pyarrow.array(names, pyarrow.string()).dictionary_encode()


def _floats(pyarrow: Any, values: np.ndarray) -> Any:
    """NaN becomes null."""
    return pyarrow.array(values.astype(np.float32), mask=np.isnan(values))
