"""What variants do to binding: alternate alleles against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.variants.alleles import Variant, VariantError
    from saresnet_cli.variants.scores import VariantScores, score_variants
else:
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Variant": "alleles",
            "VariantError": "alleles",
            "VariantScores": "scores",
            "score_variants": "scores",
        },
    )

__all__ = [
    "Variant",
    "VariantError",
    "VariantScores",
    "score_variants",
]
