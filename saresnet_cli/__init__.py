"""Score DNA windows for binding of a transcription factor, from Python or the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saresnet_cli.calling import Cutoff, Site, call, call_scan
    from saresnet_cli.errors import SaresnetError
    from saresnet_cli.explaining import explain
    from saresnet_cli.genome import Genome
    from saresnet_cli.marginalizing import marginalize
    from saresnet_cli.model import Model, load_model
    from saresnet_cli.regions import Region, read_regions
    from saresnet_cli.runtime import Runtime
    from saresnet_cli.scanning import scan
    from saresnet_cli.scoring import score
    from saresnet_cli.sequences import read_fasta
    from saresnet_cli.variants import Variant, score_variants
else:
    # So that `saresnet --help` waits for neither numpy nor onnxruntime.
    from saresnet_cli.lazy import lazily

    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Cutoff": "calling",
            "Genome": "genome",
            "Model": "model",
            "Region": "regions",
            "Runtime": "runtime",
            "SaresnetError": "errors",
            "Site": "calling",
            "Variant": "variants",
            "call": "calling",
            "call_scan": "calling",
            "explain": "explaining",
            "load_model": "model",
            "marginalize": "marginalizing",
            "read_fasta": "sequences",
            "read_regions": "regions",
            "scan": "scanning",
            "score": "scoring",
            "score_variants": "variants",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "Cutoff",
    "Genome",
    "Model",
    "Region",
    "Runtime",
    "SaresnetError",
    "Site",
    "Variant",
    "call",
    "call_scan",
    "explain",
    "load_model",
    "marginalize",
    "read_fasta",
    "read_regions",
    "scan",
    "score",
    "score_variants",
]
