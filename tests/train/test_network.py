"""The network against the paper: its size, its shapes, its equations."""

import numpy as np
import pytest
import torch

from saresnet_train.network import Attention, NetworkConfig, ResidualBlock, SAResNet


@pytest.fixture
def network() -> SAResNet:
    torch.manual_seed(3)
    return SAResNet()


def _open_attention(network: SAResNet) -> None:
    for attention in network.attentions:
        if isinstance(attention, Attention):
            torch.nn.init.constant_(attention.theta, 0.7)


@pytest.mark.parametrize(
    ("channels", "attention", "parameters"),
    [(64, True, 443_333), (64, False, 443_333 - 3 * 8_545), (32, True, 119_557), (32, False, 119_557 - 3 * 4_353)],
)
def test_number_of_parameters(channels: int, attention: bool, parameters: int) -> None:
    network = SAResNet(NetworkConfig(channels=channels, attention=attention))
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_shape_of_every_stage(network: SAResNet) -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: shapes.__setitem__(name, tuple(out.shape)))
    network(torch.rand(5, 4, 101))
    assert shapes["stem"] == (5, 64, 1, 101)
    assert [shapes[f"attentions.{i}"] for i in range(3)] == [(5, 64, 1, 50), (5, 64, 1, 50), (5, 64, 1, 25)]
    assert [shapes[f"stages.{i}"] for i in range(4)] == [(5, 64, 1, n) for n in (50, 25, 13, 7)]
    assert [len(stage) for stage in network.stages] == [3, 4, 6, 3]
    assert shapes["dense"] == (5, 32)
    assert shapes["out"] == shapes[""] == (5, 2)


def test_attention_is_the_identity_at_theta_0() -> None:
    attention = Attention(64, 32)
    x = torch.randn(4, 64, 1, 50)
    assert torch.equal(attention(x), x)
    attention.theta.data.fill_(0.5)
    assert not torch.allclose(attention(x), x)


def test_attention_equations_against_numpy() -> None:
    torch.manual_seed(1)
    attention = Attention(64, 32).eval()
    attention.theta.data.fill_(0.3)
    for norm in (attention.norm, attention.norm_y):
        torch.nn.init.normal_(norm.running_mean)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 64, 1, 9)

    def array(value: torch.Tensor) -> np.ndarray:
        return value.detach().double().numpy()

    def f_hat(values: np.ndarray, norm: torch.nn.BatchNorm2d) -> np.ndarray:
        scale = array(norm.weight) / np.sqrt(array(norm.running_var) + norm.eps)
        y = (values - array(norm.running_mean)[:, None]) * scale[:, None] + array(norm.bias)[:, None]
        return np.where(y > 0, y, np.expm1(y))

    def project(conv: torch.nn.Conv2d, values: np.ndarray) -> np.ndarray:
        return array(conv.weight)[:, :, 0, 0] @ values + array(conv.bias)[:, None]

    for number, sample in enumerate(array(x)[:, :, 0]):
        f = f_hat(sample, attention.norm)
        p, q, h = (project(conv, f) for conv in (attention.p, attention.q, attention.h))
        length = sample.shape[1]
        y = np.zeros((32, length))
        for i in range(length):
            products = np.array([p[:, i] @ q[:, j] for j in range(length)])  # p(x_i)^T q(x_j)
            weights = np.exp(products - products.max())
            weights /= weights.sum()  # eq. 6
            y[:, i] = sum(weights[j] * h[:, j] for j in range(length)) / length  # eq. 5
        z = 0.3 * project(attention.u, f_hat(y, attention.norm_y)) + sample  # eq. 7
        np.testing.assert_allclose(array(attention(x))[number, :, 0], z, atol=2e-5)


def test_residual_block_is_eq_8() -> None:
    torch.manual_seed(2)
    block = ResidualBlock(8, stride=2, project=True).eval()
    x = torch.randn(3, 8, 1, 13)
    inner = torch.nn.functional.elu(block.norm2(block.conv1(torch.nn.functional.elu(block.norm1(x)))))
    torch.testing.assert_close(block(x), block.conv2(inner) + block.shortcut(x))
    assert block(x).shape == (3, 8, 1, 7)
    # without its two convolutions a block is its shortcut alone
    torch.nn.init.zeros_(block.conv2.weight)
    torch.testing.assert_close(block(x), block.shortcut(x))


def test_gradient_reaches_every_parameter(network: SAResNet) -> None:
    _open_attention(network)
    network.logit(
        torch.nn.functional.one_hot(torch.randint(0, 4, (16, 101)), 4).float().transpose(1, 2)
    ).square().sum().backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    # the bias of q adds the same to all products of a row, and a softmax does not see that
    assert [name for name in silent if not name.endswith("q.bias")] == []


def test_theta_starts_at_0_and_learns(network: SAResNet) -> None:
    thetas = [a.theta for a in network.attentions if isinstance(a, Attention)]
    assert [float(t.detach()) for t in thetas] == [0.0] * 3
    network.logit(torch.rand(8, 4, 101)).sum().backward()
    assert all(t.grad is not None and t.grad.abs().item() > 0 for t in thetas)


def test_logit_is_the_log_odds_of_the_softmax(network: SAResNet) -> None:
    network.eval()
    x = torch.rand(6, 4, 101)
    probability = torch.softmax(network(x).double(), 1)[:, 1]
    torch.testing.assert_close(torch.sigmoid(network.logit(x).double()), probability, atol=1e-6, rtol=1e-5)


def test_initial_weights_are_a_truncated_normal(network: SAResNet) -> None:
    for name, p in network.named_parameters():
        if p.dim() == 4 or name.endswith(("dense.weight", "out.weight")):
            std = (2.0 / p[0].numel()) ** 0.5
            assert p.abs().max() <= 2 * std
            assert 0.6 * std < p.std() < 1.1 * std


def test_a_frozen_batch_norm_keeps_its_statistics(network: SAResNet) -> None:
    network.stages[0].requires_grad_(False)
    before = network.stages[0][0].norm1.running_mean.clone()
    other = network.stages[1][0].norm1.running_mean.clone()
    network.train()(torch.rand(8, 4, 101))
    assert torch.equal(network.stages[0][0].norm1.running_mean, before)
    assert not torch.equal(network.stages[1][0].norm1.running_mean, other)
