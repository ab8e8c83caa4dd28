"""Moves a file from a source into the cache: resumed, bounded, checked, and safe beside other processes.

urllib and flock, rather than pooch: that one keeps no part of a file whose transfer broke, believes in no size, and
lets two processes fetch the same file twice.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from saresnet_cli.errors import ModelError, OutputError
from saresnet_cli.output import NO_LOCKS
from saresnet_cli.registry.cache import FOLDER_VARIABLE, folder
from saresnet_cli.registry.index import Entry
from saresnet_cli.registry.sources import Broken, Source

WAITS = (0.5, 1.0, 2.0)
"""Seconds between attempts that brought nothing; after so many and one more a transfer is given up."""

PROGRESS = 1 << 16
"""Bytes, at least, by which an attempt that broke counts as one that brought something."""

MOST_ATTEMPTS = 50

_BLOCK = 1 << 16
_TURNS = 100  # of other processes that we wait for
_log = logging.getLogger("saresnet")
R = TypeVar("R")


class _GaveUp(ModelError):
    """A transfer that broke too often; what came is kept, and the next one goes on from there."""


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn an OSError of the cache into an OutputError, one line with its cure."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise OutputError(
            f"can't be written ({error.strerror})",
            path=error.filename or folder(),
            cure=f"{'make room, or ' if full else ''}set {FOLDER_VARIABLE} to a folder that can be",
        ) from error


def read_small(source: Source, file: str, largest: int) -> bytes:
    """Return the content of a small file of a source.

    largest: bytes that it may have. Raises ModelError when it has more, or can't be read.
    """
    where, content = f"{source.name}/{file}", bytearray()

    def attempt() -> bytes:
        content.clear()
        with source.open(file) as opened:
            while block := opened.read(_BLOCK):
                content.extend(block)
                if len(content) > largest:
                    raise ModelError(f"has more than {largest:,} bytes", path=where)
            if opened.length is not None and len(content) < opened.length:
                raise Broken(f"the connection broke after {len(content):,} of {opened.length:,} bytes")
        return bytes(content)

    return _patiently(attempt, where, lambda: 0)


def receive(source: Source, entry: Entry, target: Path, told: Callable[[int], None]) -> bool:
    """Bring the file of a model to `target`; False where it was there, whole.

    It is written beside and renamed. A transfer that broke goes on where it stopped, in this run or the next; what
    comes of it has the sha256 of the index, or it is not kept. Another process that fetches the same file is waited
    for. told: is called with the bytes that are there. Raises ModelError, and OutputError when it can't be written.
    """
    for _ in range(_TURNS):
        with writing():
            if _sha256(target) == entry.sha256:
                return False
        with writing(), _locked(target.with_name(f".{target.name}.part"), entry.id) as part:
            if part is None:
                continue  # another process had it, and is done with it
            try:
                _complete(source, entry, part, told)
                part.replace(target)
            except _GaveUp:
                if not part.stat().st_size:
                    part.unlink()
                raise
            except (ModelError, OSError):  # what came is wrong, or there is no room for it
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
            return True
    raise OutputError("other processes fetch it again and again", path=target, cure="try again")


@contextlib.contextmanager
def _locked(part: Path, id: str) -> Iterator[Path | None]:
    """Make the file of a transfer, or take up that of one that broke, with no other process in it.

    Yields its path, or None when another process finished while we waited for it. Raises OSError.
    """
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        if not _lock(file, id):
            part.unlink(missing_ok=True)
            part = part.with_name(f"{part.name}.{os.getpid()}")
            part.touch()
            yield part
            return
        try:
            mine = os.path.samestat(os.fstat(file), part.lstat())
        except FileNotFoundError:
            mine = False
        yield part if mine else None
    finally:
        os.close(file)


def _lock(file: int, id: str) -> bool:
    """Wait until no other process has locked a file; False where the file system knows no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.info("another process is fetching %s: waiting for it", id)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True


def _complete(source: Source, entry: Entry, part: Path, told: Callable[[int], None]) -> None:
    """Receive what is missing of a file until it is the one that the index lists; raises ModelError and OSError."""
    where = f"{source.name}/{entry.file}"
    for _ in range(3):
        stitched = _patiently(lambda: _receive(source, entry, part, told), where, lambda: part.stat().st_size)
        digest = _sha256(part)
        if digest == entry.sha256:
            return
        if not stitched:
            break
        os.truncate(part, 0)  # its beginning may be that of another version: once more, from the start
    raise ModelError(
        f"its sha256 is {str(digest)[:12]}…, the index says {entry.sha256[:12]}…: it was not kept",
        path=where,
        cure="see where it comes from",
    )


def _receive(source: Source, entry: Entry, part: Path, told: Callable[[int], None]) -> bool:
    """Receive a file from where its part ends; True where that was not the start.

    Raises Broken, ModelError, OSError.
    """
    where = f"{source.name}/{entry.file}"
    have = part.stat().st_size
    if have == entry.bytes:
        return True
    with source.open(entry.file, have if have < entry.bytes else 0) as opened, part.open("r+b", buffering=0) as file:
        if opened.length not in (None, entry.bytes):
            raise ModelError(f"has {opened.length:,} bytes, the index says {entry.bytes:,}", path=where)
        done = opened.start
        file.truncate(done)
        file.seek(done)
        while block := opened.read(min(_BLOCK, entry.bytes + 1 - done)):
            if done + len(block) > entry.bytes:
                raise ModelError(f"has more than the {entry.bytes:,} bytes that the index says", path=where)
            rest = memoryview(block)
            while rest:  # a file without a buffer may take a part of it
                rest = rest[file.write(rest) :]
            done += len(block)
            told(done)
            if done == opened.length:
                break  # a server that keeps the connection would be waited for
    if done < entry.bytes:
        raise Broken(f"the connection broke after {done:,} of {entry.bytes:,} bytes")
    return opened.start > 0


def _patiently(attempt: Callable[[], R], where: str, size: Callable[[], int]) -> R:
    """Try until an attempt does not break; raises ModelError after `WAITS` without progress.

    size: returns the bytes that are there.
    """
    vain = 0
    for _ in range(MOST_ATTEMPTS):
        before = size()
        try:
            return attempt()
        except Broken as error:
            trouble = error
        vain = 0 if size() - before >= PROGRESS else vain + 1
        if vain > len(WAITS):
            break
        _log.debug("%s: %s", where, trouble)
        time.sleep(WAITS[max(vain, 1) - 1])
    raise _GaveUp(str(trouble), path=where, cure="try again: it goes on where it stopped") from trouble


def _sha256(path: Path) -> str | None:
    """Return the sha256 of a file, in hexadecimal; None where there is none. Raises OSError."""
    try:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()
    except FileNotFoundError:
        return None
