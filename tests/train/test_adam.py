"""Adam: the same bits as torch's, from a state of either, and without torch's compiler."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from saresnet_train.adam import Adam

RATES = [0.01, 0.02, 0.005, 0.001, 0.02, 0.01]


def network() -> nn.Module:
    torch.manual_seed(3)
    made = nn.Sequential(nn.Conv2d(4, 8, (1, 3)), nn.BatchNorm2d(8), nn.ELU(), nn.Conv2d(8, 2, (1, 5)))
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    return made


def learn(model: nn.Module, number: int) -> None:
    """Give the weights the gradients of a batch; in the second, one weight has none."""
    torch.manual_seed(number)
    (model(torch.randn(16, 4, 1, 20)) ** 2).mean().backward()
    if number == 1:
        next(model.parameters()).grad = None


def torchs(model: nn.Module, decoupled: bool) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(model.parameters(), lr=RATES[0], weight_decay=0.1 if decoupled else 0.0, fused=True)


def go(ours: Adam, model: nn.Module, numbers: range) -> None:
    for number in numbers:
        ours.rate = RATES[number]
        ours.zero_grad()
        learn(model, number)
        ours.step()


def go_as_torch(theirs: torch.optim.Optimizer, model: nn.Module, numbers: range) -> None:
    for number in numbers:
        theirs.param_groups[0]["lr"] = RATES[number]
        theirs.zero_grad(set_to_none=True)
        learn(model, number)
        theirs.step()


def equal(one: nn.Module, two: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))


@pytest.mark.parametrize("decoupled", [True, False])
def test_it_takes_the_steps_of_torch(decoupled: bool) -> None:
    model, other = network(), network()
    go(Adam(model.parameters(), RATES[0], 0.1 if decoupled else 0.0, decoupled), model, range(6))
    go_as_torch(torchs(other, decoupled), other, range(6))
    assert equal(model, other)
    assert not equal(model, network())


@pytest.mark.parametrize("decoupled", [True, False])
def test_it_goes_on_from_a_state_of_its_own_and_of_torch(decoupled: bool) -> None:
    model = network()
    unbroken = torchs(model, decoupled)
    go_as_torch(unbroken, model, range(3))
    resumed = copy.deepcopy(model)
    ours = Adam(resumed.parameters(), RATES[0], 0.1 if decoupled else 0.0, decoupled)
    ours.load_state_dict(copy.deepcopy(unbroken.state_dict()))
    go(ours, resumed, range(3, 4))
    again = copy.deepcopy(resumed)
    mine = Adam(again.parameters(), RATES[0], 0.1 if decoupled else 0.0, decoupled)
    mine.load_state_dict(copy.deepcopy(ours.state_dict()))
    go(mine, again, range(4, 6))
    go_as_torch(unbroken, model, range(3, 6))
    assert equal(again, model)


def test_a_state_of_other_weights_is_refused() -> None:
    model = network()
    ours = Adam(model.parameters(), 0.1, 0.0, decoupled=True)
    go(ours, model, range(1))
    for other in (nn.Linear(2, 2), nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))):
        with pytest.raises(ValueError, match="of other weights"):
            Adam(other.parameters(), 0.1, 0.0, decoupled=True).load_state_dict(ours.state_dict())


def test_no_compiler_is_loaded() -> None:
    script = """
import sys, torch
from saresnet_train.adam import Adam
weight = torch.nn.Parameter(torch.ones(3))
adam = Adam([weight], 0.1, 0.01, decoupled=True)
weight.sum().backward()
adam.step()
adam.load_state_dict(adam.state_dict())
print(weight.tolist() != [1, 1, 1], "torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"
