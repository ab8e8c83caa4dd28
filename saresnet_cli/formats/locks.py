"""Locks the files that a scan writes, so that no two processes write one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from saresnet_cli.errors import OutputError
from saresnet_cli.output import NO_LOCKS, named, real_path


def beside(file: str | Path, kind: str) -> Path:
    """Return the hidden file beside a file that a scan writes; kind: what its name ends in."""
    target = real_path(file)
    return target.with_name(f".{target.name}.{kind}")


@contextlib.contextmanager
def all_locked(path: Path, files: Sequence[str | Path]) -> Iterator[BinaryIO]:
    """Open a journal with no other process in it, nor in what there is of the files; errors are those of `_locked`.

    What is written of a file is locked too: another process may write it together with other files.
    """
    with contextlib.ExitStack() as stack:
        places = [(path, files[0]), *((beside(file, "part"), file) for file in files)]
        held: list[tuple[BinaryIO, Path]] = []
        try:
            for place, file in places:
                with named(file):
                    held.append((stack.enter_context(_locked(place, file)), place))
        except BaseException:
            for log, place in held:
                if not os.fstat(log.fileno()).st_size:  # made here
                    place.unlink()
            raise
        yield held[0][0]


@contextlib.contextmanager
def _locked(path: Path, file: str | Path) -> Iterator[BinaryIO]:
    """Open a journal with no other process in it; raises OutputError when there is one, OSError where it can't be."""
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "r+b") as log:
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError("another process is writing it", path=file, cure="give another name") from None
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
            if not path.exists() or not os.path.samestat(os.fstat(log.fileno()), path.lstat()):
                continue  # another process had it, and is done with it
            yield log
            return
