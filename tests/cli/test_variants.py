"""Scored variants: the same as a chromosome that is edited and scanned by hand."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saresnet_cli import Region, load_model, scan
from saresnet_cli import pipeline as pipelines
from saresnet_cli.runtime import Runtime
from saresnet_cli.variants import VariantScores, score_variants
from saresnet_cli.variants.allele_windows import AlleleWindows
from saresnet_cli.variants.alleles import Allele, Variant, VariantError

ROOT = Path(__file__).resolve().parent.parent.parent
CPU = Runtime(engine="onnxruntime", device="cpu", threads=1)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def genome_path(tmp_path_factory: pytest.TempPathFactory, sequences: dict[str, str], fasta: Callable[..., str]) -> Path:
    """The genome of the other tests, kept for all tests of this file."""
    path = tmp_path_factory.mktemp("variants") / "genome.fa"
    path.write_text(fasta(sequences))
    return path


def score(model: Path, changes: list[Variant], genome: Path, **options: Any) -> list[Row]:
    """Score with the package: a row an allele, columns of the one model."""
    rows: list[Row] = []
    with score_variants(model, changes, genome, **{"runtime": CPU, **options}) as blocks:
        for block in blocks:
            for row in range(len(block)):
                values = {name: getattr(block, name)[row] for name in ("skipped", "partial", "windows")}
                for name in ("ref", "alt", "delta", "gain", "gain_start", "loss", "loss_start"):
                    values[name] = getattr(block, name)[row, 0].item()
                rows.append(values | {"variant": block.variants[block.record[row]], "allele": block.allele[row]})
    return rows


class ByHand:
    """Edits the chromosome's text and scores windows one at a time."""

    def __init__(self, text: str, logit: Callable[[str], float], max_n: float = 0.1) -> None:
        self.text, self.logit, self.most = text, logit, max_n * 101

    def scored(self, text: str, start: int) -> float | None:
        window = text[start : start + 101]
        return None if sum(base not in "ACGT" for base in window) > self.most else self.logit(window)

    @staticmethod
    def over(length: int, start: int, end: int) -> list[int]:
        """Starts of windows with a base of [start, end), or, when that is empty, a base on both sides."""
        first, last = (start, end) if end > start else (start, start + 1)
        covering = [w for w in range(length - 100) if w < last and w + 101 > first]
        return covering if end > start else [w for w in covering if w < start < w + 101]

    def compare(self, start: int, ref: str, alt: str, centered: bool) -> Row:
        while ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        while ref and alt and ref[0] == alt[0]:
            start, ref, alt = start + 1, ref[1:], alt[1:]
        texts = (self.text, self.text[:start] + alt + self.text[start + len(ref) :])
        ends = (start + len(ref), start + len(alt))
        starts = [self.over(len(text), start, end) for text, end in zip(texts, ends, strict=True)]
        if not starts[0] or not starts[1]:
            return {"skipped": "NO_WINDOW"}
        if centered:
            starts = [
                [min(max((start + end) // 2 - 50, 0), len(text) - 101)] for text, end in zip(texts, ends, strict=True)
            ]
        logits = [{w: self.scored(text, w) for w in ws} for text, ws in zip(texts, starts, strict=True)]
        known = [[v for v in of.values() if v is not None] for of in logits]
        if not known[0] or not known[1]:
            return {"skipped": "N_FLANK"}
        best = [max(values) for values in known]
        rises: list[list[tuple[float, int]]] = []
        for own, other in ((0, 1), (1, 0)):
            found = []
            for w, value in logits[own].items():
                partners = []
                if centered:
                    partners = [*logits[other].values()]
                else:
                    from_end = len(texts[own]) - w
                    if w < start and w in logits[other]:
                        partners.append(logits[other][w])
                    if w + 101 > ends[own] and len(texts[other]) - from_end in logits[other]:
                        partners.append(logits[other][len(texts[other]) - from_end])
                heights = [p for p in partners if p is not None] if partners else [best[other]]
                if value is not None and heights:
                    found.append((value - max(heights), min(w, ends[0])))
            rises.append(found)
        return {
            "skipped": "",
            "ref": best[0],
            "alt": best[1],
            "delta": best[1] - best[0],
            "gain": max([0.0, *(rise for rise, _ in rises[1])]) if rises[1] else math.nan,
            "loss": -max([0.0, *(rise for rise, _ in rises[0])]) if rises[0] else math.nan,
            "windows": len(known[0]) + len(known[1]),
            "rises": rises,
        }


def check(row: Row, wanted: Row) -> None:
    assert row["skipped"] == wanted["skipped"]
    if wanted["skipped"]:
        assert row["windows"] == 0
        assert math.isnan(row["delta"])
        assert row["gain_start"] == row["loss_start"] == -1
        return
    assert row["windows"] == wanted["windows"]
    for name in ("ref", "alt", "delta", "gain", "loss"):
        assert row[name] == pytest.approx(wanted[name], abs=1e-4, nan_ok=True), name
    for name, rises in (("loss", wanted["rises"][0]), ("gain", wanted["rises"][1])):
        if abs(wanted[name]) > 1e-3:
            assert row[f"{name}_start"] in [start for rise, start in rises if abs(rise - abs(wanted[name])) < 2e-4]
        elif row[f"{name}_start"] == -1:
            assert row[name] == 0 or math.isnan(row[name])


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, int, int, str]:
    """A sequence, a place in it, how many bases go there, and what comes in their place."""
    chrom, length = draw(st.sampled_from([("chr1", 3000), ("chr1", 3000), ("chrM", 777), ("chr2", 101)]))
    edges = st.sampled_from([0, 1, 49, 50, 51, 99, 100, 101, length - 102, length - 101, length - 51, length - 1])
    start = draw(st.one_of(edges.filter(lambda p: 0 <= p < length), st.integers(0, length - 1)))
    gone = draw(st.one_of(st.just(1), st.integers(1, 12), st.integers(95, 230)))
    size = draw(st.one_of(st.just(1), st.integers(1, 12), st.integers(95, 230)))
    alt = "".join(np.random.default_rng(draw(st.integers(0, 999))).choice(list("ACGT"), size))
    return chrom, start, min(gone, length - start), alt


@settings(max_examples=25)
@given(batch=st.lists(changes(), min_size=1, max_size=12), centered=st.booleans(), max_n=st.sampled_from([0.0, 0.1]))
def test_scores_are_those_of_an_edited_chromosome(
    model: Path,
    genome_path: Path,
    sequences: dict[str, str],
    toy: SimpleNamespace,
    batch: list[tuple[str, int, int, str]],
    centered: bool,
    max_n: float,
) -> None:
    given_variants, wanted = [], []
    for chrom, start, gone, alt in batch:
        ref = sequences[chrom][start : start + gone]
        if "N" in ref or ref == alt:
            continue
        # as in a VCF, with a base in front, and without
        given_variants += [Variant(chrom, start, ref, (alt, alt[:1] + ref))]
        by_hand = ByHand(sequences[chrom], toy.logit, max_n)
        wanted += [by_hand.compare(start, ref, alt, centered), by_hand.compare(start, ref, alt[:1] + ref, centered)]
    rows = score(model, given_variants, genome_path, windows="centered" if centered else "covering", max_n=max_n)
    assert len(rows) == len(wanted)
    for row, expected in zip(rows, wanted, strict=True):
        check(row, expected)


@pytest.mark.parametrize(("gone", "new", "left", "right"), [(1, 1, 100, 100), (2, 5, 100, 100), (0, 3, 40, 100)])
def test_a_window_is_compared_with_those_that_start_or_end_with_it(gone: int, new: int, left: int, right: int) -> None:
    """One window of the alternate is at 10, one of the reference at 7, for every pair; all others are at 0."""
    bases = np.full(300, ord("A"), np.uint8)
    allele = Allele(left, left + gone, bases[:left], bases[:gone], bases[:new], bases[:right])
    plan = AlleleWindows.of([allele])
    first, second = np.diff(plan.heads).tolist()
    ours, others = (grid.ravel() for grid in np.meshgrid(np.arange(second), np.arange(first), indexing="ij"))
    logits = np.zeros((first + second, len(ours)), np.float32)
    pairs = np.arange(len(ours))
    logits[first + ours, pairs] = 10
    logits[others, pairs] = 7
    same_start = (ours == others) & (ours < left)
    same_end = (second - ours == first - others) & (ours + 101 > left + new)
    alone = ~np.isin(ours, ours[same_start | same_end])
    found = plan.compare(logits)
    assert found.gain[0].tolist() == np.where(same_start | same_end | alone, 3, 10).tolist()
    falls = np.where((same_start & (others < left)) | (same_end & (others + 101 > left + gone)), 0, -7)
    alone = ~np.isin(others, others[falls == 0])
    assert found.loss[0].tolist() == np.where(alone, 0, falls).tolist()
    assert found.delta[0].tolist() == [3] * len(ours)


def test_the_count_of_windows(model: Path, genome_path: Path, sequences: dict[str, str]) -> None:
    """101 a haplotype for a substitution; an insertion or a deletion has one more a base on one of them."""
    text = sequences["chr1"]
    at = lambda start, end: text[start:end]  # noqa: E731
    other = "A" if text[500] != "A" else "C"
    rows = score(
        model,
        [
            Variant("chr1", 500, at(500, 501), (other,)),
            Variant("chr1", 500, at(500, 501), (at(500, 501) + "ACGTA",)),
            Variant("chr1", 500, at(500, 506), (at(500, 501),)),
            Variant("chr1", 490, at(490, 511), (at(490, 500) + other + at(501, 511),)),  # a substitution, spelled long
            Variant("chr1", 500, at(500, 501), (at(500, 501) + "AC" * 100,)),  # longer than a window
            Variant("chr1", 500, at(500, 701), (at(500, 501),)),
        ],
        genome_path,
    )
    assert [row["windows"] for row in rows] == [202, 205, 205, 202, 400, 400]
    assert {key: value for key, value in rows[3].items() if key != "variant"} == {
        key: value for key, value in rows[0].items() if key != "variant"
    }
    centered = score(model, [row["variant"] for row in rows], genome_path, windows="centered")
    assert [row["windows"] for row in centered] == [2] * 6


def test_fewer_windows_are_said(model: Path, genome_path: Path, sequences: dict[str, str]) -> None:
    text = sequences["chr1"]

    def snv(start: int) -> Variant:
        return Variant("chr1", start, text[start], ("A" if text[start] != "A" else "C",))

    starts = [500, 99, 100, 2899, 2900, 1150, 1199, 1500]
    rows = score(model, [snv(start) for start in starts], genome_path)
    assert [row["partial"] for row in rows] == ["", "CHROM_END", "", "", "CHROM_END", "N_FLANK", "N_FLANK", "N_FLANK"]
    assert [row["windows"] for row in rows] == [202, 200, 202, 202, 200, 2 * 60, 2 * 11, 2 * 11]
    blocked = score(model, [snv(1199)], genome_path, max_n=0.0)
    assert [row["windows"] for row in blocked] == [2]
    rows = score(model, [snv(start) for start in (49, 50, 2949, 2950, 1150, 1199)], genome_path, windows="centered")
    assert [row["partial"] or row["skipped"] for row in rows] == ["CHROM_END", "", "", "CHROM_END", "", "N_FLANK"]
    [row] = score(model, [snv(1199)], genome_path, windows="centered")
    assert (row["skipped"], row["windows"]) == ("N_FLANK", 0)
    # known bases put in where N begin: the alternate has a window, the reference none
    insertion = Variant("chr1", 1199, text[1199], (text[1199] + "AC" * 100,))
    [row] = score(model, [insertion], genome_path, windows="centered")
    assert (row["skipped"], row["windows"]) == ("N_FLANK", 0)
    short = Variant("chr2", 40, sequences["chr2"][40], ("A" if sequences["chr2"][40] != "A" else "C",))
    [row] = score(model, [short], genome_path)
    assert (row["partial"], row["windows"]) == ("CHROM_END", 2)


def test_equal_windows_are_computed_once(
    model: Path, genome_path: Path, sequences: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    original = pipelines.run

    def counting(scorer: Any, chunks: Any) -> Any:
        def counted() -> Any:
            for chunk in chunks:
                computed.append(len(chunk.windows))
                yield chunk

        return original(scorer, counted())

    monkeypatch.setattr("saresnet_cli.variants.scores.run", counting)
    text = sequences["chr1"]
    three = [
        Variant("chr1", start, text[start], tuple(base for base in "ACGT" if base != text[start]))
        for start in (500, 520)
    ]
    rows = score(model, [*three, three[0]], genome_path)
    assert len(rows) == 9
    assert sum(computed) == 6 * 101 + 121  # of the alternates each once, and of the reference
    assert [row["delta"] for row in rows[:3]] == [row["delta"] for row in rows[6:]]


def test_neither_threads_nor_chunks_change_anything(
    model: Path, genome_path: Path, sequences: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = sequences["chr1"]
    many = [
        Variant("chr1", start, text[start : start + size], ("ACG", "*", text[start]))
        for start, size in zip(range(5, 1000, 37), [1, 2, 40, 3] * 9, strict=False)
    ]
    whole = score(model, many, genome_path)
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 40)
    monkeypatch.setattr("saresnet_cli.variants.scores._CHUNKS_AT_ONCE", 2)
    monkeypatch.setattr("saresnet_cli.variants.scores._VARIANTS_AT_ONCE", 3)
    for threads in (1, 3):
        runtime = Runtime(engine="onnxruntime", device="cpu", threads=threads, batch_size=7)
        again = score(model, many, genome_path, runtime=runtime)
        assert [row["variant"] for row in again] == [row["variant"] for row in whole]
        assert [row["delta"] for row in again] == pytest.approx([row["delta"] for row in whole], abs=1e-5, nan_ok=True)
        assert [row["skipped"] for row in again] == [row["skipped"] for row in whole]


def test_leaving_early_stops_the_threads(model: Path, genome_path: Path, sequences: dict[str, str]) -> None:
    before = threading.active_count()
    change = Variant("chr1", 500, sequences["chr1"][500], ("*",))
    with score_variants(model, (change for _ in range(10**9)), genome_path, runtime=CPU) as blocks:
        block = next(iter(blocks))
    assert isinstance(block, VariantScores)
    assert threading.active_count() == before


def test_the_summary_counts(model: Path, genome_path: Path, sequences: dict[str, str]) -> None:
    text = sequences["chr1"]
    alts = tuple(base for base in "ACGT" if base != text[40])
    changes = [
        Variant("chr1", 40, text[40], (*alts, "<DEL>")),
        Variant("chr9", 1, "A", ("C",)),
        Variant("1", 1, "A", ()),
    ]
    with score_variants(model, changes, genome_path, runtime=CPU) as blocks:
        assert sum(len(block) for block in blocks) == 6
    summary = blocks.summary
    assert (summary.records, summary.alleles, summary.scored, summary.partial) == (3, 5, 3, 3)  # type: ignore[attr-defined]
    assert summary.windows == 3 * 2 * 41
    assert {key.split()[0]: count for key, count in summary.skipped.items()} == {
        "NO_ALT": 1,
        "SYMBOLIC": 1,
        "UNKNOWN_CONTIG": 1,
    }
    assert "3 records, 5 alternate alleles, 3 scored (3 on fewer windows), skipped: 1 NO_ALT" in str(summary)


def test_a_genome_without_any_of_the_sequences_is_an_error(model: Path, genome_path: Path) -> None:
    with pytest.raises(VariantError, match=r"none of its sequences \(7, 8\).*genome\.fa has chr1, chr2, tiny"):
        score(model, [Variant("7", 1, "A", ("C",)), Variant("8", 1, "A", ("C",))], genome_path)
    assert score(model, [], genome_path) == []


@pytest.mark.parametrize("options", [{"windows": "all"}, {"max_n": -1}])
def test_options_out_of_range_are_mistakes_of_the_caller(model: Path, genome_path: Path, options: dict) -> None:
    with pytest.raises(ValueError, match=r"windows|max_n"):
        score_variants(model, [], genome_path, **options)


def test_logits_are_those_of_a_scan(tmp_path: Path) -> None:
    """On real sequence with a shipped model: REF is the best window of a scan, ALT that of another."""
    sequence = "".join((ROOT / "examples" / "hg19.chr20.part.fa").read_text().split("\n")[1:])
    real = load_model("CTCF_GM12878")
    change = Variant("chr20_part", 30336, "G", ("A",))
    edited = sequence[:30336] + "A" + sequence[30337:]
    best, windows = [], []
    for name, text in (("reference", sequence), ("alternate", edited)):
        path = tmp_path / f"{name}.fa"
        path.write_text(f">chr20_part\n{text}\n")
        [block] = scan(real, path, [Region("chr20_part", 30336 - 100, 30336 + 101)], stride=1, runtime=CPU)
        assert len(block) == 101
        best.append(block.logit.max().item())
        windows.append(block.logit[:, 0].astype(float))
    [row] = score(real, [change], tmp_path / "reference.fa")  # type: ignore[arg-type]
    assert [row["ref"], row["alt"]] == pytest.approx(best, abs=1e-4)
    assert row["delta"] < -11
    change_of_each = windows[1] - windows[0]
    assert row["loss"] == pytest.approx(change_of_each.min(), abs=1e-4)
    assert row["loss_start"] == 30336 - 100 + int(change_of_each.argmin())
