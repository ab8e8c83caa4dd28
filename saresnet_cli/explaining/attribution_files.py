"""Writes explanations: a table, a row a base, and the pair of npz files that TF-MoDISco reads."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import OutputError
from saresnet_cli.explaining.explanations import Explanations
from saresnet_cli.output import open_output

COLUMNS = ("chrom", "start", "end", "base", "attribution", "A", "C", "G", "T", "name", "model", "window", "logit")
_ROW = "%s\t%d\t%d\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%s\t%s\t%d\t%.4f\n"
_UNKNOWN = "%s\t%d\t%d\t%s\tNA\tNA\tNA\tNA\tNA\t%s\t%s\t%d\t%.4f\n"
_COPY = 1 << 20


def table_lines(explanations: Explanations) -> bytes:
    """Format explanations as lines of the table, a line a base, in the order of the window.

    The columns A, C, G and T are what that base does to the logit in this place; NA where the window has another
    letter. All numbers are logits, with 4 decimals; window is where the window starts.
    """
    text = []
    attribution = explanations.attribution
    for i, row in enumerate(explanations.rows()):
        start, window = int(row.start[0]), row.bases[0].tobytes().decode("ascii")
        tail = (row.name[0], row.model[0], start, float(row.logit[0]))
        values = np.column_stack([attribution[i], row.effect[0]]).tolist()
        for at, (base, five) in enumerate(zip(window, values, strict=True), start):
            place = (row.chrom[0], at, at + 1, base)
            text.append(_UNKNOWN % (*place, *tail) if five[1] != five[1] else _ROW % (*place, *five, *tail))
    return "".join(text).encode()


class ModiscoFiles:
    """The two files that `modisco motifs -s NAME.ohe.npz -a NAME.shap.npz` reads (modisco-lite 2 and 3).

    Both hold `arr_0` of shape (n, 4, 101), rows A, C, G, T: the one-hot sequences, uint8, and the contribution of
    every base, float32 ("hypothetical": also of bases that are not there). NAME.ohe.npz says where its rows
    come from: `chrom`, `start`, `end`, `name`, `model`; NAME.shap.npz holds `logit`. Rows are kept in files until the
    `with` statement ends without an error; then both files are written. path: NAME.npz. Raises OutputError.
    """

    def __init__(self, path: str | Path) -> None:
        stem = Path(path).with_suffix("")
        self.sequences = stem.with_name(f"{stem.name}.ohe.npz")
        self.contributions = stem.with_name(f"{stem.name}.shap.npz")
        if not stem.parent.is_dir():
            raise OutputError("its folder does not exist", path=path, cure=f"mkdir -p {stem.parent}")

    def __enter__(self) -> ModiscoFiles:
        self._one_hot: BinaryIO = tempfile.TemporaryFile(dir=self.sequences.parent)
        self._contribution: BinaryIO = tempfile.TemporaryFile(dir=self.sequences.parent)
        self._columns: dict[str, list] = {name: [] for name in ("chrom", "start", "end", "name", "model", "logit")}
        return self

    def add(self, explanations: Explanations) -> None:
        """Take in explanations."""
        self._one_hot.write(explanations.one_hot.transpose(0, 2, 1).tobytes())
        contribution = explanations.contribution.astype("<f4", copy=False)
        self._contribution.write(contribution.transpose(0, 2, 1).tobytes())
        for name, values in self._columns.items():
            values.extend(getattr(explanations, name).tolist())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._one_hot, self._contribution:
            if kind is None:
                columns = {name: np.array(values) for name, values in self._columns.items()}
                logit = {"logit": columns.pop("logit").astype("<f4")}
                shape = (len(logit["logit"]), 4, WINDOW)
                _write_npz(self.sequences, self._one_hot, shape, "|u1", columns)
                _write_npz(self.contributions, self._contribution, shape, "<f4", logit)


def _write_npz(path: Path, rows: BinaryIO, shape: tuple[int, ...], dtype: str, columns: dict[str, np.ndarray]) -> None:
    """Write `arr_0` from a file of its bytes, and other arrays, as numpy.savez_compressed would."""
    rows.seek(0)
    # Members without a date, so that the same explanations give the same bytes.
    with open_output(path) as sink, zipfile.ZipFile(cast("BinaryIO", sink), "w") as archive:
        with archive.open(_entry("arr_0"), "w", force_zip64=True) as member:
            header = {"descr": dtype, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            shutil.copyfileobj(rows, member, _COPY)
        for name, values in columns.items():
            with archive.open(_entry(name), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{name}.npy")
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
