"""Opens where results go: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from saresnet_cli import bgzf
from saresnet_cli.errors import OutputError


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
    target = Path(os.path.realpath(path))  # a link stays a link
    direct = target.exists() and not target.is_file()
    written = target if direct else target.with_name(f".{target.name}.{os.getpid()}.part")
    with contextlib.ExitStack() as stack:
        try:
            file: BinaryIO = stack.enter_context(written.open("wb"))
        except OSError as error:
            raise OutputError(f"can't be written ({error.strerror})", path=path) from error
        try:
            if target.suffix in (".gz", ".bgz"):
                with _BgzfSink(file) as sink:
                    yield sink
            else:
                yield file
            file.close()
            if not direct:
                written.replace(target)
        except BaseException as error:
            with contextlib.suppress(OSError):  # it tries to write what the disk had no room for
                file.close()
            if not direct:
                with contextlib.suppress(OSError):
                    written.unlink()
            if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                raise OutputError(f"can't be written ({error.strerror})", path=path) from error
            raise


class _BgzfSink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = bytearray()

    def write(self, data: bytes, /) -> None:
        self._held += data
        while len(self._held) >= bgzf.BLOCK_BYTES:
            self._file.write(bgzf.block(bytes(self._held[: bgzf.BLOCK_BYTES])))
            del self._held[: bgzf.BLOCK_BYTES]

    def flush(self) -> None:
        """Do nothing: a block is written when it is full, so that the bytes don't depend on who flushes."""

    def __enter__(self) -> _BgzfSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            if self._held:
                self._file.write(bgzf.block(bytes(self._held)))
            self._file.write(bgzf.END)
