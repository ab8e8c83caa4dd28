"""gkm-SVM: a support vector machine on gapped k-mers (Ghandi et al. 2014 and 2016; LS-GKM, Lee 2016).

The kernel of two windows is the sum, over the pairs of their l-mers on both strands, of a weight h(m) of the number m
of mismatches, divided by the norms of the windows. h is that of LS-GKM's default kernel (`-t 2`, estimated l-mers with
the truncated filter), which is the kernel of the R package gkmSVM as well; it is asked of gkmsvm-lite. LIBSVM solves
for the support vectors, as it does in LS-GKM.

Two rearrangements make it fast, and change nothing but rounding: h is zero beyond d mismatches, so a window is spread
over the neighbours of its l-mers once and looked up by all others; and since the kernel is a sum over l-mers, all
support vectors together are one table with a weight for each of the 4^l l-mers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np

from saresnet_cli.errors import SaresnetError
from saresnet_train.benchmark.task import Outcome, Task
from saresnet_train.codes import OTHER, reverse_complement
from saresnet_train.metrics import auroc
from saresnet_train.negatives import shuffle_dinucleotides

MOST = 5000
"""Positives to train on at most, and as many negatives: the whole kernel matrix is computed (Zeng 2016, Shen 2021)."""

KERNELS = {"LS-GKM": (11, 7, 3), "gkmSVM": (10, 6, 3)}
"""l, k and d by default, of LS-GKM 0.1 and of the R package, which Shen et al. used."""

PENALTIES = (1.0, 0.1, 10.0)
"""C: 1 is the default of both programs, and comes first, so that it wins where the others are no better."""

TOLERANCE = 1e-3
"""Stopping tolerance of LIBSVM in both programs."""

BLOCK = 4096
"""Windows scored at a time, which bounds memory."""

LOW = 8
"""Bases of an l-mer within one part of the table of neighbours, so that a part stays in the processor's cache."""


def train(task: Task) -> Outcome:
    """Train a gkm-SVM at the defaults of both published programs and three penalties; the validation chooses.

    The value is the decision value of the SVM, bound above 0. Raises SaresnetError when gkmsvm-lite is missing.
    """
    rng = np.random.default_rng((task.seed, 21))
    positives = task.positives[np.sort(rng.permutation(len(task.positives))[:MOST])]
    windows = np.concatenate([positives, shuffle_dinucleotides(positives, (task.seed, 22))])
    labels = np.repeat(np.array([1, -1]), len(positives))
    codes, truth = task.validation
    tried: list[tuple[dict[str, Any], Machine]] = []
    for program, shape in KERNELS.items():
        kernel = Kernel(*shape)
        gram = kernel.gram(windows)
        for penalty in PENALTIES:
            machine = solve(kernel, gram, windows, labels, penalty)
            area = round(auroc(truth, machine.decide(codes)), 4)
            settings = {"program": program, "l": kernel.l, "k": kernel.k, "d": kernel.d, "C": penalty, "auroc": area}
            tried.append((settings, machine))
        del gram
    settings, machine = max(tried, key=lambda trial: trial[0]["auroc"])
    chosen = {
        **settings, "kernel": "estimated l-mers, truncated filter", "training": len(windows),
        "support_vectors": machine.support, "searched": [trial[0] for trial in tried],
        "budget": f"{len(tried)} trainings",
    }  # fmt: skip
    return Outcome(machine.decide, machine.support + 1, chosen, calibrated=False, symmetric=True)


@dataclass(frozen=True)
class Machine:
    """A trained SVM. weights: (4^l,) float32, of each l-mer; bias: added; support: number of support vectors."""

    kernel: Kernel
    weights: np.ndarray
    bias: float
    support: int

    def decide(self, codes: np.ndarray) -> np.ndarray:
        """Return decision values: (n, length) uint8 codes -> (n,) float32, NaN for a window without one l-mer of ACGT.

        An l-mer with another letter counts for nothing, in the sum and in the norm.
        """
        values = np.empty(len(codes), np.float32)
        for at in range(0, len(codes), BLOCK):
            words = self.kernel.words(codes[at : at + BLOCK])
            norms = self.kernel.norms(words)
            sums = np.where(words[0] >= 0, self.weights[words[0]], 0).sum(axis=1, dtype=np.float64)
            with np.errstate(invalid="ignore"):
                values[at : at + BLOCK] = sums / norms + self.bias
        return values


