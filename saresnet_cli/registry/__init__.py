"""The models that there are: installed, fetched into the cache, or to be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.registry.fetching import Fetched, Offer
    from saresnet_cli.registry.index import Entry
    from saresnet_cli.registry.models import Registry
    from saresnet_cli.registry.saving import save
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Entry": "index",
            "Fetched": "fetching",
            "Offer": "fetching",
            "Registry": "models",
            "save": "saving",
        },
    )

__all__ = [
    "Entry",
    "Fetched",
    "Offer",
    "Registry",
    "save",
]
