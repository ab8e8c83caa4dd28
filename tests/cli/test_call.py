"""Called sites: merged, split and numbered as promised, the same from a genome and from its scan."""

from __future__ import annotations

import gzip
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli import Region, load_model
from saresnet_cli import pipeline as pipelines
from saresnet_cli.calling import Cutoff, call, call_scan, scored_windows
from saresnet_cli.calling.narrowpeak import narrowpeak_line
from saresnet_cli.calling.qvalues import PValueCounts, three_digits
from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.calling.sites import Found, Site, SiteFinder
from saresnet_cli.errors import ModelError, RegionError
from saresnet_cli.runtime import Runtime
from saresnet_cli.scanning import scan

Command = Callable[..., subprocess.CompletedProcess[str]]
CPU = Runtime(device="cpu", threads=1)
RULES = [Cutoff(), Cutoff(threshold=1.5), Cutoff(max_pvalue=0.2), Cutoff(max_qvalue=0.2)]


@pytest.fixture(scope="session")
def sequences(toy: SimpleNamespace) -> dict[str, str]:
    """A genome that holds windows the toy likes, more and less, at multiples of 420: of 7, 20 and 60."""
    rng = np.random.default_rng(11)
    like = [
        "ACGT"[int(np.argmax([toy.logit("N" * i + base + "N" * (100 - i)) for base in "ACGT"]))] for i in range(101)
    ]

    def bases(length: int, planted: dict[int, int]) -> str:
        letters = rng.choice(list("ACGT"), length)
        for start, count in planted.items():
            for i in rng.choice(101, count, replace=False).tolist():
                letters[start + i] = like[i]
        return "".join(letters)

    one = bases(6000, {420: 101, 840: 90, 1680: 70, 1740: 60, 2100: 50, 2940: 45, 4200: 40, 5460: 60})
    return {
        "chr1": one[:3200] + "N" * 300 + one[3500:],
        "chr2": bases(101, {0: 55}),
        "tiny": bases(60, {}),
        "chrM": bases(777, {420: 65}),
    }


