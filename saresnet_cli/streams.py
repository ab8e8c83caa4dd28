"""Opens what a user names: a file, plain or gzip, or "-" for standard input."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from saresnet_cli import bgzf
from saresnet_cli.errors import SaresnetError

STDIN = "-"


def source_name(source: object) -> str:
    """Return how errors name a source: its path, or "standard input"."""
    return "standard input" if source == STDIN else str(source)


@contextlib.contextmanager
def open_bytes(source: str | Path, error: type[SaresnetError]) -> Iterator[BinaryIO]:
    """Open a source for reading bytes; gzip and BGZF are unpacked, known by content, not by name.

    source: a path, or "-". The byte order mark of UTF-8 is left out. Raises `error`, one line that names the source,
    when it can't be opened or is UTF-16, and, while it is read, when its compressed data is damaged.
    """
    name = source_name(source)
    with contextlib.ExitStack() as stack:
        try:
            # Not sys.stdin: a thread that waits in it when the user presses Ctrl-C would abort Python's shutdown.
            opened = io.FileIO(0, closefd=False) if source == STDIN else io.FileIO(source)
            buffered = stack.enter_context(io.BufferedReader(opened))
            head = buffered.peek(2)
        except OSError as problem:
            raise error(problem.strerror or str(problem), path=name) from problem
        file: BinaryIO = buffered
        if bgzf.is_gzip(head):
            file = stack.enter_context(gzip.GzipFile(fileobj=buffered, mode="rb"))  # type: ignore[assignment]
        try:
            mark = cast(io.BufferedReader, file).peek(len(codecs.BOM_UTF8))[: len(codecs.BOM_UTF8)]
            if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise error("is text in UTF-16", path=name, cure="save it as UTF-8")
            if mark == codecs.BOM_UTF8:
                file.read(len(mark))
            yield file
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise error(f"its compressed data is damaged ({problem})", path=name, cure="copy it again") from problem
