"""Reads motifs: a consensus in IUPAC codes, or matrices from a JASPAR or MEME file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_cli.streams import STDIN, open_bytes, source_name

IUPAC = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "U": "T",
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "",
}
"""Bases of each nucleotide code; N, any base, asks for none in particular."""

_BASES = "ACGT"
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_SUM_TOLERANCE = 0.02  # MEME prints probabilities with 6 decimals, others with 2


class MotifError(SaresnetError):
    """A text that is no consensus, or a file that holds no motifs."""


@dataclass(frozen=True)
class Motif:
    """A motif: which bases stand at each of its positions.

    id: of the matrix, or the consensus; name: of the factor, "." where there is none. probability: (width, 4)
    float64, columns A, C, G, T; rows sum to 1, or to 0 where any base may stay that is there.
    """

    id: str
    probability: np.ndarray
    name: str = "."

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probability)

    def consensus(self) -> Motif:
        """Return the motif with the likeliest base alone at each position, of equal ones the first of A, C, G, T."""
        likeliest = np.eye(4)[self.probability.argmax(axis=1)]
        likeliest[self.probability.sum(axis=1) == 0] = 0
        return Motif(self.id, likeliest, self.name)

    def reverse_complement(self) -> Motif:
        """Return the motif as it reads on the other strand."""
        return Motif(self.id, self.probability[::-1, ::-1], self.name)


def read_motifs(source: str, sample: bool = False) -> list[Motif]:
    """Read the motifs of a file, or one from a consensus.

    source: a file (JASPAR or MEME, plain or gzip), "-" for standard input, or, where there is no such file, a
    consensus in IUPAC codes of either case. sample: keep the probabilities of matrices; default is the likeliest base
    of each position. Raises MotifError.
    """
    try:
        is_file = source == STDIN or Path(source).is_file()
    except OSError:  # too long for a name
        is_file = False
    if not is_file:
        return [parse_consensus(source)]
    return [motif if sample else motif.consensus() for motif in read_motif_file(source)]


def parse_consensus(text: str) -> Motif:
    """Read a consensus: each code stands for its bases in equal parts, N for whatever is there; raises MotifError."""
    letters = text.strip().upper()
    foreign = next((letter for letter in letters if letter not in IUPAC), None)
    if foreign is not None or not letters:
        what = f"{foreign!r} is no nucleotide code" if foreign else "it is empty"
        raise MotifError(f"motif {text!r} is neither a file nor a consensus: {what}", cure="write CCGCGNGGNGGCAG")
    if set(letters) == {"N"}:
        raise MotifError(f"motif {text!r} asks for no base", cure="write CCGCGNGGNGGCAG")
    allowed = np.array([[base in IUPAC[letter] for base in _BASES] for letter in letters], dtype=np.float64)
    return Motif(letters, allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1))


def read_motif_file(source: str | Path) -> list[Motif]:
    """Read every motif of a JASPAR file (counts or probabilities) or a MEME file (version 4 or later).

    Formats: https://jaspar.elixir.no/docs ("JASPAR" and "raw PFM"), https://meme-suite.org/meme/doc/meme-format.html.
    Raises MotifError, with the line, on a file that is neither, or is damaged.
    """
    path = source_name(source)
    with open_bytes(source, MotifError) as file:
        lines = [line.decode("utf-8", "replace").strip() for line in file]
    first = next((line for line in lines if line), "")
    if any(line.startswith("MEME version") for line in takewhile(lambda line: not line.startswith("MOTIF"), lines)):
        motifs = list(_meme(lines, path))
    elif first.startswith(">"):
        motifs = list(_jaspar(lines, path))
    else:
        message = "is no motif file" if first else "is empty"
        raise MotifError(message, path=path, cure="give JASPAR (begins with '>') or MEME (begins with 'MEME version')")
    if not motifs:
        raise MotifError("holds no motifs", path=path, cure="each begins with a line 'MOTIF NAME'")
    return motifs


def _jaspar(lines: list[str], path: str) -> Iterator[Motif]:
    heads = [number for number, line in enumerate(lines) if line.startswith(">")]
    for head, end in pairwise([*heads, len(lines)]):
        id, name = _names(lines[head][1:], path, head)
        rows: dict[str, list[float]] = {}
        for number in range(head + 1, end):
            if not lines[number]:
                continue
            labelled = re.match(r"([ACGTUacgtu])(?![A-Za-z])[\s|:]*", lines[number])
            base = labelled[1].upper().replace("U", "T") if labelled else _BASES[min(len(rows), 3)]
            if base in rows or (labelled is None and len(rows) == 4):
                raise MotifError(
                    f"motif {id} has more than the rows A, C, G and T", path=path, line=number + 1, cure="give 4 rows"
                )
            text = lines[number][labelled.end() if labelled else 0 :]
            rows[base] = _numbers(text.replace("[", " ").replace("]", " "), path, number)
        widths = {len(row) for row in rows.values()}
        if len(rows) != 4 or len(widths) != 1:
            found = f"{len(rows)} rows" if len(rows) != 4 else "rows of different lengths"
            raise MotifError(
                f"motif {id} has {found}", path=path, line=head + 1, cure="give rows A, C, G and T of one length"
            )
        counts = np.array([rows[base] for base in _BASES]).T
        totals = counts.sum(axis=1, keepdims=True)
        if not len(counts) or (totals <= 0).any():
            raise MotifError(f"motif {id} has a position without counts", path=path, line=head + 1, cure="leave it out")
        yield Motif(id, counts / totals, name)


def _meme(lines: list[str], path: str) -> Iterator[Motif]:
    for number, line in enumerate(lines):
        if line.startswith("ALPHABET") and not re.match(r'ALPHABET\s*=?\s*(ACGT\b|"?DNA)', line):
            raise MotifError("its alphabet is not DNA", path=path, line=number + 1, cure="give motifs of DNA")
    heads = [number for number, line in enumerate(lines) if line.split()[:1] == ["MOTIF"]]
    for head, end in pairwise([*heads, len(lines)]):
        id, name = _names(lines[head][len("MOTIF") :], path, head)
        matrix = next((n for n in range(head, end) if lines[n].startswith("letter-probability matrix")), None)
        if matrix is None:
            raise MotifError(
                f"motif {id} has no letter-probability matrix", path=path, line=head + 1, cure="export it again"
            )
        rows: list[list[float]] = []
        for number in range(matrix + 1, end):
            if not _NUMBER.match(lines[number]):
                if rows:
                    break
                continue
            row = _numbers(lines[number], path, number)
            if len(row) != 4 or abs(sum(row) - 1) > _SUM_TOLERANCE:
                raise MotifError(
                    f"motif {id}: a row is 4 probabilities that sum to 1", path=path, line=number + 1, cure="mend it"
                )
            rows.append(row)
        width = re.search(r"\bw=\s*(\d+)", lines[matrix])
        if not rows or (width and int(width[1]) != len(rows)):
            wanted = f" of {width[1]}" if width else ""
            raise MotifError(
                f"motif {id} has {len(rows)}{wanted} rows", path=path, line=matrix + 1, cure="copy the file again"
            )
        counts = np.array(rows)
        yield Motif(id, counts / counts.sum(axis=1, keepdims=True), name)


def _names(text: str, path: str, number: int) -> tuple[str, str]:
    words = text.split()
    if not words:
        raise MotifError("a motif without a name", path=path, line=number + 1, cure="name it")
    return words[0], words[1] if len(words) > 1 else "."


def _numbers(text: str, path: str, number: int) -> list[float]:
    words = text.split()
    bad = next((word for word in words if not _NUMBER.fullmatch(word) or float(word) < 0), None)
    if bad is not None or not words:
        what = f"{bad[:20]!r} is not a count or probability" if bad else "a row without numbers"
        raise MotifError(what, path=path, line=number + 1, cure="give JASPAR or MEME")
    return [float(word) for word in words]
