"""Makes and finds the index of a FASTA file: samtools' .fai, and .gzi for BGZF."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import logging
import math
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from saresnet_cli.errors import GenomeError
from saresnet_cli.sequences import check_line_end, check_name

_CHUNK = 1 << 22
_told: set[Path] = set()  # FASTA files whose index can't be kept
_log = logging.getLogger("saresnet")


@dataclass(slots=True)
class FaiRecord:
    """One line of a .fai: a sequence, and where its bases lie.

    offset: byte of its first base; line_bases, line_bytes: bases and bytes of a full line.
    """

    name: str
    length: int
    offset: int
    line_bases: int
    line_bytes: int

    @property
    def last_byte(self) -> int:
        """Byte after its last base."""
        if not self.length:
            return self.offset
        rows = (self.length - 1) // self.line_bases
        return self.offset + rows * self.line_bytes + self.length - rows * self.line_bases


def read_fai(path: Path) -> list[FaiRecord]:
    """Read a .fai; raises ValueError when it is none."""
    records = []
    for line in path.read_text("utf-8").removesuffix("\n").split("\n"):
        name, *numbers = line.split("\t")
        length, offset, line_bases, line_bytes = map(int, numbers[:4])
        if min(length, offset) < 0 or (length > 0 and not 0 < line_bases <= line_bytes):
            raise ValueError("damaged .fai")
        records.append(FaiRecord(name, length, offset, line_bases, line_bytes))
    if not records or len({record.name for record in records}) < len(records):
        raise ValueError("empty .fai, or a name twice")
    return records


def write_fai(records: list[FaiRecord], file: BinaryIO) -> None:
    """Write a .fai as samtools does."""
    for r in records:
        file.write(f"{r.name}\t{r.length}\t{r.offset}\t{r.line_bases}\t{r.line_bytes}\n".encode())


@contextlib.contextmanager
def find_index(
    fasta: Path, suffix: str, check: Callable[[Path], object], build: Callable[[], Callable[[BinaryIO], None]]
) -> Iterator[Path]:
    """Yield the path of an index of a FASTA file, made if there is none that is fresh and whole.

    suffix: ".fai" or ".gzi". check: raises ValueError on an index that doesn't
    fit. build: reads the FASTA and returns what writes the index. The index
    lies beside the FASTA, or, where that folder can't be written, in
    $XDG_CACHE_HOME/saresnet under a name made of path, size and time. It
    appears whole or not at all, so processes may make it at the same time. Where neither can be written it is made
    for the `with` statement alone, and the log says so once.
    """
    stat = fasta.stat()
    beside = fasta.with_name(fasta.name + suffix)
    cached = _cached(fasta, suffix, stat)
    for path in (beside, cached):
        if path is None or not path.is_file():
            continue
        if path is beside and path.stat().st_mtime < stat.st_mtime:
            _log.info("%s is older than %s: made again", path, fasta.name)
            continue
        try:
            check(path)
        except (ValueError, OSError):
            _log.info("%s does not fit %s: made again", path, fasta.name)
            continue
        yield path
        return
    write = build()
    for path in (beside, cached):  # read-only folder, or no room: the cache may lie on another disk
        if path is None:
            continue
        try:
            if path is cached:
                path.parent.mkdir(parents=True, exist_ok=True)
            made = _write_whole(path, write, stat.st_mtime)
        except OSError:
            continue
        yield made
        return
    if fasta not in _told:
        _told.add(fasta)
        _log.warning(
            "the index of %s can be kept neither beside it nor in the cache, and is made each time; "
            "set XDG_CACHE_HOME to a folder that you can write",
            fasta,
        )
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(_memory(suffix))
            write(file)
            file.flush()
        except OSError as error:
            raise GenomeError(f"there is no room for its index ({error.strerror})", path=fasta) from error
        yield Path(file.name if isinstance(file.name, str) else f"/proc/self/fd/{file.fileno()}")


def _memory(suffix: str) -> Any:
    """Open a file that goes away when it is closed: in memory, elsewhere than on Linux in the temporary folder."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create(f"saresnet{suffix}"), "w+b")
    return tempfile.NamedTemporaryFile(suffix=suffix)


def _cached(fasta: Path, suffix: str, stat: os.stat_result) -> Path | None:
    about = os.fsencode(fasta.resolve()) + f"\0{stat.st_size}\0{stat.st_mtime_ns}".encode()
    key = hashlib.sha256(about).hexdigest()[:24]
    try:
        return _cache_folder() / f"{fasta.name}.{key}{suffix}"
    except RuntimeError:  # a user without a home
        return None


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saresnet"


def _write_whole(path: Path, write: Callable[[BinaryIO], None], not_before: float) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        Path(name).chmod(0o644)
        if Path(name).stat().st_mtime < not_before:  # a FASTA from the future, by the clock of another machine
            os.utime(name, (math.ceil(not_before),) * 2)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
    _log.info("made the index %s", path)
    return path


