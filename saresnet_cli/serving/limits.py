"""What a client may ask for, and the one line of JSON that refuses more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class Limits:
    """What a client may ask for.

    body: bytes of a request, also after unpacking; bases: of all its sequences together; sequences: how many;
    scores: windows times models, with all their changes where they are explained; jobs: how many requests are
    worked on at a time; seconds: how long one may take, its sending included; models: how many are kept open.
    """

    body: int = 2_000_000
    bases: int = 1_000_000
    sequences: int = 1000
    scores: int = 200_000
    jobs: int = 4
    seconds: float = 60.0
    models: int = 32

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"{name} {value} is not above 0")


@dataclass
class Refusal(Exception):
    """A request that is refused: status is of HTTP; code names the reason to a program, detail and cure to a person."""

    status: int
    code: str
    detail: str
    cure: str
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the problem as one line of JSON (RFC 9457, with the members `code` and `cure`)."""
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "cure": self.cure,
        }
        return json.dumps(problem).encode() + b"\n"


def too_many(code: str, what: str, limit: int, cure: str) -> Refusal:
    """Return the refusal of more than a limit allows, status 413."""
    return Refusal(413, code, f"more than {limit:,} {what}", cure)
