"""A network scored by an engine, as a scan does, gives what torch gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from saresnet_export.scoring import open_network
from saresnet_train.codes import encode
from saresnet_train.network import SAResNet
from saresnet_train.predict import predict


@pytest.mark.parametrize("strands", ["both", "forward"])
def test_logits_are_those_of_torch(
    small_network: SAResNet, make_windows: Callable[..., np.ndarray], strands: str
) -> None:
    codes = encode(make_windows(300))
    with open_network(small_network, strands, threads=1) as score:
        found = score(codes)
    assert (found.dtype, found.shape) == (np.float32, (300,))
    np.testing.assert_allclose(found, predict(small_network, codes, strands), atol=1e-4)
    assert np.ptp(found) > 0.1
