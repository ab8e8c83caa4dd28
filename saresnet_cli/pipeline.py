"""Keeps reading, inference and writing busy at the same time, in order and in bounded memory."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from saresnet_cli.distinct import Recent
from saresnet_cli.scorer import Pending, Scorer

T = TypeVar("T")

CHUNK_WINDOWS = 2048
"""Windows that are read, run and written together; never derived from the number of threads, which must not show."""


@dataclass(frozen=True)
class Chunk(Generic[T]):
    """Windows to run, (k, 101) uint8 ASCII, and what the caller wants to know of them afterwards.

    places: for each row of the result the number of its window, (n,) int64, counted over all chunks
    (`distinct.Distinct`); None where the rows are these windows, one each.
    """

    windows: np.ndarray
    about: T
    places: np.ndarray | None = None


def chunk_size(scorer: Scorer) -> int:
    """Return how many windows to put in a chunk: whole batches."""
    return -(-CHUNK_WINDOWS // scorer.batch_size) * scorer.batch_size


def run(scorer: Scorer, chunks: Iterable[Chunk[T]]) -> Generator[tuple[T, np.ndarray], None, None]:
    """Yield (about, logits) of each chunk in order; logits (n, models) float32.

    `chunks` is iterated in a thread of its own. At any time a few chunks are
    read ahead, and enough are being computed to keep all threads busy.
    """
    size = chunk_size(scorer)
    ahead = 2 + 2 * scorer.concurrency * scorer.batch_size // size
    recent = Recent(size, len(scorer.engines))
    started: deque[tuple[Chunk[T], Pending]] = deque()

    def finish() -> tuple[T, np.ndarray]:
        chunk, pending = started.popleft()
        logits = pending.result()
        recent.add(logits)
        return chunk.about, logits if chunk.places is None else recent.get(chunk.places)

    with contextlib.closing(read_ahead(chunks, 2)) as ready:
        for chunk in ready:
            started.append((chunk, scorer.submit(chunk.windows)))
            if len(started) > ahead:
                yield finish()
    while started:
        yield finish()


def read_ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield items that another thread makes, at most `depth` ahead; its exception is raised here."""
    ready: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(entry: tuple[T | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=0.1)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put((item, None, False))
                if stopped.is_set():
                    return
            put((None, None, True))
        except BaseException as error:  # handed over to the reader
            put((None, error, True))

    # A daemon, since it may be waiting for standard input when the user gives up.
    thread = threading.Thread(target=make, name="saresnet-reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = ready.get()
            if error is not None:
                raise error
            if last:
                break
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join(timeout=0.5)
