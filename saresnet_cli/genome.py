"""A genome: a FASTA file that is read by position."""

from __future__ import annotations

import codecs
import difflib
import logging
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import pyfaidx

from saresnet_cli import alphabet, bgzf
from saresnet_cli.errors import GenomeError
from saresnet_cli.fasta_index import find_index, index_fasta, read_fai, write_fai

_MITOCHONDRION = ("chrM", "MT", "M", "chrMT")
_log = logging.getLogger("saresnet")


class Genome:
    """Bases of an indexed FASTA file, plain or BGZF, by name and position.

    path: the file; a missing index is made once (`fasta_index.find_index`).
    names: sequences in file order; lengths: name -> bases. Use it in a `with`
    statement, from one thread at a time. Raises GenomeError when the file is
    missing, empty, plain gzip, or not FASTA.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        head = _head(self.path)
        compressed = bgzf.is_gzip(head)
        if compressed and not bgzf.is_bgzf(head):
            raise GenomeError(
                "is plain gzip, which can't be read by position", path=path, cure="use bgzip: gunzip it, then bgzip it"
            )
        if head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise GenomeError(
                "begins with a byte order mark, so it is no plain text", path=path, cure="save it as ASCII"
            )
        if head.startswith((b"BZh", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
            raise GenomeError("is compressed, but not with bgzip", path=path, cure="unpack it, then bgzip it")
        try:
            # .gzi goes first: it takes no time, and shows a file that is cut short.
            blocks = None
            if compressed:
                with find_index(self.path, ".gzi", bgzf.read_gzi, partial(_gzi, self.path)) as gzi:
                    blocks = bgzf.read_gzi(gzi)
            check, build = partial(_check_fai, self.path, compressed), partial(_fai, self.path, compressed)
            # pyfaidx would judge the FASTA by its name and the index by its time, so it is given the index alone,
            # and the file after that.
            with find_index(self.path, ".fai", check, build) as fai:
                self._faidx = pyfaidx.Faidx(
                    str(fai), indexname=str(fai), as_raw=True, strict_bounds=True, build_index=False
                )
            self._faidx.file.close()
            self._faidx.file = self.path.open("rb") if blocks is None else bgzf.BgzfFile(self.path, blocks)
        except (ValueError, zlib.error) as error:
            raise GenomeError(f"can't be read ({error})", path=path, cure="copy it again, or make it again") from error
        except OSError as error:
            raise GenomeError(error.strerror or str(error), path=error.filename or path) from error
        self.lengths: dict[str, int] = {name: record.rlen for name, record in self._faidx.index.items()}
        self.names: list[str] = list(self.lengths)
        self._aliased = False

    def __enter__(self) -> Genome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._faidx.close()

    def resolve(self, name: str) -> str:
        """Return the genome's own name of a sequence: `name`, or its alias with or without "chr".

        A bridged name is said once in the log. Raises GenomeError when there is neither.
        """
        if name in self.lengths:
            return name
        if name in _MITOCHONDRION:
            aliases = [alias for alias in _MITOCHONDRION if alias in self.lengths]
        else:
            alias = name.removeprefix("chr") if name.startswith("chr") else f"chr{name}"
            aliases = [alias] if alias in self.lengths else []
        if not aliases:
            near = difflib.get_close_matches(name, self.names[:10_000], n=3) or self.names[:3]
            raise GenomeError(
                f"no sequence named {name!r}",
                path=self.path,
                cure=f"it has {len(self.names)}, among them {', '.join(near)}",
            )
        if not self._aliased:
            _log.info("%s calls %s %s: names are matched with and without 'chr'", self.path.name, name, aliases[0])
            self._aliased = True
        return aliases[0]

    def offset(self, name: str) -> int:
        """Return the byte of the file, unpacked, where a sequence begins: it and a position tell places apart."""
        return int(self._faidx.index[name].offset)

    def fetch(self, name: str, start: int, end: int) -> np.ndarray:
        """Return the bases of [start, end), 0-based: (end - start,) uint8 ASCII in upper case.

        Raises GenomeError when the range is not within the sequence, or holds
        a letter that is no IUPAC nucleotide code.
        """
        length = self.lengths.get(name)
        if length is None or not 0 <= start <= end <= length:
            raise GenomeError(f"{name}:{start}-{end} is not within the genome", path=self.path)
        if start == end:
            return np.empty(0, dtype=np.uint8)
        try:
            text = self._faidx.from_file(name, start + 1, end).encode("latin-1")
        except (ValueError, zlib.error, OSError, pyfaidx.FetchError) as error:
            raise GenomeError(f"{name}:{start}-{end} can't be read ({error})", path=self.path) from error
        if len(text) != end - start:
            raise GenomeError(
                f"{name}:{start}-{end} holds {len(text):,} bases: the file does not fit its index",
                path=self.path,
                cure=f"remove {self._faidx.indexname}",
            )
        bases = np.frombuffer(text, dtype=np.uint8)
        foreign = alphabet.first_foreign(bases)
        if foreign is not None:
            raise GenomeError(
                f"letter {alphabet.spell(bases[foreign])} at position {start + foreign} of {name} is not DNA",
                path=self.path,
                cure="give nucleotides (IUPAC codes)",
            )
        return alphabet.upper(bases)


def _head(path: Path) -> bytes:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise GenomeError("is a stream, and has to be read by position", path=path, cure="give a file")
    try:
        with path.open("rb") as file:
            head = file.read(18)
    except OSError as error:
        raise GenomeError(error.strerror or str(error), path=path) from error
    if not head:
        raise GenomeError("is empty", path=path, cure="give a FASTA file")
    return head


def _check_fai(fasta: Path, compressed: bool, path: Path) -> None:
    records = read_fai(path)
    if not compressed and max(record.last_byte for record in records) > fasta.stat().st_size:
        raise ValueError("index of a longer file")


def _fai(fasta: Path, compressed: bool) -> Callable[[BinaryIO], None]:
    return partial(write_fai, index_fasta(fasta, compressed))


def _gzi(fasta: Path) -> Callable[[BinaryIO], None]:
    with fasta.open("rb") as file:
        return partial(bgzf.write_gzi, bgzf.find_blocks(file))
