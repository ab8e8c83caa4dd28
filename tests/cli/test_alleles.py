"""Alternate alleles on a genome: what can be placed, and the name of what can't."""

from __future__ import annotations

from pathlib import Path

from saresnet_cli import Genome
from saresnet_cli.variants.alleles import LONGEST, Allele, AlleleReader, Variant


def reasons(genome: Path, *changes: Variant) -> list[str]:
    with Genome(genome) as opened:
        reader = AlleleReader(opened)
        return [found if isinstance(found, str) else "" for change in changes for found in reader.read(change)]


def test_what_is_not_scored_has_a_name(genome: Path, sequences: dict[str, str]) -> None:
    text = sequences["chr1"]
    ref = text[500]
    other = "A" if ref != "A" else "C"

    def at(ref: str, *alts: str, start: int = 500, chrom: str = "chr1") -> list[str]:
        return reasons(genome, Variant(chrom, start, ref, alts))

    assert at(ref, other) == [""]
    assert at(ref.lower(), other.lower()) == [""]
    assert at(ref) == at(ref, ".") == at(ref, "") == ["NO_ALT"]
    assert at(ref, "*", other) == ["STAR", ""]
    assert at(ref, "<DEL>", "<NON_REF>", "<*>", f"{ref}<ctg1>") == ["SYMBOLIC"] * 4
    assert at(ref, f"{ref}[chr2:9[", "]<c>:9]A", "A.", ".A") == ["BREAKEND"] * 4
    assert at(other, ref, "<DEL>") == ["REF_MISMATCH", "SYMBOLIC"]
    assert at(ref + ("A" if text[501] != "A" else "C"), ref) == ["REF_MISMATCH"]
    assert at(ref, ref) == ["SAME_AS_REF"]
    assert at(ref, "N", "R", "U", "-", other) == ["AMBIGUOUS"] * 4 + [""]
    assert at("R", other) == at("", other) == at(".", other) == ["AMBIGUOUS"]
    assert at("N", "A", start=1300) == at("A", "C", start=1300) == ["AMBIGUOUS"]
    assert at(ref, other, chrom="chr9") == ["UNKNOWN_CONTIG"]
    assert at(ref, "*", other, chrom="chr9") == ["STAR", "UNKNOWN_CONTIG"]
    assert at("A", "C", start=-1) == at("A", "C", start=3000) == at(text[2999] + "A", "C", start=2999) == ["OUTSIDE"]
    assert at(sequences["tiny"][30], "A", "C", "G", "T", chrom="tiny", start=30).count("NO_WINDOW") == 3
    assert at(text[2999], text[2999] + "A", start=2999) == ["NO_WINDOW"]  # behind the last base
    assert at(ref, "A" * (LONGEST + 2)) == ["TOO_LONG"]
    assert at(ref, ref + "A" * LONGEST) == [""]


def test_names_are_matched_with_and_without_chr(genome: Path, sequences: dict[str, str]) -> None:
    ref = sequences["chrM"][400]
    alts = tuple(base for base in "ACGT" if base != ref)
    assert reasons(genome, Variant("MT", 400, ref, alts), Variant("1", 0, "X", ("A",))) == [
        "",
        "",
        "",
        "AMBIGUOUS",
    ]


def test_bases_are_those_of_the_genome_wherever_it_is_read(genome: Path, sequences: dict[str, str]) -> None:
    with Genome(genome) as opened:
        reader = AlleleReader(opened)
        for start in (2990, 5, 1100, 1099, 1600, 5):
            [allele] = reader.read(Variant("chr1", start, sequences["chr1"][start], ("AC",)))
            assert isinstance(allele, Allele)
            left, right = allele.left.tobytes().decode(), allele.right.tobytes().decode()
            whole = left + allele.reference.tobytes().decode() + right
            first = allele.start - len(left)
            assert whole == sequences["chr1"][first : first + len(whole)]