def index_fasta(path: Path, compressed: bool) -> list[FaiRecord]:
    """Index a FASTA file in one pass, in constant memory.

    Raises GenomeError, with the line, when it is empty, is not FASTA, has a
    name twice, or lines of different lengths within a sequence.
    """
    scanner = _Scanner(path)
    opener = gzip.open if compressed else open
    try:
        with opener(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                scanner.feed(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GenomeError(f"its compressed data is damaged ({error})", path=path, cure="copy it again") from error
    return scanner.finish()


class _Scanner:
    """Follows the lines of a FASTA file through chunks that cut them anywhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[FaiRecord] = []
        self.names: set[str] = set()
        self.line = 0  # lines that are complete
        self.byte = 0  # where the chunk begins in the file
        self.short = False  # the record has had its last line
        self.open = b""  # first byte, or the whole header, of the line that the last chunk left open
        self.open_bytes = 0
        self.last = 0

    def feed(self, chunk: bytes) -> None:
        array = np.frombuffer(chunk, dtype=np.uint8)
        ends = np.flatnonzero(array == 10)
        if len(ends):
            starts = np.concatenate([[0], ends[:-1] + 1])
            sizes = ends - starts + 1  # bytes, with the line end
            before = array[ends - 1]
            first = array[starts]
            if self.open_bytes:
                first[0] = self.open[0]
            if ends[0] == 0:
                before[0] = self.last
            sizes[0] += self.open_bytes
            bases = sizes - 1 - ((before == 13) & (sizes > 1))
            self._lines(chunk, starts, ends, first, sizes, bases)
            self.open, self.open_bytes = b"", 0
        tail = chunk[int(ends[-1]) + 1 if len(ends) else 0 :]
        if tail:
            if not self.open_bytes or self.open[:1] == b">":
                self.open += tail if (self.open or tail)[:1] == b">" else tail[:1]
                check_line_end(self.open, self.path)  # now: the whole file may be this line
            self.open_bytes += len(tail)
        self.last = chunk[-1]
        self.byte += len(chunk)

    def finish(self) -> list[FaiRecord]:
        if self.open_bytes:
            self.feed(b"\n")  # the last line of the file may lack its end
        if not self.records:
            message = "holds no sequences" if self.byte else "is empty"
            raise GenomeError(message, path=self.path, cure="give a FASTA file")
        return self.records

    def _lines(
        self,
        chunk: bytes,
        starts: np.ndarray,
        ends: np.ndarray,
        first: np.ndarray,
        sizes: np.ndarray,
        bases: np.ndarray,
    ) -> None:
        headers = np.flatnonzero(first == 62)
        stops = [*headers.tolist(), len(starts)]
        self._body(sizes[: stops[0]], bases[: stops[0]], 0)
        for header, stop in zip(headers.tolist(), stops[1:], strict=True):
            text = chunk[starts[header] : ends[header]]
            if header == 0:
                text = self.open + text
            self._header(text, self.line + header + 1, self.byte + int(ends[header]) + 1)
            self._body(sizes[header + 1 : stop], bases[header + 1 : stop], header + 1)
        self.line += len(starts)

    def _header(self, text: bytes, line: int, offset: int) -> None:
        check_line_end(text, self.path)
        words = text[1:].split(None, 1)
        if not words or text[1:2].isspace():
            raise GenomeError("a sequence without a name", path=self.path, line=line, cure="put its name after '>'")
        name = words[0].decode("utf-8", "replace")
        check_name(name, self.path, line)
        if name in self.names:
            raise GenomeError(f"a second sequence named {name!r}", path=self.path, line=line, cure="rename one")
        self.names.add(name)
        self.records.append(FaiRecord(name, 0, offset, 0, 0))
        self.short = False

    def _body(self, sizes: np.ndarray, bases: np.ndarray, at: int) -> None:
        if not len(bases):
            return
        if not self.records:
            filled = np.flatnonzero(bases)
            if len(filled):
                raise GenomeError(
                    "is not FASTA: text before the first '>'",
                    path=self.path,
                    line=self.line + at + int(filled[0]) + 1,
                    cure="give a FASTA file",
                )
            return
        record = self.records[-1]
        if not record.line_bases and not self.short:
            record.line_bases, record.line_bytes = int(bases[0]), int(sizes[0])
            self.short = not record.line_bases
        full = 0
        if not self.short:
            odd = np.flatnonzero((bases != record.line_bases) | (sizes != record.line_bytes))
            full = int(odd[0]) if len(odd) else len(bases)
            record.length += full * record.line_bases
            if full < len(bases) and bases[full] <= record.line_bases:  # shorter, so it has to be the last line
                record.length += int(bases[full])
                full += 1
                self.short = True
        extra = np.flatnonzero(bases[full:])
        if len(extra):
            raise GenomeError(
                f"lines of different lengths in sequence {record.name!r}",
                path=self.path,
                line=self.line + at + full + int(extra[0]) + 1,
                cure="wrap all its lines at one length (seqkit seq -w 60)",
            )
