"""Cells: one method on one set from one seed, and the files that keep what came of it."""

from __future__ import annotations

import fcntl
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli.output import whole_file
from saresnet_train.benchmark.seen import SEEN
from saresnet_train.data import DataError

FORMAT = "saresnet-benchmark-1"
SCRATCH = ".scratch"
"""Folder among the results where runs keep what they need to go on; never committed."""


@dataclass(frozen=True, order=True)
class Cell:
    """One method on one set from one seed."""

    method: str
    tier: str
    name: str
    seed: int = 1

    def __str__(self) -> str:
        return f"{self.method}/{self.tier}/{self.name}/seed{self.seed}"


class Results:
    """A folder of results: `METHOD/TIER/SET/seedN.json`, with the scores of each test window in `seedN.npz`."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def models(self) -> Path:
        """Where pre-trained networks are kept, `NAME.pt`."""
        return self.folder / "pretrained"

    @property
    def seen(self) -> Path:
        """What says which unbound windows of the genome the global networks have seen (`seen.py`)."""
        return self.folder / SEEN

    def scratch(self, name: str) -> Path:
        """Return the folder where a run keeps its state; it may not be there."""
        return self.folder / SCRATCH / name

    def record_path(self, cell: Cell) -> Path:
        """Return the file of a cell's record."""
        return self.folder / cell.method / cell.tier / cell.name / f"seed{cell.seed}.json"

    def scores_path(self, cell: Cell) -> Path:
        """Return the file of a cell's scores."""
        return self.record_path(cell).with_suffix(".npz")

    def read(self, cell: Cell) -> dict | None:
        """Return a cell's record, None if there is none; raises DataError on a file that is not one."""
        path = self.record_path(cell)
        try:
            record = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise DataError("it is not JSON", path=path, cure="remove it, and its cell is run again") from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise DataError("it is not a record of this benchmark", path=path, cure="remove it")
        return record

    def write(self, cell: Cell, record: dict, scores: dict[str, np.ndarray] | None = None) -> None:
        """Write what came of a cell, scores first, so that a cell with a record is whole.

        scores: (n,) arrays "forward" and "both", kept as float16. The same results give the same bytes.
        """
        path = self.record_path(cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        if scores is not None:
            content = io.BytesIO()
            kept = {way: scores[way].astype(np.float16) for way in ("forward", "both")}
            np.savez_compressed(content, forward=kept["forward"], both=kept["both"])
            with whole_file(self.scores_path(cell), ".npz") as part:
                part.write_bytes(content.getvalue())
        text = json.dumps({"format": FORMAT, **record}, indent=1, allow_nan=False) + "\n"
        with whole_file(path, ".json") as part:
            part.write_text(text)

    @contextmanager
    def claim(self, name: str, wait: bool = False) -> Iterator[bool]:
        """Hold a piece of work, and give whether it is ours: False when another process has it.

        wait: wait until it is free instead. A process that ends, however it ends, lets go.
        """
        path = self.scratch(f"{name}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
