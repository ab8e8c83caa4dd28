"""Remembers how far a scan has come, so that one that was killed goes on, and ends in the same bytes.

Beside a file `scores.bed.gz` that is being written lie `.scores.bed.gz.part`, what there is of it, and
`.scores.bed.gz.journal`: a line of JSON with all that decides the bytes, then a line a second with how many windows
are done with, and how much text (before it is packed) they gave. What a file holds beyond that is cut off.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import numpy as np

from saresnet_cli import bgzf
from saresnet_cli.formats.locks import all_locked, beside
from saresnet_cli.output import BgzfSink, Sink, is_packed, named, real_path, undisturbed
from saresnet_cli.running import Summary

SECONDS = 1.0
"""How often it is written down how far a scan has come."""

_CHUNK = 1 << 20
_log = logging.getLogger("saresnet")


class Journal:
    """The files of a scan, and how far they have come; made by `open_journal`.

    resumed: whether it goes on with what an earlier run has left.
    """

    def __init__(self, files: Sequence[str | Path], log: BinaryIO) -> None:
        self.resumed = False
        self._parts = {part.target: part for part in map(_Part, files)}
        self._log = log
        self._said = time.monotonic()
        self._begun = time.perf_counter()

    @contextlib.contextmanager
    def open(self, path: str | Path | None) -> Iterator[Sink]:
        """Open one of the files for results; raises OutputError when it can't be written."""
        part = self._parts[real_path(str(path))]
        with named(str(path)), part:
            yield part

    def note(self, summary: Summary) -> None:
        """Write down, once a second, that all that `summary` counts was written; raises OutputError."""
        if time.monotonic() - self._said < SECONDS:
            return
        entry = {
            "reached": summary.reached,
            "windows": summary.windows,
            "kept": summary.kept,
            "skipped": summary.skipped,
            "seconds": round(time.perf_counter() - self._begun, 3),
            "files": [[part.size, part.crc] for part in self._parts.values()],
        }
        with named(next(iter(self._parts))):
            self._log.write(json.dumps(entry).encode() + b"\n")
            self._log.flush()
        self._said = time.monotonic()

    def begin(self, about: Mapping[str, Any]) -> None:
        """Begin anew, with empty files."""
        self._log.seek(0)
        self._log.truncate()
        self._log.write(json.dumps(about).encode() + b"\n")
        self._log.flush()
        for part in self._parts.values():
            part.begin()

    def go_on(self, about: Mapping[str, Any], summary: Summary) -> str | None:
        """Go on where an earlier run was, and put into `summary` what it counted; returns why not, if it can't be."""
        lines = self._log.read().split(b"\n")[:-1]  # the last may be cut short
        if not lines:
            return "nothing is left of an earlier run"
        try:
            known, *entries = map(json.loads, lines)
            wanted = json.loads(json.dumps(about))
            differ = [name for name in wanted if known.get(name) != wanted[name]]
            if differ or known.keys() != wanted.keys():
                return f"what is left is of a scan with another {', '.join(differ) or 'form'}"
            for entry in reversed(entries):
                places = list(zip(self._parts.values(), entry["files"], strict=True))
                if all(part.holds(size) for part, (size, _) in places):
                    break
            else:
                return "the earlier run had just begun"
            if not all(part.go_on(size, crc) for part, (size, crc) in places):
                return "what is left was changed"
            for name in ("reached", "windows", "kept", "skipped", "seconds"):
                setattr(summary, name, entry[name])
        except (ValueError, TypeError, KeyError, AttributeError, zlib.error):
            return "what is left is damaged"
        self._begun -= summary.seconds
        self.resumed = True
        return None

    def finish(self) -> None:
        """Give the files their names."""
        for part in self._parts.values():
            part.path.replace(part.target)

    def close(self) -> None:
        """Close the files as they are."""
        for part in self._parts.values():
            part.close()

    def give_up(self) -> None:
        """Remove what there is of the files."""
        for part in self._parts.values():
            part.path.unlink(missing_ok=True)


