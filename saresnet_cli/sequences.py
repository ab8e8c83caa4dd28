"""Sequences from a FASTA file, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saresnet_cli import alphabet
from saresnet_cli.errors import GenomeError
from saresnet_cli.streams import open_bytes, source_name

_CHUNK = 1 << 20
_BLANK = b"\r\n \t"


@dataclass(frozen=True, slots=True)
class Sequence:
    """One record of a FASTA file.

    name: first word of its header; description: the rest. bases: (length,)
    uint8 ASCII in upper case, read-only.
    """

    name: str
    description: str
    bases: np.ndarray


def read_fasta(source: str | Path) -> Iterator[Sequence]:
    """Read sequences one at a time from FASTA, plain, gzip or BGZF; "-" is standard input.

    Lower case, Windows line ends, blank lines and lines of any length are fine.
    Raises GenomeError, with the line, on a source that is empty or not FASTA,
    a header without a name, or a letter that is no IUPAC nucleotide code.
    """
    path = source_name(source)
    line = 1  # where `held` begins
    held = b""
    parts: list[bytes] = []
    empty = True
    with open_bytes(source, GenomeError) as file:
        while chunk := file.read(_CHUNK):
            if empty:
                chunk, line = _first(chunk, path)
                empty = False
            # The last byte stays for the next round: "\n" and ">" may be cut apart.
            joined = (parts[-1][-1:] if parts else b"") + chunk
            if b"\n>" not in joined:
                parts.append(chunk)
                continue
            held = b"".join(parts) + chunk
            records = held.split(b"\n>")
            for record in records[:-1]:
                yield _record(record, path, line)
                line += record.count(b"\n") + 1
            parts = [records[-1]]
    if empty:
        raise GenomeError("is empty", path=path, cure="give a FASTA file")
    yield _record(b"".join(parts), path, line)


def _first(chunk: bytes, path: str) -> tuple[bytes, int]:
    """Return the chunk from behind its first ">", and that line."""
    text = chunk.lstrip()
    line = 1 + chunk[: len(chunk) - len(text)].count(b"\n")
    if not text.startswith(b">"):
        message = "is not FASTA: text before the first '>'" if text else "holds no sequences"
        raise GenomeError(message, path=path, line=line if text else None, cure="give a FASTA file")
    check_line_end(text.partition(b"\n")[0], path)
    return text[1:], line


def _record(text: bytes, path: str, line: int) -> Sequence:
    header, _, body = text.partition(b"\n")
    check_line_end(header, path)
    words = [word.decode("utf-8", "replace") for word in header.split(None, 1)]
    if not words or header[:1].isspace():
        raise GenomeError("a sequence without a name", path=path, line=line, cure="put its name after '>'")
    check_name(words[0], path, line)
    bases = np.frombuffer(body.translate(alphabet.UPPER, _BLANK), dtype=np.uint8)
    if alphabet.first_foreign(bases) is not None:
        _complain(body, path, words[0], line)
    return Sequence(words[0], words[1].strip() if len(words) > 1 else "", bases)


def check_line_end(header: bytes, path: object) -> None:
    """Raise GenomeError when a header, all up to a line feed, goes on behind a carriage return.

    The lines of such a file end as those of an old Mac: to what reads by lines it is a single one.
    """
    if b"\r" in header.rstrip(b"\r"):
        raise GenomeError(
            "its lines end in CR alone, as on an old Mac", path=path, cure="tr '\\r' '\\n' < FILE > NEW_FILE"
        )


def check_name(name: str, path: object, line: int) -> None:
    """Raise GenomeError when the name of a sequence holds control characters, which no row of a table can."""
    if any(letter < " " or letter == "\x7f" for letter in name):
        raise GenomeError(f"control characters in the name {name!r}", path=path, line=line, cure="rename it")


def _complain(body: bytes, path: str, name: str, line: int) -> None:
    for number, row in enumerate(body.split(b"\n"), line + 1):
        row = row.translate(None, _BLANK)
        foreign = alphabet.first_foreign(np.frombuffer(row, dtype=np.uint8))
        if foreign is not None:
            raise GenomeError(
                f"letter {alphabet.spell(row[foreign])} in sequence {name!r} is not DNA",
                path=path,
                line=number,
                cure="give nucleotides (IUPAC codes)",
            )
