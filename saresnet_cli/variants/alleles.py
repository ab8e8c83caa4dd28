"""Alternate alleles on a genome: which bases they change, what lies around them, and which can't be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.genome import Genome

FLANK = WINDOW - 1
"""Most bases on one side of an allele that a window over it can reach."""

LONGEST = 10_000
"""Most bases that a scored allele takes away or puts in: each of them is a window more."""

SKIPPED = {
    "NO_ALT": "records without an alternate allele",
    "STAR": "alleles * (deleted by another record)",
    "SYMBOLIC": "symbolic alleles",
    "BREAKEND": "breakends",
    "UNKNOWN_CONTIG": "alleles on sequences that the genome lacks",
    "OUTSIDE": "alleles beyond the ends of their sequence",
    "AMBIGUOUS": "alleles with letters other than A, C, G, T in REF, ALT or the genome below",
    "REF_MISMATCH": "alleles whose REF differs from the genome",
    "SAME_AS_REF": "alleles equal to REF",
    "TOO_LONG": f"alleles longer than {LONGEST:,} bases",
    "NO_WINDOW": f"alleles that no window of {WINDOW} bp can cover, at the very end of a sequence or on a short one",
    "N_FLANK": "alleles whose windows all have too many N",
}
"""Why an allele gets no score: the word that names it in results, and what a summary says."""

_READ_AHEAD = 1 << 14
_ACGT = b"ACGT"


class VariantError(SaresnetError):
    """A VCF or BCF file that can't be read, or has nothing to do with the genome."""


class VariantLike(Protocol):
    """What can be scored: `Variant`, or a record of pysam."""

    @property
    def chrom(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def ref(self) -> str | None: ...

    @property
    def alts(self) -> Sequence[str] | None: ...


@dataclass(frozen=True, slots=True)
class Variant:
    """Bases `ref` at `start` (0-based) of a sequence, and what others have in their place, as in VCF."""

    chrom: str
    start: int
    ref: str
    alts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allele:
    """An alternate allele in its place: bases [start, end) of a sequence become `alternate`.

    start, end: 0-based, half-open, without the bases that REF and ALT share at their ends, so that
    one of reference and alternate may be empty. left, right: up to 100 bases on either side, fewer at the ends
    of the sequence. All bases (n,) uint8 ASCII in upper case.
    """

    start: int
    end: int
    left: np.ndarray
    reference: np.ndarray
    alternate: np.ndarray
    right: np.ndarray

    @property
    def windows(self) -> int:
        """How many windows cover the allele, on both haplotypes."""
        return 2 * (len(self.left) + len(self.right) - FLANK) + len(self.reference) + len(self.alternate)


class AlleleReader:
    """Puts the alternate alleles of variants in their place on a genome.

    known: names of sequences that variants and genome share; unknown: those that the genome lacks.
    """

    def __init__(self, genome: Genome) -> None:
        self._genome = genome
        self._names: dict[str, str | None] = {}
        self._held = ("", 0, np.empty(0, np.uint8))  # sequence, where the bases start, bases

    @property
    def known(self) -> list[str]:
        return [name for name, own in self._names.items() if own is not None]

    @property
    def unknown(self) -> list[str]:
        return [name for name, own in self._names.items() if own is None]

    def read(self, variant: VariantLike) -> list[Allele | str]:
        """Return an `Allele` for each alternate allele, or the key of `SKIPPED` that says why there is none.

        A record without alternates gives just "NO_ALT". Raises GenomeError when the genome can't be read.
        """
        alts = variant.alts or ()
        kinds = [_kind(alt) for alt in alts] or ["NO_ALT"]
        sequence = self._resolve(variant.chrom)
        if all(kinds):
            return list[Allele | str](kinds)
        if sequence is None:
            return [kind or "UNKNOWN_CONTIG" for kind in kinds]
        ref = (variant.ref or "").upper().encode()
        start, end = variant.start, variant.start + len(ref)
        if not 0 <= start <= end <= self._genome.lengths[sequence]:
            return [kind or "OUTSIDE" for kind in kinds]
        below = self._fetch(sequence, start, end).tobytes()
        if not ref or (ref + below).strip(_ACGT):
            return [kind or "AMBIGUOUS" for kind in kinds]
        if ref != below:
            return [kind or "REF_MISMATCH" for kind in kinds]
        return [
            kind or self._place(sequence, start, ref, alt.upper().encode())
            for kind, alt in zip(kinds, alts, strict=True)
        ]

    def _place(self, sequence: str, start: int, ref: bytes, alt: bytes) -> Allele | str:
        if alt.strip(_ACGT):
            return "AMBIGUOUS"
        if alt == ref:
            return "SAME_AS_REF"
        reference, alternate = np.frombuffer(ref, np.uint8), np.frombuffer(alt, np.uint8)
        tail = _shared(reference[::-1], alternate[::-1])
        reference, alternate = reference[: len(ref) - tail], alternate[: len(alt) - tail]
        head = _shared(reference, alternate)
        reference, alternate = reference[head:], alternate[head:]
        if max(len(reference), len(alternate)) > LONGEST:
            return "TOO_LONG"
        start += head
        end = start + len(reference)
        left = self._fetch(sequence, max(0, start - FLANK), start)
        right = self._fetch(sequence, end, min(end + FLANK, self._genome.lengths[sequence]))
        if len(left) + len(right) + min(len(reference), len(alternate)) < WINDOW:
            return "NO_WINDOW"
        return Allele(start, end, left, reference, alternate, right)

    def _resolve(self, chrom: str) -> str | None:
        if chrom not in self._names:
            try:
                self._names[chrom] = self._genome.resolve(chrom)
            except GenomeError:
                self._names[chrom] = None
        return self._names[chrom]

    def _fetch(self, sequence: str, start: int, end: int) -> np.ndarray:
        # Variants are mostly sorted, so what comes next is read along.
        name, first, bases = self._held
        if name != sequence or start < first or end > first + len(bases):
            first = max(0, start - FLANK)
            stop = min(max(end + FLANK, first + _READ_AHEAD), self._genome.lengths[sequence])
            bases = self._genome.fetch(sequence, first, stop)
            self._held = sequence, first, bases
        return bases[start - first : end - first]


def _kind(alt: str) -> str:
    """Return the key of `SKIPPED` of an ALT that spells no bases, else an empty word (VCF 4.4, section 1.6.1)."""
    if alt in ("", "."):
        return "NO_ALT"
    if alt == "*":
        return "STAR"
    if "[" in alt or "]" in alt or alt.startswith(".") or alt.endswith("."):
        return "BREAKEND"
    return "SYMBOLIC" if "<" in alt else ""


def _shared(a: np.ndarray, b: np.ndarray) -> int:
    """Return how many letters two words share at their beginning."""
    length = min(len(a), len(b))
    differs = a[:length] != b[:length]
    return int(np.argmax(differs)) if differs.any() else length
