"""Binding sites: called from a genome, or from a scan that was written before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.calling.calls import Calls, call, call_scan
    from saresnet_cli.calling.cutoffs import Cutoff
    from saresnet_cli.calling.sites import Site
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Calls": "calls",
            "Cutoff": "cutoffs",
            "Site": "sites",
            "call": "calls",
            "call_scan": "calls",
        },
    )

__all__ = [
    "Calls",
    "Cutoff",
    "Site",
    "call",
    "call_scan",
]
