"""The gkm-SVM: its kernel against gapped k-mers that are counted, and against gkmsvm-lite; its table; its training."""

import json
import os
import sys
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gkmsvm_lite = pytest.importorskip("gkmsvm")

from saresnet_cli.errors import SaresnetError  # noqa: E402
from saresnet_train.baselines import gkmsvm  # noqa: E402
from saresnet_train.benchmark.task import Task  # noqa: E402
from saresnet_train.codes import OTHER, reverse_complement  # noqa: E402
from saresnet_train.data import find_set  # noqa: E402
from saresnet_train.negatives import shuffle_dinucleotides  # noqa: E402

DATA = Path(os.environ.get("SARESNET_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def letters(codes: np.ndarray) -> np.ndarray:
    """The input of gkmsvm-lite: (n, length) -> (n, 4, length) float64."""
    return np.eye(4)[codes].transpose(0, 2, 1)


def counted_kernel(windows: np.ndarray, l: int, k: int, d: int) -> np.ndarray:  # noqa: E741
    """The kernel by its definition (Ghandi 2014), from counts of gapped k-mers alone.

    The l-mers of a window are estimated from its gapped k-mers, as the counts of least norm that explain them; an
    l-mer that lies so far off that its estimate would be negative gets none (the truncated filter).
    """
    words = np.array(list(product(range(4), repeat=l)))
    gapped = [places + tuple(bases) for places in combinations(range(l), k) for bases in product(range(4), repeat=k)]
    holds = np.array([(words[:, g[:k]] == g[k:]).all(axis=1) for g in gapped], float)  # gapped k-mers by l-mers
    estimate = np.linalg.pinv(holds, rcond=1e-9) @ holds
    apart = (words[:, None] != words).sum(axis=2)
    by_mismatches = np.array([estimate[apart == m].mean() for m in range(l + 1)])
    negative = np.flatnonzero(by_mismatches <= 1e-12)
    estimate[apart >= (negative[0] if len(negative) else l + 1)] = 0
    weight = estimate @ estimate * (apart <= d)
    counts = np.zeros((len(windows), len(words)))
    for row, window in enumerate(windows):
        for strand in (window, reverse_complement(window)):
            for at in range(len(window) - l + 1):
                counts[row, int("".join(map(str, strand[at : at + l])), 4)] += 1
    kernel = counts @ weight @ counts.T
    norm = np.sqrt(np.diag(kernel))
    return kernel / norm / norm[:, None]


@pytest.fixture(scope="module")
def kernel() -> gkmsvm.Kernel:
    return gkmsvm.Kernel(11, 7, 3)


@pytest.fixture(scope="module")
def batf(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """BATF in GM12878: 120 windows to train on."""
    if not (DATA / "manifest.tsv").exists():
        pytest.skip(f"no data in {DATA}")
    folder = tmp_path_factory.mktemp("batf")
    task = Task.of(find_set(DATA, "gm12878/BATF_GM12878"), 1, torch.device("cpu"), 1, folder, folder)
    return replace(task, positives=task.positives[:120])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short l-mers, and two penalties: quick."""
    monkeypatch.setattr(gkmsvm, "KERNELS", {"short": (8, 5, 3)})
    monkeypatch.setattr(gkmsvm, "PENALTIES", (0.01, 1.0))


@pytest.mark.parametrize(("l", "k", "d", "low"), [(4, 2, 4, 8), (4, 2, 1, 2), (5, 3, 3, 3), (5, 3, 2, 1)])
def test_kernel_is_that_of_counted_gapped_kmers(
    l: int,  # noqa: E741
    k: int,
    d: int,
    low: int,
    real_windows: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gkmsvm, "LOW", low)
    windows = real_windows[:12, :30]
    gram = gkmsvm.Kernel(l, k, d).gram(windows)
    np.testing.assert_allclose(gram, counted_kernel(windows, l, k, d), atol=1e-5)


@pytest.mark.parametrize(("l", "k", "d"), gkmsvm.KERNELS.values())
def test_kernel_is_that_of_gkmsvm_lite(l: int, k: int, d: int, real_windows: np.ndarray) -> None:  # noqa: E741
    from gkmsvm.kernels import EstTruncGkmKernel

    windows = np.concatenate([real_windows[100:112], reverse_complement(real_windows[100:104])])
    gram = gkmsvm.Kernel(l, k, d).gram(windows)
    np.testing.assert_allclose(gram, EstTruncGkmKernel(l, k, d=d).pairwise(*[letters(windows)] * 2), atol=1e-5)
    np.testing.assert_allclose(gram[:4], gram[12:], atol=1e-5)  # both strands of a window are one


def test_table_scores_as_the_support_vectors_do(kernel: gkmsvm.Kernel, real_windows: np.ndarray) -> None:
    vectors, windows = real_windows[:20], real_windows[200:260]
    coefficients = np.random.default_rng(3).normal(size=20)
    machine = gkmsvm.Machine(kernel, kernel.table(vectors, coefficients), 0.25, 20)
    library = gkmsvm_lite.GkmSVM(
        letters(vectors), coefficients, 0.25, "gkm_esttrunc", {"L": 11, "k": 7, "d": 3, "include_rc": True}
    )
    values = machine.decide(windows)
    np.testing.assert_allclose(values, library(letters(windows))[:, 0], atol=1e-5)
    np.testing.assert_allclose(machine.decide(reverse_complement(windows)), values, atol=1e-5)


def test_other_letters_count_for_nothing(kernel: gkmsvm.Kernel, real_windows: np.ndarray) -> None:
    machine = gkmsvm.Machine(kernel, kernel.table(real_windows[:5], np.arange(1.0, 6)), -1.0, 5)
    masked = real_windows[300:301].copy()
    masked[0, 40:] = OTHER
    assert machine.decide(masked)[0] == pytest.approx(machine.decide(real_windows[300:301, :40])[0], abs=1e-6)
    assert np.isnan(machine.decide(np.full((1, 101), OTHER, np.uint8))[0])


def test_train_learns_and_repeats_itself(batf: Task, small: None) -> None:
    outcome = gkmsvm.train(batf)
    assert (outcome.calibrated, outcome.symmetric, outcome.threshold) == (False, True, 0.0)
    codes, labels = batf.validation
    values = outcome.score(codes)
    assert values.dtype == np.float32
    assert np.array_equal(values, gkmsvm.train(batf).score(codes))
    assert not np.array_equal(values, gkmsvm.train(replace(batf, seed=2)).score(codes))
    np.testing.assert_allclose(outcome.score(reverse_complement(codes)), values, atol=1e-5)
    ranks = values.argsort().argsort()[labels == 1].mean() / len(values)
    assert ranks > 0.6  # 0.5 is chance
    chosen = json.loads(json.dumps(outcome.chosen))
    assert [t["C"] for t in chosen["searched"]] == [0.01, 1.0]
    assert max(t["auroc"] for t in chosen["searched"]) == next(
        t["auroc"] for t in chosen["searched"] if t["C"] == chosen["C"]
    )
    assert outcome.parameters == chosen["support_vectors"] + 1


def test_train_is_that_of_gkmsvm_lite(batf: Task, small: None) -> None:
    positives = batf.positives[:60]
    negatives = shuffle_dinucleotides(positives, 4)
    kernel = gkmsvm.Kernel(8, 5, 3)
    windows, labels = np.concatenate([positives, negatives]), np.repeat([1, -1], 60)
    machine = gkmsvm.solve(kernel, kernel.gram(windows), windows, labels, 1.0)
    library = gkmsvm_lite.train_gkmsvm(letters(positives), letters(negatives), l=8, k=5, d=3, C=1.0, device="cpu")
    codes = batf.validation[0]
    np.testing.assert_allclose(machine.decide(codes), library(letters(codes))[:, 0], atol=5e-3)  # both stop at 0.001


def test_a_large_set_is_sampled(batf: Task, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gkmsvm, "MOST", 25)
    assert gkmsvm.train(batf).chosen["training"] == 50


def test_without_gkmsvm_lite_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gkmsvm.kernels", None)
    with pytest.raises(SaresnetError, match=r"saresnet\[benchmark\]"):
        gkmsvm.Kernel(11, 7, 3)
