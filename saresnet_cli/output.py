"""Opens where results go: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Protocol

from saresnet_cli import bgzf
from saresnet_cli.errors import OutputError

_BLOCKS_AHEAD = 32
_THREADS = 4

_CURES = {
    errno.ENOENT: "make its folder first",
    errno.ENOTDIR: "its folder is a file: give another name",
    errno.EISDIR: "it is a folder: give the name of a file",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOSPC: "make room, or choose another disk",
    errno.EDQUOT: "make room, or choose another disk",
    errno.EFBIG: "the limit is that of ulimit -f, or of the disk",
    errno.ENAMETOOLONG: "give a shorter name",
}

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What `flock` fails with on a file system that knows no locks."""


class Sink(Protocol):
    """What results are written to."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


@contextlib.contextmanager
def open_output(path: str | Path | None) -> Iterator[Sink]:
    """Open a file for results, or standard output for None and "-".

    A file is written beside and renamed when the block ends without an error;
    names that end in .gz or .bgz give BGZF. Pipes and devices are written as
    they are. Raises OutputError when the file can't be made or written.
    """
    if path is None or str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = real_path(path)
    with contextlib.ExitStack() as stack:
        stack.enter_context(named(path))
        written = target if is_stream(target) else stack.enter_context(_renamed(target))
        file: BinaryIO | None = None
        try:
            with undisturbed():
                file = written.open("wb")
            if is_packed(path):
                with BgzfSink(file) as sink:
                    yield sink
            else:
                yield file
            file.close()
        except BaseException:
            if file is not None:
                with contextlib.suppress(OSError):  # it tries to write what the disk had no room for
                    file.close()
            raise


@contextlib.contextmanager
def whole_file(path: str | Path, suffix: str) -> Iterator[Path]:
    """Make an empty file beside, for a library that opens files itself; it gets its name when the block ends
    without an error.

    suffix: what its name ends in until then. Raises OutputError when it can't be made, or `path` is a pipe or a device.
    """
    target = real_path(path)
    if is_stream(target):
        raise OutputError("is not a plain file", path=path, cure="give a new name")
    with named(path), _renamed(target, f".part{suffix}") as written:
        written.open("wb").close()
        yield written


def check_apart(outputs: Iterable[str | Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Raise OutputError when a result would take the place of a file that is read, by whatever name.

    outputs, inputs: paths, which need not exist; None and "-" among outputs are standard output, and "-" among inputs
    is standard input. Pipes and devices may be both.
    """
    read = [status for path in inputs if (status := _plain_file(path))]
    for path in outputs:
        written = None if path == "-" else _plain_file(path)
        if written and any(os.path.samestat(written, status) for status in read):
            raise OutputError("is read as well, and would be lost", path=path, cure="give another name")


def _plain_file(path: str | Path | None) -> os.stat_result | None:
    if path is None:
        return None
    try:
        status = os.fstat(0) if path == "-" else Path(path).stat()
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def temporary_folder(path: str | Path | None) -> Path | None:
    """Return where temporary files of a result go: beside it, where there is room; None is the system's folder."""
    if path is None or str(path) == "-":
        return None
    target = real_path(path)
    return None if is_stream(target) else target.parent


def real_path(path: str | Path) -> Path:
    """Return the file behind a path: a link that is written to stays a link.

    A pipe has none: /dev/stdout and /dev/fd/N are links to names that can't be opened.
    """
    return Path(path) if is_stream(Path(path)) else Path(os.path.realpath(path))


def is_stream(target: Path) -> bool:
    """Return whether a path is there and is no plain file."""
    return target.exists() and not target.is_file()


def is_packed(path: str | Path) -> bool:
    """Return whether a file of this name, the one that the user gave, is BGZF."""
    return str(path).lower().endswith((".gz", ".bgz"))


@contextlib.contextmanager
def named(path: str | Path) -> Iterator[None]:
    """Turn errors of the file system into OutputError; a closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error, path) from error


def unwritable(error: OSError, path: object) -> OutputError:
    """Return what a user is told of an error of the file system, with its cure."""
    cure = _CURES.get(error.errno or 0, "choose another place")
    return OutputError(f"can't be written ({error.strerror or error})", path=path, cure=cure)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block ends, so that none comes between a file and what removes it.

    A mask would not do: another thread may take the signal, and Python still runs its handler in the main one.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or None in map(signal.getsignal, numbers):
        yield  # a handler runs in the main thread alone; one that is not Python's could not be put back
        return
    came: list[int] = []
    kept = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        for got in came:
            signal.raise_signal(got)


@contextlib.contextmanager
def _renamed(target: Path, suffix: str = ".part") -> Iterator[Path]:
    """Yield the name of a file beside `target` that gets its name, or goes away after an error."""
    written = target.with_name(f".{target.name}.{os.getpid()}{suffix}")
    try:
        yield written
        written.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
        raise


class BgzfSink:
    """Packs blocks in threads of their own; the bytes don't depend on their number. Use it in a `with` statement.

    held: data of the block that comes next, where a file is gone on with.
    """

    def __init__(self, file: BinaryIO, held: bytes = b"") -> None:
        self._file = file
        self._held = bytearray(held)
        self._packing: deque[Future[bytes]] = deque()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="saresnet-bgzf")

    def write(self, data: bytes, /) -> int:
        """Take in data."""
        self._held += data
        while len(self._held) >= bgzf.BLOCK_BYTES:
            self._pack(bytes(self._held[: bgzf.BLOCK_BYTES]))
            del self._held[: bgzf.BLOCK_BYTES]
        return len(data)

    def flush(self) -> None:
        """Write the blocks that are packed; one is begun when it is full, so the bytes don't depend on who flushes."""
        while self._packing and self._packing[0].done():
            self._file.write(self._packing.popleft().result())
        self._file.flush()

    def _pack(self, data: bytes) -> None:
        self._packing.append(self._pool.submit(bgzf.block, data))
        if len(self._packing) > _BLOCKS_AHEAD:
            self._file.write(self._packing.popleft().result())

    def __enter__(self) -> BgzfSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                if self._held:
                    self._pack(bytes(self._held))
                while self._packing:
                    self._file.write(self._packing.popleft().result())
                self._file.write(bgzf.END)
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
