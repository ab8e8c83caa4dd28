"""Shares of a scan: what shards write, concatenated in order, is what one run writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACEHOLDER = "{shard}"
"""Stands for the number of a shard, with zeros in front, in the name of a file: sorted by name, they are in order."""


@dataclass(frozen=True)
class Shard:
    """One of `count` shares of the windows of a scan; number is 1 to count. Raises ValueError on any other."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(f"shard {self} is none: give I/N, with I from 1 to N")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a shard like "3/10"; raises ValueError when it is none."""
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None:
            raise ValueError(f"shard {text!r} is none: give I/N, such as 3/10")
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> bool:
        """Whether it is the one that begins with a header."""
        return self.number == 1

    @property
    def padded(self) -> str:
        """The number, with as many digits as `count` has."""
        return f"{self.number:0{len(str(self.count))}d}"

    def of(self, total: int) -> tuple[int, int]:
        """Return its windows [begin, end) of `total`: shares follow each other and differ by one window at most."""
        return (self.number - 1) * total // self.count, self.number * total // self.count