def solve(kernel: Kernel, gram: np.ndarray, windows: np.ndarray, labels: np.ndarray, penalty: float) -> Machine:
    """Train on a kernel matrix: (n, n) float64, of windows, (n, length) codes, with labels, (n,) 1 or -1."""
    from sklearn.svm import SVC

    fitted = SVC(C=penalty, kernel="precomputed", tol=TOLERANCE, shrinking=False, cache_size=500).fit(gram, labels)
    weights = kernel.table(windows[fitted.support_], fitted.dual_coef_[0])
    return Machine(kernel, weights, float(fitted.intercept_[0]), len(fitted.support_))


class Kernel:
    """The gapped k-mer kernel of windows of one length, both strands, normalised.

    l: length of a word; k: informative positions in it; d: mismatches at most. weights: (d + 1,) float64, h by the
    number of mismatches. Raises SaresnetError when gkmsvm-lite is missing.
    """

    def __init__(self, l: int, k: int, d: int) -> None:  # noqa: E741  (the letter of the papers)
        self.l, self.k, self.d = l, k, d
        self.weights = mismatch_weights(l, k, d)
        differences = [
            (sum(digit << 2 * place for place, digit in zip(places, digits, strict=True)), mismatches)
            for mismatches in range(d + 1)
            for places in combinations(range(l), mismatches)
            for digits in product((1, 2, 3), repeat=mismatches)
        ]
        code, mismatches = np.array(sorted(differences)).T
        low = min(LOW, l)
        self._shift = 2 * low
        self._spread = self.weights[mismatches].astype(np.float32)
        self._low = (code & ((1 << self._shift) - 1)).astype(np.int32)
        self._first = np.searchsorted(code >> self._shift, np.arange(4 ** (l - low) + 1)).astype(np.int64)

    def words(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the l-mers of windows and of their other strands, as numbers, -1 with a letter other than ACGT.

        codes: (n, length) uint8 -> two of (n, length - l + 1) int32.
        """
        return self._words(codes), self._words(reverse_complement(codes))

    def _words(self, codes: np.ndarray) -> np.ndarray:
        count = codes.shape[1] - self.l + 1
        word, other = np.zeros((len(codes), count), np.int32), np.zeros((len(codes), count), bool)
        for place in range(self.l):
            base = codes[:, place : place + count]
            word = word << 2 | (base & 3)
            other |= base >= OTHER
        word[other] = -1
        return word

    def norms(self, words: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the root of the kernel of each window with itself, (n,) float64, from its words of both strands."""
        return np.sqrt(compiled(self_kernel)(*words, self.weights))

    def gram(self, windows: np.ndarray) -> np.ndarray:
        """Return the kernel matrix: (n, length) uint8 codes -> (n, n) float64, diagonal 1.

        A window without an l-mer of ACGT has NaN.
        """
        words = self.words(windows)
        norms = self.norms(words)
        every = np.concatenate(words, axis=1)
        row, column = np.nonzero(every >= 0)
        found = every[row, column]
        part = found >> self._shift
        order = np.argsort(part, kind="stable")  # by part of the table, and in it by window
        parts = len(self._first) - 1
        edges = np.searchsorted(part[order], np.arange(parts + 1)).astype(np.int64)
        low = (found[order] & ((1 << self._shift) - 1)).astype(np.int32)
        sums = np.zeros((len(windows), len(windows)), np.float32)
        compiled(add_neighbours)(
            words[0], row[order].astype(np.int32), low, edges, self._first, self._low, self._spread, self._shift, sums
        )
        gram = sums.astype(np.float64)
        gram /= norms
        gram /= norms[:, None]
        return gram

    def table(self, windows: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Return the weight of each l-mer in the sum over windows with coefficients: (4^l,) float32.

        windows: (n, length) uint8 codes; coefficients: (n,) float64, to be divided by the norms of the windows.
        """
        words = self.words(windows)
        share = np.repeat((coefficients / self.norms(words))[:, None], 2 * words[0].shape[1], axis=1)
        every = np.concatenate(words, axis=1)
        sums = np.zeros((self.d + 1, 4**self.l))
        sums[0] = np.bincount(every[every >= 0], share[every >= 0], 4**self.l)
        for place in range(self.l):  # sums[m]: of the l-mers with m mismatches in the places so far
            view = sums.reshape(self.d + 1, -1, 4, 4**place)
            others = view[:-1].sum(axis=2, keepdims=True) - view[:-1]
            view[1:] += others
        return (self.weights @ sums).astype(np.float32)


def mismatch_weights(l: int, k: int, d: int) -> np.ndarray:  # noqa: E741
    """Return the weight of two l-mers by their mismatches: (d + 1,) float64, from 0 to d, as gkmsvm-lite has it."""
    try:
        from gkmsvm.kernels import EstTruncGkmKernel
    except ModuleNotFoundError as error:
        raise SaresnetError(
            "gkm-SVM needs gkmsvm-lite, which is not installed", cure="pip install 'saresnet[benchmark]'"
        ) from error
    words = np.tril(np.ones((d + 1, l), np.int64), -1)  # one of A alone, then with 1, 2, ... of C
    letters = np.eye(4)[words].transpose(0, 2, 1)
    kernel = EstTruncGkmKernel(l, k, d=d, normalize=False, include_rc=False)
    return kernel.pairwise(letters[:1], letters)[0]


@cache
def compiled(function: Callable) -> Callable:
    """Compile a function below for this machine, once."""
    import numba

    return numba.njit(cache=True, nogil=True)(function)


def self_kernel(forward: np.ndarray, backward: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the kernel of each window with itself before the root: its words of both strands -> (n,) float64."""
    own = np.zeros(len(forward))
    for row in range(len(forward)):
        counts = np.zeros(33, np.int64)
        for word in forward[row]:
            if word < 0:
                continue
            for strand in (forward, backward):
                for other in strand[row]:
                    if other >= 0:
                        difference = word ^ other
                        places = (difference | difference >> 1) & 0x55555555
                        mismatches = 0
                        while places:
                            places &= places - 1
                            mismatches += 1
                        counts[mismatches] += 1
        for mismatches in range(len(weights)):
            own[row] += counts[mismatches] * weights[mismatches]
    return own


def add_neighbours(
    words: np.ndarray,
    row: np.ndarray,
    low: np.ndarray,
    edges: np.ndarray,
    first: np.ndarray,
    neighbour: np.ndarray,
    spread: np.ndarray,
    shift: int,
    sums: np.ndarray,
) -> None:
    """Add up the weights of all pairs of words: sums, (n, n) float32, zero before.

    words: (n, count) of one strand. row, low: of the words of both strands by part of the table (the first bases) and
    window, their window and their last bases; edges: where each part begins. neighbour, spread: last bases and weights
    of the differences that count, by the difference of the first bases; first: where each of these begins.
    """
    table = np.zeros(1 << shift, np.float32)
    for part in range(len(edges) - 1):
        at = edges[part]
        for window in range(len(words)):
            while at < edges[part + 1] and row[at] < window:
                at += 1
            table[:] = 0
            for word in words[window]:
                if word >= 0:
                    group = (word >> shift) ^ part
                    last = word & ((1 << shift) - 1)
                    for step in range(first[group], first[group + 1]):
                        table[last ^ neighbour[step]] += spread[step]
            for entry in range(at, edges[part + 1]):
                sums[window, row[entry]] += table[low[entry]]
    for window in range(len(sums)):
        for other in range(window):
            sums[window, other] = sums[other, window]
