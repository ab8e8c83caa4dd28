"""Types of what options hold that click has not, or is too lenient about."""

from __future__ import annotations

import math
from typing import Any

import click

from saresnet_cli.naming import fault_of


class _Finite(click.ParamType):
    """A number that is one: "nan" passes every comparison with a bound, and an infinity those that are not there."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


class Number(_Finite, click.types.FloatParamType):
    """A finite number."""


class NumberRange(_Finite, click.FloatRange):
    """A finite number between bounds, which are those of `click.FloatRange`."""


class Name(click.ParamType):
    """What a model is called: its id, factor or cell."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if fault := fault_of(text):
            self.fail(f"{fault.message}; write {fault.better}.", param, ctx)
        return text