@contextlib.contextmanager
def open_journal(
    files: Sequence[str | Path], about: Mapping[str, Any], summary: Summary, resume: bool
) -> Iterator[Journal]:
    """Open the journal of a scan that writes `files`, which get their names when the block ends without an error.

    about: all that decides their bytes, as JSON types. resume: go on with what an earlier run has left, and put into
    `summary` what it counted, where `about` is the same; what was done is then kept also after an error. Raises
    OutputError when the files can't be written, or another process writes them.
    """
    path = beside(files[0], "journal")
    journal: Journal | None = None
    with contextlib.ExitStack() as stack:
        try:
            with named(files[0]):
                with undisturbed():
                    journal = Journal(files, stack.enter_context(all_locked(path, files)))
                    stack.callback(journal.close)
                trouble = journal.go_on(about, summary) if resume else ""
                if trouble is not None:
                    if resume:
                        _log.info("%s is begun: %s", files[0], trouble)
                    with undisturbed():
                        journal.begin(about)
                else:
                    _log.info("%s is gone on with after %s windows", files[0], f"{summary.windows:,}")
            yield journal
            with undisturbed():
                with named(files[0]):
                    journal.finish()
                with contextlib.suppress(OSError):
                    path.unlink()
        except BaseException:
            if journal is None:  # the files are another process's
                pass
            elif resume:
                _log.info("what there is of %s is kept: the same command goes on with it", files[0])
            else:
                with contextlib.suppress(OSError):
                    journal.give_up()
                    path.unlink()
            raise


class _Part:
    """A file as far as it is written, under a name of its own; use it in a `with` statement, which ends it.

    size, crc: bytes of the text that was written, and their CRC-32.
    """

    def __init__(self, file: str | Path) -> None:
        self.target, self.packed = real_path(file), is_packed(file)
        self.path = beside(file, "part")
        self.size = self.crc = 0
        self._file: BinaryIO | None = None
        self._held = b""
        self._blocks: np.ndarray | None = None
        self._sink: Sink
        self._packing = contextlib.ExitStack()

    def begin(self) -> None:
        """Make an empty file."""
        self.close()
        self._file = self.path.open("wb")
        self.size = self.crc = 0
        self._held = b""

    def holds(self, size: int) -> bool:
        """Return whether as much text is in the file."""
        if not self.path.is_file():
            return False
        if not self.packed:
            return self.path.stat().st_size >= size
        if self._blocks is None:
            with self.path.open("rb") as file:
                self._blocks = bgzf.whole_blocks(file)
        return bool(self._blocks[-1, 1] >= size)

    def go_on(self, size: int, crc: int) -> bool:
        """Cut the file behind so much text; returns whether it was this text. Raises ValueError on damaged BGZF."""
        self._file = file = self.path.open("r+b")
        blocks = self._blocks
        if blocks is None:
            if _crc(file, size) != crc:
                return False
            at = size
        else:
            with contextlib.closing(bgzf.BgzfFile(self.path, blocks[:-1])) as text:
                if _crc(text, size) != crc:
                    return False
                number = int(np.searchsorted(blocks[:, 1], size, side="right")) - 1
                while blocks[number - 1, 1] == size and number:  # behind an end block, which has nothing in it
                    number -= 1
                at, begin = blocks[number].tolist()
                text.seek(begin)
                self._held = text.read(size - begin)
        file.truncate(at)
        file.seek(at)
        self.size, self.crc = size, crc
        return True

    def write(self, data: bytes, /) -> None:
        """Take in text."""
        self._sink.write(data)
        self.size += len(data)
        self.crc = zlib.crc32(data, self.crc)

    def flush(self) -> None:
        """Hand on what is held, as far as whole blocks of BGZF allow."""
        self._sink.flush()

    def __enter__(self) -> _Part:
        file = cast(BinaryIO, self._file)
        self._sink = self._packing.enter_context(BgzfSink(file, self._held)) if self.packed else file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._packing.__exit__(kind, error, trace)
        if kind is None:
            cast(BinaryIO, self._file).close()
        else:
            self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # it tries to write what the disk had no room for
                self._file.close()


def _crc(file: BinaryIO | bgzf.BgzfFile, size: int) -> int | None:
    """Return the CRC-32 of the first `size` bytes of a file; None where there are fewer."""
    crc = 0
    while size and (data := file.read(min(_CHUNK, size))):
        crc = zlib.crc32(data, crc)
        size -= len(data)
    return None if size else crc
