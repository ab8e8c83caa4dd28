"""Models that are opened once and shared by all requests, and batches that are computed once."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from saresnet_cli.engines.base import Engine
from saresnet_cli.model import Model, load_model
from saresnet_cli.registry.index import Entry
from saresnet_cli.registry.models import Registry, check_sha256
from saresnet_cli.runtime import Runtime, available_threads
from saresnet_cli.scorer import Scorer
from saresnet_cli.serving.jobs import Job

REMEMBERED = 2_000_000
"""Logits that are kept, in batches: what a page asks for again, as sites or as a file, is not computed again."""


@dataclass(frozen=True)
class Offered:
    """A model that clients may choose. load: reads its file, which lies in `folder`."""

    id: str
    tf: str
    cell: str
    metrics: Mapping[str, float]
    folder: Path
    load: Callable[[], Model] = field(repr=False)


def offered(models: Sequence[Model] | None = None) -> dict[str, Offered]:
    """Return what clients may choose, by id: these models, or those of the registry that are of a factor."""
    if models is not None:
        return {
            model.id: Offered(
                model.id, model.card.tf, model.card.cell, model.card.test, model.path.parent, partial(_same, model)
            )
            for model in models
        }
    registry = Registry.read()
    return {
        entry.id: Offered(
            entry.id, entry.tf, entry.cell, entry.metrics, registry.path(entry).parent, partial(_read, registry, entry)
        )
        for entry in registry.entries
        if entry.tf.lower() != "any"
    }


def _same(model: Model) -> Model:
    return model


def _read(registry: Registry, entry: Entry) -> Model:
    # By its path, never by a name: in the folder of the server a file may be called like a model.
    model = load_model(registry.path(entry))
    check_sha256(model.data, entry, model.path)
    return model


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run."""

    model: Model
    engine: Engine
    device: str
    concurrency: int


class Models:
    """Models that are open, the last used of those that are offered.

    runtime: what they run on. size: how many stay open; each holds some 10 MB. Used from several threads: one
    opens a model, the others wait for it.
    """

    def __init__(self, offered: Mapping[str, Offered], runtime: Runtime, size: int) -> None:
        self.offered = offered
        self.runtime = runtime
        self.turns = threading.BoundedSemaphore(runtime.threads or available_threads())
        self.batches = Batches(REMEMBERED)
        self._size = size
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Future[Opened]] = OrderedDict()

    def get(self, id: str) -> Opened:
        """Return a model that is offered, open; raises ModelError or DeviceError when that fails."""
        with self._lock:
            opening = self._open.get(id)
            mine = opening is None
            if opening is None:
                opening = self._open[id] = Future()
            self._open.move_to_end(id)
            while len(self._open) > self._size:
                self._open.popitem(last=False)
        if mine:
            try:
                opening.set_result(self._read(id))
            except BaseException as error:
                with self._lock:
                    self._open.pop(id, None)
                opening.set_exception(error)
        return opening.result()

    def _read(self, id: str) -> Opened:
        model = self.offered[id].load()
        scorer = self.runtime.open([model])
        if self.runtime.device == "auto":  # found out once, and said once
            self.runtime = replace(self.runtime, device="cuda" if scorer.device.startswith("CUDA") else "cpu")
        return Opened(model, scorer.engines[0], scorer.device, scorer.concurrency)


class Batches:
    """Logits of the batches that were computed last, by the model and the bases of the whole batch.

    A batch and not a window is what is remembered, since engines only promise the same bits for the same batch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, np.ndarray] = OrderedDict()

    @staticmethod
    def key(model: Model, windows: np.ndarray) -> bytes:
        """Return what tells batches apart: windows (n, 101) uint8 ASCII."""
        digest = hashlib.blake2b(bytes.fromhex(model.sha256), digest_size=20)
        digest.update(windows.tobytes())
        return digest.digest()

    def get(self, key: bytes) -> np.ndarray | None:
        """Return the logits of a batch, (n,) float32, if they are known."""
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def put(self, key: bytes, logits: np.ndarray) -> None:
        """Remember the logits of a batch, (n,) float32."""
        kept = logits.copy()
        with self._lock:
            if key not in self._known:
                self._known[key] = kept
                self._count += len(kept)
            while self._count > self._most:
                self._count -= len(self._known.popitem(last=False)[1])


class _Shared(Engine):
    """An open model on behalf of one job: takes turns with those of other jobs, and ends when the job has to."""

    def __init__(self, opened: Opened, models: Models, job: Job) -> None:
        self.name, self.precision = opened.engine.name, opened.engine.precision
        self.batch_size = opened.engine.batch_size
        self._opened, self._models, self._job = opened, models, job

    def run(self, windows: np.ndarray) -> np.ndarray:
        """Compute one batch, or recall it: (n, 101) uint8 ASCII -> (n,) float32; raises as `Job.check` does."""
        self._job.check()
        key = Batches.key(self._opened.model, windows)
        known = self._models.batches.get(key)
        if known is not None:
            return known
        with self._models.turns:
            self._job.check()
            logits = self._opened.engine.run(windows)
        self._models.batches.put(key, logits)
        return logits


@dataclass(frozen=True)
class SharedRuntime(Runtime):
    """The runtime of one job: the library opens models with it, and gets those that are open already."""

    models: Models | None = field(default=None, repr=False)
    job: Job | None = field(default=None, repr=False)

    def open(self, models: Sequence[Model]) -> Scorer:
        """Return a scorer of models that are offered; raises like `Models.get`."""
        if self.models is None or self.job is None:
            raise ValueError("a shared runtime needs models and a job")
        opened = []
        for model in models:
            self.job.check()
            opened.append(self.models.get(model.id))
        engines = [_Shared(each, self.models, self.job) for each in opened]
        return Scorer(engines, opened[0].device, opened[0].concurrency)
