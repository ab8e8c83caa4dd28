from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from saresnet_export.graph import build_model
from saresnet_export.reference import stored_network
from saresnet_export.verify import ExportError, check_windows, verify
from saresnet_train.network import SAResNet


def test_windows_to_check_on_have_n_lower_case_and_stray_letters(make_windows: Callable[..., np.ndarray]) -> None:
    windows = make_windows(1000, letters=b"ACGT")
    checked = check_windows(windows)
    assert checked.shape[1] == 101 and checked.dtype == np.uint8
    real = {row.tobytes() for row in windows}
    assert sum(row.tobytes() in real for row in checked) == 240
    assert (checked == ord("N")).any(axis=1).sum() > 50
    assert (checked == ord("N")).all(axis=1).any()
    assert np.isin(checked, list(b"acgt")).all(axis=1).sum() == 60
    np.testing.assert_array_equal(checked, check_windows(windows))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_windows_are_enough(small_network: SAResNet, make_windows: Callable[..., np.ndarray], count: int) -> None:
    checked = check_windows(make_windows(count))
    assert len(checked) >= count
    assert verify(build_model(small_network).SerializeToString(), small_network, checked).windows == len(checked)


def test_measures_how_far_a_file_is_from_torch(
    small_network: SAResNet, make_windows: Callable[..., np.ndarray]
) -> None:
    data = build_model(small_network, weights="float16").SerializeToString()
    windows = check_windows(make_windows(200))
    agreement = verify(data, stored_network(small_network, "float16"), windows)
    assert 0 < agreement.logit < 1e-4
    assert 0 < agreement.probability < 1e-5
    assert 0 < agreement.torch_logit < 1e-4
    with pytest.raises(ExportError, match="differs from torch"):
        verify(data, small_network, windows)  # weights that were not rounded


def test_a_small_difference_is_an_error(small_network: SAResNet, make_windows: Callable[..., np.ndarray]) -> None:
    data = build_model(small_network).SerializeToString()
    other = stored_network(small_network, "float32")
    with torch.no_grad():
        other.out.bias[1] += 5e-4
    with pytest.raises(ExportError, match=r"model\.onnx: the ONNX model differs from torch by 0\.0005"):
        verify(data, other, check_windows(make_windows(20)), path=Path("model.onnx"))


def test_not_a_number_is_an_error(small_network: SAResNet, make_windows: Callable[..., np.ndarray]) -> None:
    broken = stored_network(small_network, "float32")
    with torch.no_grad():
        broken.dense.bias.fill_(torch.nan)
    with pytest.raises(ExportError, match="nan"):
        verify(build_model(broken).SerializeToString(), broken, check_windows(make_windows(5)))
