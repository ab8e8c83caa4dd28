"""What motifs do to a score, in windows that are else background."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.marginalizing.backgrounds import random_windows, real_windows, shuffled_windows
    from saresnet_cli.marginalizing.marginals import Marginal, marginalize
    from saresnet_cli.marginalizing.motifs import Motif, MotifError, read_motifs
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Marginal": "marginals",
            "Motif": "motifs",
            "MotifError": "motifs",
            "marginalize": "marginals",
            "random_windows": "backgrounds",
            "read_motifs": "motifs",
            "real_windows": "backgrounds",
            "shuffled_windows": "backgrounds",
        },
    )

__all__ = [
    "Marginal",
    "Motif",
    "MotifError",
    "marginalize",
    "random_windows",
    "read_motifs",
    "real_windows",
    "shuffled_windows",
]
