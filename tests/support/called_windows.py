"""Windows and the sites that a plain search finds in them."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from saresnet_cli import Region
from saresnet_cli.calling import Cutoff
from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.calling.sites import Found, Site, SiteFinder
from saresnet_cli.runtime import Runtime
from saresnet_cli.scanning import scan

CPU = Runtime(device="cpu", threads=1)
RULES = [Cutoff(), Cutoff(threshold=1.5), Cutoff(max_pvalue=0.2), Cutoff(max_qvalue=0.2)]


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


# Bad input


HEAD = "# saresnet 0.1.0 model=TOY_CELL sha256=abc\n#chrom\tstart\tend\tname\tscore\tstrand\tlogit\tpvalue\n"


def line(chrom: str, start: int, logit: str = "1.0", pvalue: str = "0.01", name: str = "TOY_CELL") -> str:
    return f"{chrom}\t{start}\t{start + 101}\t{name}\t0.7\t.\t{logit}\t{pvalue}\n"
