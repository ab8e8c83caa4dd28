"""The parameters of the API: one table that is both what is checked and what the description says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from saresnet_cli.serving.limits import Refusal

_WHOLE = re.compile(r"[0-9]{1,12}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
FARTHEST = 10**12 - 1
"""Largest position that is read as a number."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a query.

    kind: "integer", "number", "name" or "model". least, most: bounds of a number, included; above: bound, not
    included. choices: the names that there are. repeated: may be given several times, and is then a list.
    """

    name: str
    kind: str
    text: str
    default: Any = None
    required: bool = False
    repeated: bool = False
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, value: str, models: Iterable[str]) -> Any:
        """Return one value; raises Refusal, status 400."""
        if self.kind == "model":
            if value not in models:
                raise self._wrong(value, "is no model that is here", "see /api/models")
            return value
        if self.kind == "name":
            if self.choices and value not in self.choices:
                raise self._wrong(value, f"is not one of {', '.join(self.choices)}", "choose one of them")
            if not value or len(value) > 1000:
                raise self._wrong(value[:20], "is no name", "give 1 to 1,000 characters")
            return value
        whole = self.kind == "integer"
        if not (_WHOLE if whole else _NUMBER).fullmatch(value):
            raise self._wrong(value, f"is no {'whole ' * whole}number", f"give {self._range()}")
        number = int(value) if whole else float(value)
        if (
            not math.isfinite(number)
            or (self.least is not None and number < self.least)
            or (self.most is not None and number > self.most)
            or (self.above is not None and number <= self.above)
        ):
            raise self._wrong(value, "is out of range", f"give {self._range()}")
        return number

    def schema(self) -> dict[str, Any]:
        """Return what a value may be, as JSON Schema."""
        if self.kind == "model":
            schema: dict[str, Any] = {"$ref": "#/components/schemas/ModelId"}
        elif self.kind == "name":
            schema = {"type": "string", "minLength": 1, "maxLength": 1000}
            if self.choices:
                schema = {"type": "string", "enum": list(self.choices)}
        else:
            bounds = (("minimum", self.least), ("maximum", self.most), ("exclusiveMinimum", self.above))
            schema = {"type": self.kind, **{name: value for name, value in bounds if value is not None}}
        if self.default is not None:
            schema["default"] = self.default
        return {"type": "array", "items": schema, "minItems": 1, "uniqueItems": True} if self.repeated else schema

    def _range(self) -> str:
        words = ["a whole number" if self.kind == "integer" else "a number"]
        if self.above is not None:
            words.append(f"above {self.above:g}")
        if self.least is not None:
            words.append(f"{self.least:.12g} or more")
        if self.most is not None:
            words.append(f"{self.most:.12g} at most")
        return ", ".join(words)

    def _wrong(self, value: str, trouble: str, cure: str) -> Refusal:
        return Refusal(400, "bad_parameter", f"{self.name} {value[:80]!r} {trouble}", cure)


def read_query(
    items: Iterable[tuple[str, str]], table: tuple[Parameter, ...], models: Mapping[str, object]
) -> dict[str, Any]:
    """Return the values of a query by name, a default where there is none.

    items: names and values as they were sent. models: those that may be named, by id. Raises Refusal, status 400, on
    a name that is not in the table, a value that is not right, one that is missing, or too many.
    """
    known = {parameter.name: parameter for parameter in table}
    found: dict[str, list[Any]] = {}
    for name, value in items:
        if name not in known:
            raise Refusal(400, "bad_parameter", f"no parameter {name[:80]!r}", f"there are {', '.join(known)}")
        values = found.setdefault(name, [])
        read = known[name].read(value, models)
        if values and not known[name].repeated:
            raise Refusal(400, "bad_parameter", f"{name} is given twice", "give it once")
        if read in values:
            raise Refusal(400, "bad_parameter", f"{name} {value[:80]!r} is given twice", "give each once")
        values.append(read)
    for parameter in table:
        if parameter.required and parameter.name not in found:
            raise Refusal(400, "bad_parameter", f"no {parameter.name}", parameter.text)
    return {
        p.name: (found.get(p.name) if p.repeated else found[p.name][0] if p.name in found else p.default) for p in table
    }


MODEL = Parameter("model", "model", "Id of a model; several give a row or a column each.", required=True, repeated=True)
MAX_N = Parameter("max_n", "number", "Largest share of N in a scored window.", default=0.1, least=0, most=1)
PLACE = (
    Parameter("chrom", "name", "A sequence of the server's genome, in place of a body."),
    Parameter("start", "integer", "First base of the region, counted from 0; default 0.", least=0, most=FARTHEST),
    Parameter("end", "integer", "Base after the region; default the sequence's end.", least=1, most=FARTHEST),
)


def stride(default: int) -> Parameter:
    """Return the parameter for bases between windows."""
    return Parameter("stride", "integer", "Bases between windows.", default=default, least=1, most=1_000_000)


def formats(*names: str) -> Parameter:
    """Return the parameter for the form of an answer; JSON is the default."""
    return Parameter(
        "format", "name", "What is sent back: JSON, or the file that the command writes.", default="json",
        choices=("json", *names),
    )  # fmt: skip
