"""Epochs: the same seed shows the same windows, from any step on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_train.codes import reverse_complement
from saresnet_train.epochs import Epochs
from saresnet_train.fit import MINING_STRIDE, _hardest
from saresnet_train.gc import gc_bins, gc_shares
from saresnet_train.hardware import Hardware
from saresnet_train.lowrank import adapt
from saresnet_train.negatives import GenomicWindows
from saresnet_train.network import NetworkConfig, SAResNet
from saresnet_train.predict import predict
from saresnet_train.recipe import FINETUNE, PRETRAIN, Recipe

PLAIN = Recipe(batch_size=32, reverse_complement=False, shifted=0.0, genomic=0.0)


@pytest.fixture(scope="module")
def background(example_genome: Path) -> GenomicWindows:
    return GenomicWindows(example_genome)


def test_an_epoch_has_what_the_recipe_asks_for(real_windows: np.ndarray, background: GenomicWindows) -> None:
    epochs = Epochs(real_windows[:100], PLAIN.changed(shuffles=1.5, genomic=2.0), 1, background)
    codes, labels = epochs.windows(0)
    assert (epochs.size, epochs.shuffled, epochs.genomic, epochs.steps) == (450, 150, 200, 15)
    assert codes.shape == (450, 101)
    assert labels.sum() == 100
    bound = {row.tobytes() for row in codes[labels == 1]}
    assert bound == {row.tobytes() for row in real_windows[:100]}


def test_shuffles_are_fresh_or_fixed(real_windows: np.ndarray) -> None:
    def shuffles(fresh: bool, epoch: int) -> set[bytes]:
        codes, labels = Epochs(real_windows[:50], PLAIN.changed(fresh=fresh), 1).windows(epoch)
        return {row.tobytes() for row in codes[labels == 0]}

    assert shuffles(False, 0) == shuffles(False, 1)
    assert shuffles(True, 0) == shuffles(True, 0)
    assert len(shuffles(True, 0) & shuffles(True, 1)) < 5


def test_a_resumed_epoch_shows_the_same_batches(real_windows: np.ndarray, background: GenomicWindows) -> None:
    recipe = PRETRAIN["default"].changed(batch_size=32)
    whole = list(Epochs(real_windows[:100], recipe, 1, background).batches(2))
    rest = list(Epochs(real_windows[:100], recipe, 1, background).batches(2, first=3))
    assert [step for step, _, _ in whole] == list(range(8))
    for (step, codes, labels), (step2, codes2, labels2) in zip(whole[3:], rest, strict=True):
        assert step == step2
        assert np.array_equal(codes, codes2)
        assert np.array_equal(labels, labels2)


def test_positives_move_with_real_genome_around_them(real_windows: np.ndarray, background: GenomicWindows) -> None:
    recipe = PLAIN.changed(shift=40, shifted=1.0)
    offsets = set()
    for _, codes, labels in Epochs(real_windows[:60], recipe, 1, background).batches(0):
        for row in codes[labels == 1]:
            moved = [
                (d, i)
                for i, window in enumerate(real_windows[:60])
                for d in range(-40, 41)
                if np.array_equal(row[max(0, d) : 101 + min(0, d)], window[max(0, -d) : 101 - max(0, d)])
            ]
            assert len(moved) == 1
            offsets.add(moved[0][0])
    assert len(offsets) > 25
    assert min(offsets) < -25
    assert max(offsets) > 25


def test_half_of_the_windows_are_turned(real_windows: np.ndarray) -> None:
    recipe = PLAIN.changed(reverse_complement=True)
    as_is = {row.tobytes() for row in real_windows}
    turned = {row.tobytes() for row in reverse_complement(real_windows)}
    shown = [row.tobytes() for _, c, y in Epochs(real_windows, recipe, 1).batches(0) for row in c[y == 1]]
    assert all(row in as_is or row in turned for row in shown)
    assert 0.4 < np.mean([row in turned for row in shown]) < 0.6


def test_own_negatives_take_the_place_of_shuffles(real_windows: np.ndarray) -> None:
    codes, labels = Epochs(real_windows[:40], PLAIN, 1, negatives=real_windows[40:100]).windows(0)
    assert {row.tobytes() for row in codes[labels == 0]} == {row.tobytes() for row in real_windows[40:100]}


def test_the_paper_is_one_preset() -> None:
    for presets, rate in ((PRETRAIN, 5e-4), (FINETUNE, 2e-4)):
        paper = presets["paper"]
        assert (paper.optimizer, paper.learning_rate, paper.batch_size, paper.dropout) == ("adam", rate, 100, 0.7)
        assert paper.patience > 0
        assert paper.keep == "best"
        assert (paper.genomic, paper.reverse_complement, paper.shifted, paper.fresh) == (0, False, 0, False)


def test_hard_windows_are_drawn_near_the_hardest(real_windows: np.ndarray, background: GenomicWindows) -> None:
    recipe = PLAIN.changed(shuffles=0.0, genomic=4.0, hard=0.5)
    epochs = Epochs(real_windows[:50], recipe, 1, background)
    epochs.hard = np.array([1000, 30_000])
    codes, labels = epochs.windows(3)
    near = {row.tobytes() for start in epochs.hard for row in background.take(np.arange(start - 25, start + 26))}
    drawn = [row.tobytes() in near for row in codes[labels == 0]]
    assert len(drawn) == 200
    assert 100 <= sum(drawn) <= 102
    assert len({row.tobytes() for row in codes[labels == 0]} & near) > 40


def test_genomic_windows_have_the_gc_content_of_the_positives(
    real_windows: np.ndarray, background: GenomicWindows
) -> None:
    rich = real_windows[np.argsort(gc_bins(real_windows), kind="stable")[-120:]]
    recipe = PLAIN.changed(shuffles=0.0, genomic=2.0, match_gc=True)
    codes, labels = Epochs(rich, recipe, 1, background).windows(0)
    assert np.array_equal(gc_shares(codes[labels == 0]), gc_shares(rich))
    codes, labels = Epochs(rich, recipe.changed(match_gc=False), 1, background).windows(0)
    assert gc_bins(codes[labels == 0]).mean() < gc_bins(rich).mean() - 2


def test_flanks_are_drawn_where_they_may_be(real_windows: np.ndarray, background: GenomicWindows) -> None:
    beside = background.within([("chr20_part", 5000, 5300)])
    recipe = PLAIN.changed(shuffles=0.0, flanks=0.5)
    epochs = Epochs(real_windows[:80], recipe, 1, background, flanks=beside)
    assert epochs.counts == {"positives": 80, "shuffled": 0, "genomic": 0, "flanks": 40}
    codes, labels = epochs.windows(0)
    allowed = {row.tobytes() for row in background.take(np.arange(5000, 5200))}
    assert len(codes) == epochs.size == 120
    assert {row.tobytes() for row in codes[labels == 0]} <= allowed
    with pytest.raises(ValueError, match="places of the peaks"):
        Epochs(real_windows[:80], recipe, 1, background)


@pytest.mark.parametrize("rank", [0, 2])
def test_the_hardest_are_looked_for_among_so_many_at_most(
    rank: int, real_windows: np.ndarray, background: GenomicWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = PLAIN.changed(genomic=4.0, hard=0.5, epochs=2)
    epochs = Epochs(real_windows[:50], recipe, 1, background)
    torch.manual_seed(1)
    model = SAResNet(NetworkConfig(channels=8, blocks=(1,), attention_channels=4, hidden=4)).eval()
    if rank:
        adapt(model, rank)
    hardware = Hardware(torch.device("cpu"), False)
    every = background.every(MINING_STRIDE)
    logits = predict(model, background.take(every), "forward")
    hardest = _hardest({"epoch": 1}, model, epochs, recipe, hardware)
    assert hardest.tolist() == np.sort(every[np.argsort(-logits, kind="stable")[: round(0.03 * len(every))]]).tolist()
    monkeypatch.setattr("saresnet_train.fit.MINED", 200)
    fewer = _hardest({"epoch": 1}, model, epochs, recipe, hardware)
    assert len(fewer) == 6
    assert (fewer % (3 * MINING_STRIDE) == 0).all()
