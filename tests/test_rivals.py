"""The neural rivals: their networks as published, and a search that learns, repeats and keeps the best."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_cli.errors import SaresnetError
from saresnet_train.baselines import cnn_zeng, deepbind, deeptf, expectation_luo, layers, rival
from saresnet_train.baselines.expectation_luo import ExpectationPooling
from saresnet_train.benchmark.task import Outcome, Task
from saresnet_train.codes import encode, reverse_complement
from saresnet_train.data import DataSet
from saresnet_train.metrics import measure
from saresnet_train.negatives import shuffle_dinucleotides
from saresnet_train.network import one_hot

RIVALS = {
    "deepbind": deepbind.RIVAL,
    "cnn-zeng": cnn_zeng.RIVAL,
    "expectation-luo": expectation_luo.RIVAL,
    "deeptf": deeptf.RIVAL,
}
MOTIF = encode(np.frombuffer(b"TGACGTCATCGG", np.uint8))


def plant(count: int, seed: int) -> np.ndarray:
    """Windows with the motif in one place each, on either strand, and a base of it changed: (count, 101) codes."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (count, 101)).astype(np.uint8)
    sites = np.repeat(MOTIF[None], count, axis=0)
    sites[np.arange(count), rng.integers(0, len(MOTIF), count)] = rng.integers(0, 4, count)
    starts = rng.integers(5, 101 - 5 - len(MOTIF), count)
    codes[np.arange(count)[:, None], starts[:, None] + np.arange(len(MOTIF))] = sites
    turned = rng.random(count) < 0.5
    codes[turned] = reverse_complement(codes[turned])
    return codes


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("rivals")
    held = plant(150, 2)
    codes = np.concatenate([held, shuffle_dinucleotides(held, 3)])
    labels = np.repeat(np.array([1, 0], np.uint8), len(held))
    # a folder without a single file: whoever reads one fails
    chosen = DataSet("encode", "X_Y", "X", "Y", folder / "nowhere")
    return Task(chosen, plant(1000, 1), held, (codes, labels), 1, torch.device("cpu"), 1, folder, Path("nowhere"))


def brief(of: rival.Rival, trials: int, epochs: int) -> rival.Rival:
    return replace(of, budget=lambda positives: rival.Budget(trials, epochs, epochs))


@pytest.fixture(scope="module", autouse=True)
def no_longer_than_a_trial() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rival, "MOST", 0)
        yield


@pytest.fixture(scope="module")
def outcomes(task: Task) -> dict[str, Outcome]:
    return {name: rival.search(brief(of, 2, EPOCHS[name]), task) for name, of in RIVALS.items()}


EPOCHS = {"deepbind": 12, "cnn-zeng": 12, "expectation-luo": 5, "deeptf": 7}


@pytest.mark.parametrize("name", RIVALS)
def test_network_reads_windows_and_gives_a_number_each(name: str) -> None:
    windows = one_hot(plant(3, 5))
    rng = np.random.default_rng(0)
    for settings in [*RIVALS[name].first, *(RIVALS[name].draw(rng) for _ in range(6))]:
        network = RIVALS[name].build(**settings.network)
        assert network(windows).shape == (3,)
        assert network(windows, bfloat16=True).dtype == torch.float32
        settings.optimise(network)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (deepbind.DeepBind(hidden=32), (16 * 4 * 24 + 16) + (16 * 32 + 32) + (32 + 1)),
        (deepbind.DeepBind(hidden=0), (16 * 4 * 24 + 16) + (16 + 1)),
        (cnn_zeng.CNNZeng(), (128 * 4 * 24 + 128) + (128 * 32 + 32) + (32 + 1)),
        (expectation_luo.ExpectationLuo(), (128 * 4 * 15 + 128) + (128 + 1)),
        (expectation_luo.ExpectationLuo(learnt=True), (128 * 4 * 15 + 128) + (128 + 1) + 1),
        (
            deeptf.DeepTF(units=64),
            (32 * 16 * (8 + 16 + 24) + 3 * 32) + 4 * 64 * (96 + 64 + 2) + (64 * 32 + 32) + (32 + 1),
        ),
    ],
)
def test_parameters_are_those_counted_by_hand(network: layers.Network, expected: int) -> None:
    assert rival.count_parameters(network) == expected


