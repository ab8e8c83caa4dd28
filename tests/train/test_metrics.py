"""Metrics against their definitions, counted window by window."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saresnet_train.data import DataError
from saresnet_train.genomic import label_windows
from saresnet_train.metrics import measure

scored = st.lists(st.tuples(st.booleans(), st.integers(-20, 20)), min_size=2, max_size=60)


@given(scored)
def test_metrics_are_their_definitions(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([label for label, _ in rows])
    logits = np.array([logit / 4 for _, logit in rows])
    figures = measure(labels, logits)
    right = sum(label and logit > 0 for label, logit in zip(labels, logits, strict=True))
    called = sum(logits > 0)
    assert figures["accuracy"] == pytest.approx(np.mean((logits > 0) == labels))
    assert figures["precision"] == pytest.approx(right / called if called else math.nan, nan_ok=True)
    assert figures["recall"] == pytest.approx(right / labels.sum() if labels.any() else math.nan, nan_ok=True)
    harmonic = 2 * right / (called + labels.sum()) if right else math.nan
    assert figures["f1"] == pytest.approx(harmonic, nan_ok=True)
    likelihood = [1 / (1 + math.exp(-x if y else x)) for y, x in zip(labels, logits, strict=True)]
    assert figures["loss"] == pytest.approx(-np.mean(np.log(likelihood)))
    pairs = [(p > n) + (p == n) / 2 for p in logits[labels] for n in logits[~labels]]
    assert figures["auroc"] == pytest.approx(np.mean(pairs) if pairs else math.nan, nan_ok=True)
    if pairs:
        area, before = 0.0, 0.0
        for cut in sorted(set(logits), reverse=True):
            hit = (labels & (logits >= cut)).sum()
            area += (hit / labels.sum() - before) * hit / (logits >= cut).sum()
            before = hit / labels.sum()
        assert figures["auprc"] == pytest.approx(area)


def test_what_is_not_a_number_is_no_score() -> None:
    with pytest.raises(ValueError, match="not a number"):
        measure(np.array([1, 0]), np.array([0.5, math.nan]))


def test_windows_of_a_genome_are_labelled_by_summits(example_genome, tmp_path) -> None:
    text = "".join(example_genome.read_text().split("\n")[1:])
    genome = tmp_path / "g.fa"
    genome.write_text(f">20\n{text[:2500]}N{text[2501:5000]}\n>21\n{text[:3000]}\n")
    peaks = tmp_path / "p.narrowPeak"
    peaks.write_text("chr20\t1000\t1300\t.\t0\t.\t1\t-1\t-1\t40\nchr20\t4000\t4101\n")
    (windows,) = label_windows(genome, peaks, stride=7)
    expected, left_out, without = [], 0, 0
    for start in range(0, 5000 - 100, 7):
        bound = any(start + 10 <= summit < start + 91 for summit in (1040, 4050))
        touches = (start < 1300 and start + 101 > 1000) or (start < 4101 and start + 101 > 4000)
        if start <= 2500 < start + 101:
            without += 1
        elif bound or not touches:
            expected.append((start, int(bound)))
        else:
            left_out += 1
    assert list(zip(windows.start.tolist(), windows.labels.tolist(), strict=True)) == expected
    assert (windows.left_out, windows.without_bases) == (left_out, without)
    assert windows.chrom == "20"
    (part,) = label_windows(genome, peaks, stride=7, only=(("20", 900, 2000),))
    inside = [(s, y) for s, y in expected if s >= 900 and s + 101 <= 2000]
    assert list(zip(part.start.tolist(), part.labels.tolist(), strict=True)) == inside


@pytest.fixture(scope="module")
def peaks_on_a_genome(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(3)
    genome, peaks = folder / "g.fa", folder / "p.bed"
    genome.write_text("".join(f">chr{name}\n{''.join(rng.choice(list('ACGT'), 1000))}\n" for name in "12"))
    peaks.write_text("chr1\t300\t330\nchr2\t500\t650\n")
    return genome, peaks


parts = st.lists(
    st.tuples(st.sampled_from(["chr1", "1", "chr2"]), st.integers(0, 999), st.integers(1, 600)).map(
        lambda part: (part[0], part[1], part[1] + part[2])
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(parts)
def test_the_windows_of_parts_are_those_of_their_union(peaks_on_a_genome, parts) -> None:
    genome, peaks = peaks_on_a_genome
    bases = {(f"chr{name[-1]}", at) for name, low, high in parts for at in range(low, min(high, 1000))}
    expected = [
        (name, start)
        for name in ("chr1", "chr2")
        for start in range(0, 900, 10)
        if all((name, at) in bases for at in range(start, start + 101))
    ]
    found, left_out = [], 0
    try:
        for part in label_windows(genome, peaks, stride=10, only=tuple(parts)):
            found += [(part.chrom, start) for start in part.start.tolist()]
            left_out += part.left_out
    except DataError:  # no part is as long as a window
        pass
    assert len(found) + left_out == len(expected)
    assert len(set(found)) == len(found)
    assert set(found) <= set(expected)
