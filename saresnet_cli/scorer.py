"""Scores windows with one or several models, several batches at a time, always in order."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.engines.base import Engine


class Pending:
    """Logits that are being computed."""

    def __init__(self, batches: list[list[Future[np.ndarray]]]) -> None:
        self._batches = batches

    def result(self) -> np.ndarray:
        """Wait for the logits: (n, models) float32, in the order of the windows."""
        columns = [
            np.concatenate([np.empty(0, np.float32), *(batch.result() for batch in column)]) for column in self._batches
        ]
        return np.stack(columns, axis=1)


class Scorer:
    """Computes logits of windows by every model; use it in a `with` statement.

    engines: one a model, all of one kind. device: what they run on, in words. concurrency: how many batches
    run at a time, of all models together.
    """

    def __init__(self, engines: Sequence[Engine], device: str, concurrency: int) -> None:
        self.engines = list(engines)
        self.device = device
        self.engine = self.engines[0].name
        self.precision = self.engines[0].precision
        self.batch_size = self.engines[0].batch_size
        self.concurrency = concurrency

    def __enter__(self) -> Scorer:
        self._pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="saresnet")
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, windows: np.ndarray) -> Pending:
        """Start on windows, (n, 101) uint8 ASCII, and return at once; they must not change until the result is read."""
        parts = [windows[start : start + self.batch_size] for start in range(0, len(windows), self.batch_size)]
        # With models enough for all threads, one stays with a model: its weights are then in the cache of that core.
        shares = [parts] if len(self.engines) >= self.concurrency else [[part] for part in parts]
        columns: list[list[Future[np.ndarray]]] = [[] for _ in self.engines]
        for share in shares:
            for column, engine in zip(columns, self.engines, strict=True):
                column.append(self._pool.submit(_run, engine, share))
        return Pending(columns)

    def logits(self, windows: np.ndarray) -> np.ndarray:
        """Return the logits of windows: (n, 101) uint8 ASCII -> (n, models) float32.

        Raises ValueError on another shape or type.
        """
        if windows.dtype != np.uint8 or windows.ndim != 2 or windows.shape[1] != WINDOW:
            raise ValueError(f"windows are {windows.dtype} {windows.shape}, not uint8 (n, {WINDOW})")
        return self.submit(windows).result()


def _run(engine: Engine, parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.float32), *(engine.run(part) for part in parts)])