def rows(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The sites of a command that went well."""
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]


# Windows to sites

Window = tuple[int, int, float]


def expected_sites(windows: list[Window], min_distance: int) -> list[tuple[int, int, int, float, float]]:
    """Find sites without the package, a window at a time: (sequence, start, end, logit, summit before rounding)."""
    runs: list[list[Window]] = []
    for window in windows:
        if runs and runs[-1][-1][0] == window[0] and window[1] < runs[-1][-1][1] + 101:
            runs[-1].append(window)
        else:
            runs.append([window])
    sites = []
    for run in runs:
        maxima = []
        i = 0
        while i < len(run):
            j = i
            while j + 1 < len(run) and run[j + 1][2] == run[i][2]:
                j += 1
            left = i == 0 or run[i - 1][2] < run[i][2]
            right = j + 1 == len(run) or run[j + 1][2] < run[i][2]
            if left and right:
                maxima.append((i + j) // 2)
            i = j + 1
        taken: list[int] = []
        for peak in sorted(maxima, key=lambda k: (-run[k][2], k)):
            if all(abs(run[peak][1] - run[other][1]) >= min_distance for other in taken):
                taken.append(peak)
        taken.sort()
        cuts = [-1]
        for a, b in pairwise(taken):
            # no window on either side of the cut may be above that side's best
            fair = [
                k
                for k in range(a + 1, b)
                if all(run[i][2] <= run[a][2] for i in range(a, k + 1))
                and all(run[i][2] <= run[b][2] for i in range(k, b))
            ]
            cuts.append(min(fair, key=lambda k: (run[k][2], k)))
        cuts.append(len(run))
        for k, peak in enumerate(taken):
            own = run[cuts[k] + 1 : cuts[k + 1]]
            assert max(window[2] for window in own) == run[peak][2]
            start = run[0][1] if k == 0 else run[cuts[k]][1] + 50
            end = run[-1][1] + 101 if k + 1 == len(taken) else run[cuts[k + 1]][1] + 50
            near = [(s, math.exp(logit - run[peak][2])) for _, s, logit in own if abs(s - run[peak][1]) < 101]
            summit = sum(s * odds for s, odds in near) / sum(odds for _, odds in near) + 50
            sites.append((run[0][0], start, end, run[peak][2], summit))
    return sites


@st.composite
def window_lists(draw: st.DrawFn) -> list[Window]:
    """Passing windows, dense and sparse, many of equal height, over a few sequences."""
    windows: list[Window] = []
    for sequence in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, 50))
        for step in draw(st.lists(st.sampled_from([1, 1, 3, 20, 50, 100, 101, 300]), max_size=25)):
            windows.append((sequence, start, draw(st.integers(0, 12)) / 4))
            start += step
    return windows


def columns(windows: list[Window]) -> ScoredWindows:
    sequence, start, logit = np.array(windows, dtype=np.float64).reshape(-1, 3).T
    zero = np.zeros(len(windows))
    return ScoredWindows(zero.astype(np.int64), sequence.astype(np.int64), start.astype(np.int64), logit, zero)


def find(windows: list[Window], min_distance: int = 101, batch: int = 1000) -> list[Found]:
    finder = SiteFinder(min_distance)
    found: list[Found] = []
    for begin in range(0, len(windows), batch):
        found += finder.add(columns(windows[begin : begin + batch]))
    return found + finder.finish()


@given(window_lists(), st.sampled_from([1, 30, 101, 250]), st.integers(1, 30))
def test_sites_are_those_of_a_plain_search(windows: list[Window], min_distance: int, batch: int) -> None:
    found = find(windows, min_distance, batch)
    wanted = expected_sites(windows, min_distance)
    assert [(site.sequence, site.start, site.end, site.logit) for site in found] == [site[:4] for site in wanted]
    for site, (*_, summit) in zip(found, wanted, strict=True):
        assert abs(site.summit - summit) <= 0.5 + 1e-6


@given(window_lists(), st.sampled_from([1, 30, 101, 250]))
def test_sites_are_apart_and_hold_their_summits(windows: list[Window], min_distance: int) -> None:
    found = find(windows, min_distance)
    for site in found:
        assert site.start <= site.summit < site.end
    for left, right in pairwise(found):
        assert left.sequence < right.sequence or left.end <= right.start
    for sequence, start, _ in windows:  # every window that passed is in a site, or lies across a cut
        assert any(s.sequence == sequence and s.start < start + 101 and start < s.end for s in found)


def test_close_maxima_are_one_site() -> None:
    heights = [(0, 0, 2.0), (0, 50, 1.0), (0, 100, 3.0), (0, 150, 2.5), (0, 200, 2.75)]
    bounds = {distance: [(site.start, site.end) for site in find(heights, distance)] for distance in (100, 101)}
    assert bounds == {100: [(0, 100), (100, 200), (200, 301)], 101: [(0, 301)]}
    # A window above a site's best, between it and a higher site, belongs to the higher one.
    heights = [(0, 0, 9.0), (0, 20, 4.0), (0, 60, 8.0), (0, 90, 5.0), (0, 130, 7.0)]
    assert [(site.start, site.end, site.logit) for site in find(heights)] == [(0, 140, 9.0), (140, 231, 7.0)]


def test_a_summit_is_where_the_odds_are() -> None:
    (site,) = find([(0, 20, 1.0), (0, 40, 1.0 + math.log(2)), (0, 60, 1.0 + math.log(2)), (0, 80, 1.0)])
    assert site.summit == 50 + 50  # (20 + 2 * 40 + 2 * 60 + 80) / 6
    (site,) = find([(0, 0, 1.0), (0, 100, 1.0 + math.log(3))])
    assert site.summit == 75 + 50
    (site,) = find([(0, 0, 2.0), (0, 99, 0.0), (0, 101, 0.0)])  # the last does not overlap the best
    assert site.summit == round(99 * math.exp(-2) / (1 + math.exp(-2))) + 50


# q-values


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=60), st.integers(1, 7))
def test_q_values_are_those_of_the_definition(pvalues: list[float], batch: int) -> None:
    counts = PValueCounts()
    for begin in range(0, len(pvalues), batch):
        counts.add(np.array(pvalues[begin : begin + batch]))
    values, qvalues = counts.qvalues()
    assert values.tolist() == sorted(set(pvalues))
    count = len(pvalues)
    for p, q in zip(values.tolist(), qvalues.tolist(), strict=True):
        ratios = [other * count / sum(x <= other for x in pvalues) for other in pvalues if other >= p]
        assert q == pytest.approx(min(1.0, *ratios), rel=1e-12)
        assert q >= p


def test_counting_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pvalues = three_digits(np.random.default_rng(2).beta(0.3, 1, 5000))
    whole, parts = PValueCounts(), PValueCounts()
    whole.add(pvalues)
    monkeypatch.setattr("saresnet_cli.calling.qvalues._HELD", 100)
    for part in np.array_split(pvalues, 77):
        parts.add(part)
    assert [column.tolist() for column in parts.qvalues()] == [column.tolist() for column in whole.qvalues()]


@given(st.lists(st.one_of(st.floats(1e-12, 1.0), st.integers(1, 99_999).map(lambda n: n / 1e5)), max_size=20))
def test_three_digits_are_what_is_printed(pvalues: list[float]) -> None:
    assert three_digits(np.array(pvalues)).tolist() == [float(f"{p:.3g}") for p in pvalues]


def test_halves_are_rounded_as_they_are_printed() -> None:
    halves = np.arange(1005, 10_000, 10) / np.array([[1e4], [1e6], [1e9]])  # 0.1005 is a little more than that
    for pvalues in halves:
        assert three_digits(pvalues).tolist() == [float(f"{p:.3g}") for p in pvalues.tolist()]


@given(st.floats(-60, 60, width=32))
def test_logits_count_as_they_are_printed(logit: float) -> None:
    rounded = np.round(np.array([logit], dtype=np.float32).astype(np.float64), 4)
    assert rounded.tolist() == [float(f"{logit:.4f}")]


# From a genome and from its scan


def sites_of(windows: list[tuple[str, int, float, float]], passes: Callable[[float, float], bool]) -> list[tuple]:
    """Sites of a scan, (chromosome, start, logit, p-value) a window, without the package."""
    chroms = list(dict.fromkeys(window[0] for window in windows))
    kept = [(chroms.index(c), start, logit) for c, start, logit, p in windows if passes(logit, p)]
    return [(chroms[sequence], start, end) for sequence, start, end, *_ in expected_sites(kept, 101)]


def printed_windows(model: Path, genome: Path, stride: int, regions: list[Region] | None = None) -> list[tuple]:
    with scan(model, genome, regions, stride=stride, runtime=CPU) as run:
        return [
            (chrom, start, float(f"{logit:.4f}"), float(f"{p:.3g}"))
            for b in run
            for chrom, start, logit, p in zip(
                b.chrom.tolist(), b.start.tolist(), b.logit[:, 0].tolist(), b.pvalue[:, 0].tolist(), strict=True
            )
        ]


def places(sites: list[Site]) -> list[tuple]:
    return [(site.chrom, site.start, site.end) for site in sites]


@pytest.mark.parametrize("stride", [7, 20, 60])
def test_a_genome_is_called_window_by_window(model: Path, genome: Path, stride: int) -> None:
    windows = printed_windows(model, genome, stride)
    shares = sorted(p for *_, p in windows)
    ratio = [p * len(shares) / (i + 1) for i, p in enumerate(shares)]
    limit = max((p for i, p in enumerate(shares) if min(ratio[i:]) <= 0.2), default=0.0)
    passes: list[Callable[[float, float], bool]] = [
        lambda logit, p: logit >= 0,  # the toy's card
        lambda logit, p: logit >= 1.5,
        lambda logit, p: p <= 0.2,
        lambda logit, p: p <= limit,
    ]
    for cutoff, passing in zip(RULES, passes, strict=True):
        run = call(model, genome, stride=stride, cutoff=cutoff, runtime=CPU)
        sites = list(run)
        assert places(sites) == sites_of(windows, passing)
        assert {(site.logit, site.pvalue) for site in sites} <= {(logit, p) for *_, logit, p in windows}
        assert run.summary.kept == len(sites)
        assert run.summary.windows == len(windows)
        assert [site.name for site in sites] == [f"TOY_CELL_{i + 1}" for i in range(len(sites))]
        assert all((site.qvalue is None) == (cutoff.max_qvalue is None) for site in sites)
        if cutoff.max_qvalue is not None:
            for site in sites:
                assert site.qvalue == pytest.approx(
                    min(r for p, r in zip(shares, ratio, strict=True) if p >= site.pvalue)
                )
                assert site.pvalue is not None and site.qvalue is not None
                assert site.pvalue <= site.qvalue <= 0.2
        assert len(sites) > 1


@pytest.mark.parametrize(
    "options", [[], ["--threshold", "1.5"], ["--max-pvalue", "0.2"], ["--max-qvalue", "0.2"], ["--min-distance", "40"]]
)
def test_a_scan_gives_the_bytes_of_its_genome(saresnet: Command, genome: Path, options: list[str]) -> None:
    models = ["--model", "MAX_K562", "--model", "CTCF_K562"]
    direct = saresnet("call", genome, *models, *options, "--device", "cpu")
    assert saresnet("scan", genome, *models, "--stride", 20, "--device", "cpu", "-o", "scan.bed.gz").returncode == 0
    again = saresnet("call", "--scan", "scan.bed.gz", *options)
    assert again.stdout == direct.stdout
    table = rows(direct)
    assert len(table) > 2
    assert len({tuple(row[:3]) for row in table}) * 2 == len(table)  # both are the same toy
    for id in ("MAX_K562", "CTCF_K562"):
        names = [row[3] for row in table if row[3].startswith(id)]
        assert names == [f"{id}_{i + 1}" for i in range(len(names))]
    text = gzip.decompress((genome.parent / "scan.bed.gz").read_bytes()).decode()
    piped = saresnet("call", "--scan", "-", *options, "--model", "MAX_K562", input=text)
    assert rows(piped) == [row for row in table if row[3].startswith("MAX_K562")]
    assert "model=CTCF_K562" not in piped.stdout
    bare = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    assert rows(saresnet("call", "--scan", "-", *options, input=bare)) == table


def test_the_columns_are_those_of_narrowpeak(saresnet: Command, genome: Path, sequences: dict[str, str]) -> None:
    done = saresnet("call", genome, "--model", "MAX_K562", "--max-qvalue", "0.3", "--device", "cpu")
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith("# saresnet 0") and first.endswith(" max_qvalue=0.3 min_distance=101")
    assert " model=MAX_K562 " in first and " stride=20 " in first
    assert second == "#chrom\tstart\tend\tname\tscore\tstrand\tsignalValue\tpValue\tqValue\tpeak"
    table = rows(done)
    assert table
    for chrom, start, end, _, score, strand, signal, pvalue, qvalue, peak in table:
        assert 0 <= int(start) < int(end) <= len(sequences[chrom])
        assert 0 <= int(peak) < int(end) - int(start)
        assert int(score) == round(1000 / (1 + math.exp(-float(signal))))
        assert strand == "."
        assert 0 <= float(qvalue) <= float(pvalue)


def test_what_is_not_known_is_minus_one() -> None:
    site = Site("chr1", 10, 111, "X_1", "X", 60, -0.25)
    assert narrowpeak_line(site) == b"chr1\t10\t111\tX_1\t438\t.\t-0.2500\t-1\t-1\t50\n"
    site = Site("chr1", 10, 111, "X_1", "X", 60, 900.0, 1.0, 0.05)
    assert narrowpeak_line(site) == b"chr1\t10\t111\tX_1\t1000\t.\t900.0000\t0.0000\t1.3010\t50\n"


def test_sites_come_while_the_scan_goes_on(model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "CHUNK_WINDOWS", 1)
    runtime = Runtime(device="cpu", threads=1, batch_size=1)
    total = len(printed_windows(model, genome, 20))
    with call(model, genome, runtime=runtime) as run:
        next(iter(run))
        assert run.summary.windows < total / 2


def test_a_site_comes_when_windows_have_gone_past_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", 1)
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0) + "".join(line("a", 101 + i, "-1.0") for i in range(500)))
    with call_scan(path, cutoff=Cutoff(threshold=0.0)) as run:
        next(iter(run))
        assert run.summary.windows < 10


def test_many_held_windows_go_to_a_file(model: Path, genome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cutoff = Cutoff(max_qvalue=0.2)
    wanted = list(call(model, genome, cutoff=cutoff, runtime=CPU))
    monkeypatch.setattr(scored_windows.Spool, "_IN_MEMORY", 100)
    monkeypatch.setattr(scored_windows.Spool, "_AT_ONCE", 3)
    assert list(call(model, genome, cutoff=cutoff, runtime=CPU)) == wanted
    assert wanted


def test_threads_do_not_show(model: Path, genome: Path) -> None:
    runs = [list(call(model, genome, runtime=Runtime(device="cpu", threads=n))) for n in (1, 3)]
    assert runs[0] == runs[1]


# Regions


def test_regions_are_sorted_and_joined(model: Path, genome: Path) -> None:
    jumbled = [
        Region("chrM", 300, 500),
        Region("chr1", 1600, 2200),
        Region("1", 100, 700),  # its other name
        Region("chr1", 650, 900),  # overlaps the one before
        Region("chr1", 900, 1000),  # and this touches
        Region("chr1", 2000, 2100),  # inside another
        Region("chrM", 0, 5),  # shorter than a window, as are the next two: all three give one and the same
        Region("chrM", 7, 9),
        Region("chrM", 11, 12),
        Region("chr1", 1600, 2200),  # again
    ]
    tidy = [
        Region("chrM", 0, 5),
        Region("chrM", 300, 500),
        Region("chr1", 100, 1000),
        Region("chr1", 1600, 2200),
    ]
    for cutoff in RULES:
        run = call(model, genome, jumbled, cutoff=cutoff, runtime=CPU)
        assert list(run) == list(call(model, genome, tidy, cutoff=cutoff, runtime=CPU))
    windows = printed_windows(model, genome, 20, tidy)
    assert places(list(call(model, genome, jumbled, runtime=CPU))) == sites_of(windows, lambda logit, p: logit >= 0)


def test_a_region_outside_the_genome_is_named_before_anything_is_computed(
    saresnet: Command, genome: Path, tmp_path: Path
) -> None:
    (tmp_path / "r.bed").write_text("chr1\t0\t900\nchr1\t10\t7000\n")
    done = saresnet("call", genome, "r.bed", "--model", "MAX_K562", "--device", "cpu", "-o", "sites.narrowPeak")
    assert (done.returncode, done.stdout) == (1, "")
    assert "saresnet: error: r.bed:2: end 7000 is beyond the end of chr1, which has 6000 bp" in done.stderr
    assert not list(tmp_path.glob("*narrowPeak*"))
    done = saresnet("call", genome, "-", "--model", "MAX_K562", "--device", "cpu", input="# none\n")
    assert rows(done) == []
    assert "standard input holds no regions" in done.stderr


# Bad input


HEAD = "# saresnet 0.1.0 model=TOY_CELL sha256=abc\n#chrom\tstart\tend\tname\tscore\tstrand\tlogit\tpvalue\n"


def line(chrom: str, start: int, logit: str = "1.0", pvalue: str = "0.01", name: str = "TOY_CELL") -> str:
    return f"{chrom}\t{start}\t{start + 101}\t{name}\t0.7\t.\t{logit}\t{pvalue}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("a", 5) + line("a", 4), "4: start 4 is below the one before"),
        (line("a", 5) + line("a", 6) + line("a", 4), "5: start 4 is below the one before"),
        (line("a", 5) + line("b", 5) + "\n# comment\n" + line("a", 500), "7: a comes again after b"),
        (line("a", 5) + "a\t6\t107\tTOY_CELL\n", "4: is not a row of a scan"),
        (line("a", 5) + "a\t6\t100\tTOY_CELL\t0\t.\t1\t0.5\n", "4: is not a row of a scan"),
        (line("a", 5, "high"), "3: is not a row of a scan"),
        (line("a", 5, "nan"), "3: is not a row of a scan"),
        (line("a", 5) + line("a", 6, "1", "nan") + line("a", 7), "4: is not a row of a scan"),
        (line("a", 5, "1", "0"), "3: is not a row of a scan"),
        (line("a", -5), "3: is not a row of a scan"),
        ("name\tmodel\tlength\n", "3: is not a row of a scan"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_a_row_that_is_not_of_a_sorted_scan_is_named(
    text: str, message: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + text)
    with pytest.raises(RegionError) as caught:
        list(call_scan(path, cutoff=Cutoff(threshold=0.0)))
    assert str(caught.value).startswith(f"{path}:{message}")


def test_windows_that_come_twice_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [0.9, 0.01, 0.02, 0.6, 0.7]
    once = [line("a", 200 * i, "1.0", str(p)) for i, p in enumerate(shares)]
    path = tmp_path / "scan.bed"
    for at_once in (1, 1 << 22):
        monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
        found = []
        for text in ("".join(once), "".join(once[:2] + [once[1]] * 3 + once[2:])):
            path.write_text(HEAD + text)
            run = call_scan(path, cutoff=Cutoff(max_qvalue=0.1))
            found.append((list(run), run.summary.windows))
        assert found[0] == found[1]
        assert [site.qvalue for site in found[0][0]] == pytest.approx([0.05, 0.05])


def test_windows_just_at_a_q_value_pass(tmp_path: Path) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + "".join(line("a", 200 * i, "1.0", p) for i, p in enumerate(["0.15", "0.9", "0.15", "0.15"])))
    assert len(list(call_scan(path, cutoff=Cutoff(max_qvalue=0.2)))) == 3


@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_several_models_come_in_one_order(at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saresnet_cli.calling.scan_file._BYTES_AT_ONCE", at_once)
    text = line("a", 0, name="A") + line("a", 0, name="B") + line("a", 60, name="A") + line("a", 120, name="B")
    text += line("a", 150, name="A") + line("b", 0, name="B") + line("b", 10, "-5", name="A")
    text += line("b", 300, name="C")
    path = tmp_path / "scan.bed"
    path.write_text(text)
    sites = list(call_scan(path, cutoff=Cutoff(threshold=0.0)))
    assert [(s.chrom, s.start, s.end, s.name) for s in sites] == [
        ("a", 0, 251, "A_1"),
        ("a", 0, 101, "B_1"),
        ("a", 120, 221, "B_2"),
        ("b", 0, 101, "B_3"),
        ("b", 300, 401, "C_1"),
    ]


def test_the_lowest_q_value_is_said_where_none_passes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0) + line("a", 300, "1.0", "0.9"))
    with caplog.at_level("WARNING", "saresnet"):
        assert list(call_scan(path, cutoff=Cutoff(max_qvalue=0.005))) == []
    assert caplog.messages == ["TOY_CELL: no q-value is at most 0.005, the lowest is 0.02"]


def test_q_values_need_every_window(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD.replace("=abc", "=abc kept=pvalue<=0.1") + line("a", 0) + line("a", 300))
    with pytest.raises(RegionError, match=r"it holds only rows with pvalue<=0.1, and .*; scan without --max-pvalue"):
        list(call_scan(path, cutoff=Cutoff(max_qvalue=0.5)))
    path.write_text(HEAD + line("a", 0) + line("a", 300))
    with caplog.at_level("WARNING", "saresnet"):
        assert len(list(call_scan(path, cutoff=Cutoff(max_qvalue=0.5)))) == 2
    (said,) = caplog.messages
    assert "no p-value of TOY_CELL is above 0.5: if rows were taken out" in said


def test_a_filtered_scan_says_so(model: Path, example_genome: Path, saresnet: Command) -> None:
    scanned = saresnet("scan", example_genome, "--model", model, "--min-score", 0.5, "--max-pvalue", 0.25)
    assert scanned.stdout.splitlines()[0].endswith(" kept=score>=0.5,pvalue<=0.25")
    done = saresnet("call", "--scan", "-", "--max-qvalue", 0.5, input=scanned.stdout)
    assert done.returncode == 1
    assert "it holds only rows with score>=0.5,pvalue<=0.25" in done.stderr


def test_a_scan_without_p_values(tmp_path: Path) -> None:
    path = tmp_path / "scan.bed"
    path.write_text(HEAD + line("a", 0, "2.0", "."))
    (site,) = call_scan(path, cutoff=Cutoff(threshold=0.0))
    assert site.pvalue is None
    for cutoff in (Cutoff(max_pvalue=0.1), Cutoff(max_qvalue=0.1)):
        with pytest.raises(RegionError, match="no p-values; use --threshold"):
            list(call_scan(path, cutoff=cutoff))


def test_a_model_without_a_background(genome: Path, tmp_path: Path, toy: SimpleNamespace) -> None:
    bare = load_model(toy.model(tmp_path / "bare.onnx", toy.card(background=False)))
    assert all(site.pvalue is None for site in call(bare, genome, runtime=CPU))
    for cutoff in (Cutoff(max_pvalue=0.1), Cutoff(max_qvalue=0.1)):
        with pytest.raises(ModelError, match="no background, so no p-values; use --threshold"):
            call(bare, genome, cutoff=cutoff)


def test_a_threshold_is_that_of_the_model_that_scanned(saresnet: Command, model: Path, genome: Path) -> None:
    done = saresnet("scan", genome, "--model", model, "--device", "cpu", "-o", "scan.bed")
    assert done.returncode == 0
    done = saresnet("call", "--scan", "scan.bed")
    assert done.returncode == 1
    assert "error: no model 'TOY_CELL'" in done.stderr and "--threshold" in done.stderr
    assert rows(saresnet("call", "--scan", "scan.bed", "--model", model))
    done = saresnet("call", "--scan", "scan.bed", "--model", "MAX_K562")
    assert (done.returncode, done.stdout) == (1, "")
    assert "scan.bed: holds no scores by MAX_K562; it has TOY_CELL" in done.stderr
    text = (genome.parent / "scan.bed").read_text()
    other = text.replace("sha256=", "sha256=0")
    done = saresnet("call", "--scan", "-", "--model", model, input=other)
    assert done.returncode == 1
    assert "is not the TOY_CELL that made the scan" in done.stderr
    assert rows(saresnet("call", "--scan", "-", "--threshold", "0", input=other))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tf", "CTCF"], "GENOME.fa or --scan"),
        (["g.fa", "--scan", "s.bed"], "GENOME.fa or --scan"),
        (["g.fa"], "Say which model"),
        (["g.fa", "--model", "x", "--max-pvalue", "0.1", "--threshold", "0"], "one of"),
        (["g.fa", "--model", "x", "--max-qvalue", "0"], "--max-qvalue"),
        (["--scan", "s.bed", "--stride", "20"], "--stride"),
        (["--scan", "s.bed", "--batch-size", "8"], "--batch-size"),
    ],
)
def test_mistakes_of_usage(saresnet: Command, arguments: list[str], message: str) -> None:
    done = saresnet("call", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


def test_mistakes_of_the_caller(model: Path, genome: Path) -> None:
    for options in ({"threshold": 0.0, "max_pvalue": 0.1}, {"max_pvalue": 0.0}, {"max_qvalue": 1.5}):
        with pytest.raises(ValueError, match=r"threshold|max_"):
            Cutoff(**options)
    with pytest.raises(ValueError, match="min_distance"):
        call(model, genome, min_distance=0)


def test_a_damaged_scan_leaves_no_file(saresnet: Command, tmp_path: Path) -> None:
    packed = gzip.compress((HEAD + "".join(line("a", 200 * i) for i in range(5000))).encode())
    (tmp_path / "scan.bed.gz").write_bytes(packed[: len(packed) // 2])
    done = saresnet("call", "--scan", "scan.bed.gz", "--threshold", "0", "-o", "sites.narrowPeak")
    assert done.returncode == 1
    assert "scan.bed.gz: its compressed data is damaged" in done.stderr
    assert not list(tmp_path.glob("*narrowPeak*"))


# Other programs, and real sequence


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")
def test_bedtools_reads_sites_and_finds_them_sorted(saresnet: Command, genome: Path, tmp_path: Path) -> None:
    done = saresnet("call", genome, "--model", "MAX_K562", "--device", "cpu", "-o", "sites.narrowPeak")
    assert done.returncode == 0

    def bedtools(*arguments: str) -> list[str]:
        command = ["bedtools", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert not ran.stderr
        return ran.stdout.splitlines()

    sites = [text for text in (tmp_path / "sites.narrowPeak").read_text().splitlines() if not text.startswith("#")]
    assert len(sites) > 3
    assert bedtools("sort", "-i", "sites.narrowPeak") == sites
    assert len(bedtools("merge", "-d", "-1", "-i", "sites.narrowPeak")) == len(sites)  # none overlap
    assert bedtools("intersect", "-u", "-a", "sites.narrowPeak", "-b", "sites.narrowPeak") == sites


def test_sites_on_real_sequence_are_the_peaks(example_genome: Path, example_peaks: Path) -> None:
    peaks = [tuple(map(int, text.split("\t")[1:3])) for text in example_peaks.read_text().splitlines()]
    sites = list(call("CTCF_GM12878", example_genome, cutoff=Cutoff(max_pvalue=1e-4), stride=50, runtime=CPU))
    assert len(sites) >= 4
    for site in sites:
        assert any(start <= site.summit < end for start, end in peaks), site


def test_the_figures_in_the_documentation_are_the_measured_ones() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs/howto"
    table = [row.split("\t") for row in (docs / "call_chr20.tsv").read_text().splitlines() if not row.startswith("#")]
    measured = {(r[2], r[3]): r for r in table if r[0] == "CTCF_GM12878"}
    shown = re.findall(
        r"^\| ([^|]+) \| ([\d,]+) \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \| (0\.\d+) \|$",
        (docs / "call.md").read_text(),
        re.M,
    )
    assert len(shown) == 7
    for words, sites, *figures in shown:
        count = sites.replace(",", "")
        option = re.sub(r"`--max-(.)value (.*)`", r"\1 \2", words)
        ours = measured["CTCF_GM12878", f"best {count}" if "best" in words else option]
        pwm = measured["MA0139.1", f"best {count}"]
        assert ours[4] == pwm[4] == count
        shares = [(row[5], row[4], row[7], row[1]) for row in (ours, pwm)]  # right / sites, found / peaks
        assert figures == [f"{int(a) / int(b):.3f}" for row in shares for a, b in (row[:2], row[2:])]
