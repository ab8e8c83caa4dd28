"""Scores, explained base by base."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.explaining.explanations import Explanations, Method, explain
    from saresnet_cli.explaining.mutagenesis import Effects, Mutagenesis
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Effects": "mutagenesis",
            "Explanations": "explanations",
            "Method": "explanations",
            "Mutagenesis": "mutagenesis",
            "explain": "explanations",
        },
    )

__all__ = [
    "Effects",
    "Explanations",
    "Method",
    "Mutagenesis",
    "explain",
]
