"""What a client sends to be scored: FASTA in the body of a request, or a place in the server's genome."""

from __future__ import annotations

import contextlib
import gzip
import io
import queue
import tempfile
import zlib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np

from saresnet_cli.bgzf import is_gzip
from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.genome import Genome
from saresnet_cli.sequences import Sequence, read_fasta
from saresnet_cli.serving.limits import Limits, Refusal, too_many

FASTA = "FASTA"
"""What errors call the sequences of a request."""


class SentGenome(Genome):
    """Sequences of a request, read by position like those of a file; nothing is on disk.

    sequences: with names that differ.
    """

    def __init__(self, sequences: list[Sequence]) -> None:
        self.path = Path(FASTA)
        self._bases = {sequence.name: sequence.bases for sequence in sequences}
        self.lengths = {name: len(bases) for name, bases in self._bases.items()}
        self.names = list(self.lengths)
        self._offsets = dict(zip(self.names, accumulate(self.lengths.values(), initial=0), strict=False))
        self._aliased = True  # says nothing on the server's terminal

    def close(self) -> None:
        """Do nothing: there is no file."""

    def offset(self, name: str) -> int:
        """Return where a sequence begins, all of them in a row."""
        return self._offsets[name]

    def fetch(self, name: str, start: int, end: int) -> np.ndarray:
        """Return the bases of [start, end), 0-based: (end - start,) uint8 ASCII in upper case."""
        if not 0 <= start <= end <= self.lengths.get(name, -1):
            raise GenomeError(f"{name}:{start}-{end} is not within the sequences", path=self.path)
        return self._bases[name][start:end]


def read_sequences(body: bytes, limits: Limits) -> list[Sequence]:
    """Read FASTA, plain or gzip, from the bytes of a request; raises Refusal on what is not, or is too much."""
    if not body.strip():
        raise Refusal(422, "no_sequence", "no sequence was sent", "send FASTA: a line of > and a name, then bases")
    found: list[Sequence] = []
    bases = 0
    names: set[str] = set()
    with _file(_unpacked(body, limits)) as path, named(path.parent):
        for sequence in read_fasta(path):
            bases += len(sequence.bases)
            if len(found) == limits.sequences:
                raise too_many("too_many_sequences", "sequences", limits.sequences, "send fewer at a time")
            if bases > limits.bases:
                raise too_many("too_many_bases", "bases", limits.bases, "send less sequence at a time")
            if sequence.name in names:
                raise Refusal(422, "not_fasta", f"a second sequence named {sequence.name!r}", "rename one")
            names.add(sequence.name)
            found.append(sequence)
    return found


def _unpacked(body: bytes, limits: Limits) -> bytes:
    if not is_gzip(body):
        return body
    try:
        # A byte more than is allowed is all that is ever unpacked.
        text = gzip.GzipFile(fileobj=io.BytesIO(body)).read(limits.body + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refusal(422, "not_fasta", f"its compressed data is damaged ({error})", "compress it again") from error
    if len(text) > limits.body:
        raise too_many("body_too_large", "bytes in a request, unpacked", limits.body, "send less sequence at a time")
    return text


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[Path]:
    """Keep bytes in a file that is gone afterwards; its name is the server's."""
    with tempfile.TemporaryDirectory(prefix="saresnet-") as folder:
        path = Path(folder) / FASTA
        path.write_bytes(content)
        yield path


@contextlib.contextmanager
def named(*folders: Path) -> Iterator[None]:
    """Turn errors of the library into refusals, status 422, without the names of these folders."""
    try:
        yield
    except GenomeError as error:
        raise refusal("not_fasta", error, *folders) from error


def refusal(code: str, error: SaresnetError, *folders: Path, status: int = 422) -> Refusal:
    """Return an error of the library as a refusal; a client is not told where files lie."""
    text = " ".join(str(error).split())
    for folder in folders:
        text = text.replace(f"{folder}/", "")
    detail, _, cure = text.partition("; ")
    return Refusal(status, code, detail, cure or "see what was sent")


class ServedGenome:
    """The genome that a server was started with; a file is read from one thread at a time, so there are several.

    path: FASTA, plain or BGZF. Raises GenomeError when it can't be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        self._idle: queue.SimpleQueue[Genome] = queue.SimpleQueue()
        first = Genome(path)
        self.lengths = first.lengths
        self._idle.put(first)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Genome]:
        """Lend the genome to a thread."""
        try:
            genome = self._idle.get_nowait()
        except queue.Empty:
            genome = Genome(self.path)
        try:
            yield genome
        finally:
            self._idle.put(genome)

    def close(self) -> None:
        """Close what is open."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
