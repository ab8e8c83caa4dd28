"""The parts of a report, which are written as Markdown and as HTML from the same objects.

Text may hold `code` and **bold**, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title of the page."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table: the first column is text, the others figures. caption: what it is, and of how many sets."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Command:
    """What a reader types to make the numbers above again."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A figure. name: of its file, without the ending; svg: its bytes; alt: what it shows, for who can't see it."""

    name: str
    svg: bytes
    alt: str
    caption: str


Block = Heading | Text | Items | Table | Command | Picture
