"""Score DNA windows for binding of a transcription factor, from Python or the shell."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saresnet_cli.alleles import Variant
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
    from saresnet_cli.variants import score_variants

__version__ = "0.1.0"

__all__ = [
    "Genome",
    "Model",
    "Region",
    "Runtime",
    "SaresnetError",
    "Variant",
    "explain",
    "load_model",
    "marginalize",
    "read_fasta",
    "read_regions",
    "scan",
    "score",
    "score_variants",
]

# Loaded on first use, so that `saresnet --help` waits for neither numpy nor onnxruntime.
_HOMES = {
    "Genome": "genome",
    "explain": "explaining",
    "marginalize": "marginalizing",
    "Model": "model",
    "Region": "regions",
    "Runtime": "runtime",
    "SaresnetError": "errors",
    "Variant": "alleles",
    "load_model": "model",
    "read_fasta": "sequences",
    "read_regions": "regions",
    "scan": "scanning",
    "score": "scoring",
    "score_variants": "variants",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
