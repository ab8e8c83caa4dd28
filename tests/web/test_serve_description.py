"""The description of the API: that it is OpenAPI 3.1, and that the server does what it says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from saresnet_cli.registry.models import Registry
from saresnet_cli.serving.limits import Limits
from saresnet_cli.serving.openapi import describe

schemathesis = pytest.importorskip("schemathesis", reason="pip install 'saresnet[test]'")

IDS = [entry.id for entry in Registry.read().entries if entry.tf.lower() != "any"]
api = schemathesis.openapi.from_dict(describe(IDS, Limits()))


def test_it_is_openapi(server: Any) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="pip install 'saresnet[test]'")
    description = httpx.get(f"{server.url}/api/openapi.json").json()
    assert description["openapi"] == "3.1.0"
    validator.validate(description)
    assert description == describe(IDS, Limits())
    assert set(description["paths"]) == {f"/api/{name}" for name in
        ("scan", "score", "call", "explain", "server", "models", "openapi.json")}  # fmt: skip


@api.parametrize()
@settings(
    max_examples=20, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_the_server_does_what_it_says(case: Any, server: Any) -> None:
    # What is right by its description may name no DNA, or a place that is not in this genome: 422 says so.
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    case.call_and_validate(base_url=server.url, excluded_checks=[positive_data_acceptance])