def test_detectors_are_a_convolution_with_a_maximum(real_windows: np.ndarray) -> None:
    torch.manual_seed(0)
    x = one_hot(real_windows[:5])
    for width, pool in ((24, None), (15, 5)):
        detectors = layers.Detectors(4, 6, width, pool)
        torch.nn.init.normal_(detectors.bias)
        # by hand: every place, the window filled up with zeros, one more at the end where the width is even
        filled = torch.nn.functional.pad(x, ((width - 1) // 2, width // 2))
        places = filled.unfold(2, width, 1)  # (5, 4, 101, width)
        values = torch.einsum("bcpw,kcw->bkp", places, detectors.weight[:, :, 0]) + detectors.bias[:, None]
        assert values.shape == (5, 6, 101)
        expected = values.amax(2, keepdim=True) if pool is None else values[:, :, :100].unflatten(2, (20, 5)).amax(3)
        torch.testing.assert_close(detectors(x), expected)


@pytest.mark.parametrize("build", [deepbind.DeepBind, cnn_zeng.CNNZeng])
def test_maximum_over_all_places_does_not_see_where_a_site_is(build: type[layers.Network]) -> None:
    torch.manual_seed(0)
    network = build().eval()
    # nothing but the site, far enough from both ends: unknown bases are zeros
    codes = np.full((3, 101), 4, np.uint8)
    for row, start in enumerate((30, 41, 55)):
        codes[row, start : start + len(MOTIF)] = MOTIF
    one, other, another = network(one_hot(codes)).tolist()
    assert one == pytest.approx(other, abs=1e-6) and one == pytest.approx(another, abs=1e-6)


def test_expectation_pooling_lies_between_mean_and_maximum() -> None:
    x = torch.randn(7, 3, 20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ExpectationPooling(0.0)(x), x.mean(2))
    torch.testing.assert_close(ExpectationPooling(1000.0)(x), x.amax(2))
    middle = ExpectationPooling(1.0)(x)
    assert ((middle > x.mean(2)) & (middle < x.amax(2))).all()
    # a constant has itself as its expectation, whatever weighs it
    for structure in (1, 2):
        torch.testing.assert_close(ExpectationPooling(1.0, structure)(torch.full((1, 4), 0.1)), torch.tensor([0.1]))


def test_second_structure_of_expectation_pooling_leaves_out_what_is_below_the_mean() -> None:
    x = torch.tensor([[0.0, 1.0, 5.0, 6.0]])
    weights = np.exp([5.0, 6.0])
    expected = (weights * [5.0, 6.0]).sum() / weights.sum()
    assert ExpectationPooling(1.0, structure=2)(x).item() == pytest.approx(expected)


def test_weight_of_expectation_pooling_is_learnt_where_asked() -> None:
    pooling = ExpectationPooling(1.0, learnt=True)
    pooling(torch.tensor([[0.0, 1.0]])).sum().backward()
    assert pooling.m.grad is not None and pooling.m.grad.item() > 0
    assert not ExpectationPooling(1.0).m.requires_grad


def test_runs_of_bases_are_one_hot() -> None:
    codes = np.array([[0, 1, 3, 4, 2, 2]], np.uint8)
    runs = deeptf.encode_runs(one_hot(codes), 2)
    assert runs.shape == (1, 16, 5)
    assert runs.argmax(1)[0, [0, 1, 4]].tolist() == [0 * 4 + 1, 1 * 4 + 3, 2 * 4 + 2]
    assert runs.sum(1).tolist() == [[1, 1, 0, 0, 1]]


@pytest.mark.parametrize("name", RIVALS)
def test_a_planted_motif_is_learnt(name: str, outcomes: dict[str, Outcome]) -> None:
    bound = plant(300, 7)
    scores = outcomes[name].score(np.concatenate([bound, shuffle_dinucleotides(bound, 8)]))
    assert scores.dtype == np.float32
    assert measure(np.repeat([1, 0], 300), scores)["auroc"] > 0.95


@pytest.mark.parametrize("name", RIVALS)
def test_the_lowest_validation_loss_is_chosen(name: str, outcomes: dict[str, Outcome], task: Task) -> None:
    outcome = outcomes[name]
    chosen = json.loads(json.dumps(outcome.chosen, allow_nan=False))
    tried = chosen["search"]["tried"]
    losses = [trial["validation_loss"] for trial in tried]
    assert len(tried) == chosen["search"]["trials"] == 2
    assert losses[chosen["search"]["chosen"]] == min(losses)
    assert chosen["settings"] == tried[chosen["search"]["chosen"]]["settings"]
    # and it is what the network that is handed back reaches, with the weights of its best epoch
    codes, labels = task.validation
    assert measure(labels, outcome.score(codes))["loss"] == pytest.approx(min(losses), abs=1e-6)


def test_weights_of_the_best_epoch_are_kept_and_training_ends_by_patience(task: Task) -> None:
    # at this rate it learns and is thrown back again and again
    settings = replace(expectation_luo.RIVAL.first[1], learning_rate=0.1)
    wild = replace(brief(expectation_luo.RIVAL, 1, 6), first=(settings,))
    wild = replace(wild, budget=lambda positives: rival.Budget(1, 6, 2))
    outcome = rival.search(wild, task)
    tried = outcome.chosen["search"]["tried"][0]
    assert tried["epochs"] == 6 or tried["epochs"] == outcome.chosen["epochs"] + 2
    codes, labels = task.validation
    assert measure(labels, outcome.score(codes))["loss"] == pytest.approx(tried["validation_loss"], abs=1e-5)


def test_a_training_that_its_epochs_ended_goes_on_where_it_counts(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(brief(expectation_luo.RIVAL, 1, 1), budget=lambda positives: rival.Budget(1, 1, 2))
    cut = rival.search(few, task)
    monkeypatch.setattr(rival, "MOST", 4)
    whole = rival.search(few, task)
    assert (cut.chosen["trained"], cut.chosen["most"]) == (1, 1)
    assert whole.chosen["trained"] > 1 and whole.chosen["most"] == 4
    codes, labels = task.validation
    assert measure(labels, whole.score(codes))["loss"] < measure(labels, cut.score(codes))["loss"]
    # it is what more epochs had given from the start
    many = rival.search(replace(few, budget=lambda positives: rival.Budget(1, 4, 2)), task)
    assert many.score(codes).tobytes() == whole.score(codes).tobytes()
    assert whole.chosen["search"]["tried"] == cut.chosen["search"]["tried"]


def test_same_seed_gives_the_same_bytes(task: Task) -> None:
    short = replace(task, positives=task.positives[:200])
    bound = plant(50, 9)
    for of in RIVALS.values():
        before = torch.random.get_rng_state()
        first = rival.search(brief(of, 2, 1), short)
        assert torch.equal(torch.random.get_rng_state(), before)
        second = rival.search(brief(of, 2, 1), short)
        other = rival.search(brief(of, 2, 1), replace(short, seed=2))
        assert first.score(bound).tobytes() == second.score(bound).tobytes() != other.score(bound).tobytes()
        assert first.chosen == second.chosen


def test_trainings_that_run_away_do_not_win(task: Task) -> None:
    mad = replace(deepbind.RIVAL.first[0], learning_rate=1e30)
    with pytest.raises(SaresnetError, match="converged"):
        rival.search(replace(brief(deepbind.RIVAL, 1, 1), first=(mad,)), task)


def test_first_trials_are_the_published_settings_on_fixed_and_on_fresh_shuffles() -> None:
    for of in RIVALS.values():
        settings = of.settings(8, 1)
        assert settings == of.settings(8, 1) != of.settings(8, 2)
        assert not settings[0].fresh and settings[1] == replace(settings[0], fresh=True)
        assert of.settings(3, 1) == settings[:3]


def test_windows_of_an_epoch(task: Task) -> None:
    windows = rival.Windows(task.positives[:50], 1)
    known = {row.tobytes() for row in task.positives[:50]}
    turned = {row.tobytes() for row in np.ascontiguousarray(reverse_complement(task.positives[:50]))}

    def split(number: int, fresh: bool) -> tuple[set[bytes], set[bytes]]:
        codes, labels = windows.epoch(number, fresh)
        assert codes.shape == (100, 101) and labels.sum() == 50
        return {row.tobytes() for row in codes[labels == 1]}, {row.tobytes() for row in codes[labels == 0]}

    # as published: one set of shuffles, one strand, another order each time
    assert split(0, False) == split(1, False) and split(0, False)[0] == known
    assert not np.array_equal(windows.epoch(0, False)[0], windows.epoch(1, False)[0])
    # fresh ones: other shuffles each time, on a random strand
    first, second = split(0, True), split(1, True)
    assert first[0] <= known | turned and first[0] & known and first[0] & turned
    assert not first[1] & second[1]
    # of every trial the same
    again = rival.Windows(task.positives[:50], 1)
    again.epoch(5, True)
    assert np.array_equal(again.epoch(1, True)[0], windows.epoch(1, True)[0])
