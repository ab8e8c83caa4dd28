"""Fetches models into the cache, from a source whose index was compared with what was signed off."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from saresnet_cli.errors import ModelError
from saresnet_cli.registry import cache
from saresnet_cli.registry.index import FILE, Entry, parse_fetched_index
from saresnet_cli.registry.models import Registry
from saresnet_cli.registry.sources import TIMEOUT, Folder, open_source
from saresnet_cli.registry.transfer import read_small, receive, writing

LARGEST_INDEX = 16 << 20
"""Bytes of an index beyond which it is not read."""

_log = logging.getLogger("saresnet")


@dataclass(frozen=True)
class Fetched:
    """A model that is here now, and its file; new: whether it was not here before."""

    entry: Entry
    path: Path
    new: bool


class Offer:
    """What a source has to offer; `registry` selects from it as from the models that are here.

    source: a folder or an HTTP(S) address; None: $SARESNET_MODELS_URL, else where this release put its models.
    index_sha256: what the sha256 of the index has to be; None: that of the index which this package was released
    with, and where it is another one, a warning. timeout: seconds without a byte after which a connection counts as
    broken. Raises ModelError when there is no source, no index, or not the one it has to be.
    """

    def __init__(self, source: str | None = None, index_sha256: str | None = None, timeout: float = TIMEOUT) -> None:
        name = source or cache.default_source()
        if name is None:
            raise ModelError(
                "nothing says where models are fetched from",
                cure=f"give --from FOLDER_OR_URL, or set {cache.SOURCE_VARIABLE}",
            )
        self.source = open_source(name, timeout)
        where = f"{self.source.name}/{FILE}"
        self._index = read_small(self.source, FILE, LARGEST_INDEX)
        self.sha256 = hashlib.sha256(self._index).hexdigest()
        if index_sha256 is not None:
            if self.sha256 != index_sha256.lower():
                raise ModelError(f"its sha256 is {self.sha256}, which is not the one that was asked for", path=where)
        elif self.sha256 != cache.released_sha256():
            if name == cache.RELEASE_URL:
                raise ModelError("is not the index of this release: nothing was fetched", path=where)
            _log.warning(
                "%s is not the index that this version was released with; to pin it: --index-sha256 %s",
                where,
                self.sha256,
            )
        self.registry = Registry(parse_fetched_index(self._index, where))

    def fetch(
        self, entries: Sequence[Entry], told: Callable[[int, int], None] = lambda done, total: None
    ) -> list[Fetched]:
        """Bring models into the cache, in their order; those that are here are not fetched.

        told: is called with the bytes that are here so far, and those of all. Raises ModelError on the first that
        can't be fetched, OutputError when it can't be written; what was fetched before stays.
        """
        with writing():
            cache.folder().mkdir(parents=True, exist_ok=True)
            lasting = str(self.source.path.absolute()) if isinstance(self.source, Folder) else self.source.name
            cache.keep_index(lasting, self._index)
        installed = _installed()
        total, before, fetched = sum(entry.bytes for entry in entries), 0, []
        for entry in entries:
            own = installed.get(entry.id.lower())
            if own is not None:
                if own.entry.sha256 != entry.sha256:
                    _log.warning("another version of %s is installed, and comes first: it was not fetched", entry.id)
                fetched.append(own)
            else:
                new = receive(self.source, entry, cache.path(entry), partial(_add, told, before, total))
                with writing():
                    cache.keep(entry)
                fetched.append(Fetched(entry, cache.path(entry), new))
            before += entry.bytes
            told(before, total)
        return fetched


def _add(told: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    told(before + done, total)


def _installed() -> dict[str, Fetched]:
    """Return the models that the package brought, or that are in $SARESNET_MODELS, by id in lower case."""
    try:
        registry = Registry.read()
    except ModelError:
        return {}
    cached = {entry.id for entry, _ in cache.models()}
    return {
        entry.id.lower(): Fetched(entry, registry.path(entry), new=False)
        for entry in registry.entries
        if entry.id not in cached or registry.path(entry) != cache.path(entry)
    }
