"""A local web page, and a JSON API behind it: the scores of the commands, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.serving.application import application
    from saresnet_cli.serving.limits import Limits
    from saresnet_cli.serving.server import serve
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Limits": "limits",
            "application": "application",
            "serve": "server",
        },
    )

__all__ = [
    "Limits",
    "application",
    "serve",
]
