from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from saresnet_cli.runtime import Runtime
from saresnet_export.graph import IR_VERSION, OPSET, build_model
from saresnet_export.reference import reference_logits, stored_network
from saresnet_train.codes import encode
from saresnet_train.network import SAResNet
from saresnet_train.predict import predict

TOLERANCE = 2e-5
COMPLEMENT = bytes.maketrans(b"ACGTacgt", b"TGCAtgca")


def score(network: SAResNet, windows: np.ndarray, batch_size: int = 64, **options: str) -> np.ndarray:
    data = build_model(network, **options).SerializeToString(deterministic=True)
    runtime = Runtime("onnxruntime", device="cpu", threads=1, batch_size=batch_size)
    with runtime.open_files([(data, Path("model.onnx"))]) as scorer:
        return scorer.logits(windows)[:, 0]


def reverse_complement(windows: np.ndarray) -> np.ndarray:
    letters = np.frombuffer(COMPLEMENT, np.uint8)
    return np.ascontiguousarray(letters[windows][:, ::-1])


def test_interface(network: SAResNet) -> None:
    model = build_model(network)
    (sequence,), (logit,) = model.graph.input, model.graph.output
    assert (sequence.name, logit.name) == ("sequence", "logit")
    assert sequence.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert logit.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [d.dim_param or d.dim_value for d in sequence.type.tensor_type.shape.dim] == ["batch", 101]
    assert [d.dim_param or d.dim_value for d in logit.type.tensor_type.shape.dim] == ["batch"]
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (IR_VERSION, [("", OPSET)])


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize("weights", ["float32", "float16"])
def test_equals_torch(network: SAResNet, make_windows: Callable[..., np.ndarray], strands: str, weights: str) -> None:
    windows = make_windows(40)
    exact = reference_logits(stored_network(network, weights), windows, strands)
    assert exact.std() > 0.2, "a network that says the same of every window would test nothing"
    for batch_size in (1, 2, 7, 33):
        scored = score(network, windows, batch_size, strands=strands, weights=weights)
        np.testing.assert_allclose(scored, exact, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "config",
    [
        {"channels": 32},
        {"attention": False},
        {"channels": 32, "attention": False},
        {"attention_channels": 16, "hidden": 8},
        {"blocks": (1, 1, 1, 1)},
        {"blocks": (2, 1)},
    ],
)
def test_equals_torch_in_every_configuration(
    make_network: Callable[..., SAResNet], make_windows: Callable[..., np.ndarray], config: dict
) -> None:
    network, windows = make_network(seed=3, **config), make_windows(17)
    np.testing.assert_allclose(score(network, windows), reference_logits(network, windows), rtol=0, atol=TOLERANCE)


def test_equals_the_training_packages_own_prediction(network: SAResNet, real_windows: np.ndarray) -> None:
    codes = real_windows[:20]
    windows = np.frombuffer(b"ACGT", np.uint8)[codes]
    np.testing.assert_allclose(score(network, windows), predict(network, codes), rtol=0, atol=5e-5)
    np.testing.assert_allclose(
        score(network, windows, strands="forward"), predict(network, codes, "forward"), rtol=0, atol=5e-5
    )


def test_reads_either_strand_the_same(network: SAResNet, make_windows: Callable[..., np.ndarray]) -> None:
    windows = make_windows(33, letters=b"ACGTN")
    np.testing.assert_allclose(
        score(network, windows), score(network, reverse_complement(windows)), rtol=0, atol=TOLERANCE
    )
    one = score(network, windows, strands="forward")
    other = score(network, reverse_complement(windows), strands="forward")
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_allclose(score(network, windows), (one + other) / 2, rtol=0, atol=TOLERANCE)


def test_lower_case_is_upper_case(network: SAResNet, make_windows: Callable[..., np.ndarray]) -> None:
    windows = make_windows(9, letters=b"ACGT")
    np.testing.assert_array_equal(score(network, windows), score(network, windows | 0x20))


def test_every_other_letter_is_a_zero_column(network: SAResNet, make_windows: Callable[..., np.ndarray]) -> None:
    window = make_windows(1, letters=b"ACGT")
    others = sorted(set(range(256)) - set(b"ACGTacgt"))
    windows = np.repeat(window, len(others), axis=0)
    windows[:, 40] = others
    logits = score(network, windows, batch_size=len(others))
    np.testing.assert_allclose(logits, logits[0], rtol=0, atol=1e-6)
    codes = encode(windows[:1])
    assert codes[0, 40] == 4
    np.testing.assert_allclose(logits[:1], predict(network, codes), rtol=0, atol=5e-5)


def test_attention_at_theta_zero_changes_nothing(
    make_network: Callable[..., SAResNet], make_windows: Callable[..., np.ndarray]
) -> None:
    network, windows = make_network(seed=5), make_windows(8)
    plain = make_network(seed=6, attention=False)
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("attentions")})
    with torch.no_grad():
        for attention in network.attentions[:3]:
            attention.theta.zero_()
    np.testing.assert_allclose(score(network, windows), score(plain, windows), rtol=0, atol=TOLERANCE)


def test_large_activations_do_not_overflow(
    make_network: Callable[..., SAResNet], make_windows: Callable[..., np.ndarray]
) -> None:
    network, windows = make_network(seed=2), make_windows(5)
    with torch.no_grad():
        network.stem.weight.mul_(1e4)  # exp of its output is infinite
    exact = reference_logits(network, windows)
    np.testing.assert_allclose(score(network, windows), exact, rtol=1e-4)


def test_stored_in_half_the_bytes_and_in_the_same_every_time(network: SAResNet) -> None:
    full = build_model(network).SerializeToString(deterministic=True)
    half = build_model(network, weights="float16").SerializeToString(deterministic=True)
    assert len(half) < 1_000_000 < len(full) < 2_000_000
    assert half == build_model(network, weights="float16").SerializeToString(deterministic=True)


def test_elu_can_be_put_back(network: SAResNet) -> None:
    nodes = {node.name: node for node in build_model(network).graph.node}
    ends = [name for name in nodes if name.endswith("/elu")]
    assert len(ends) == 1 + 3 * 2 + 16 * 2 + 1  # stem, attentions, blocks, dense layer
    for end in ends:
        prefix = end.removesuffix("/elu")
        assert nodes[end].op_type == "Sub"
        assert list(nodes[end].input) == [f"{prefix}/positive", f"{prefix}/negative"]
        assert nodes[f"{prefix}/positive"].input[0] == nodes[f"{prefix}/exp"].input[0]


@pytest.mark.parametrize("options", [{"strands": "reverse"}, {"weights": "int8"}])
def test_unknown_words_are_refused(network: SAResNet, options: dict) -> None:
    with pytest.raises(ValueError, match="neither"):
        build_model(network, **options)
