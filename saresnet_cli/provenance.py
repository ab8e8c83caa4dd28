"""What made the scores of a file: models, engine, windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.running import Summary


@dataclass(frozen=True)
class Provenance:
    """What made scores. stride: bases between windows; engine, precision: what computed the models."""

    models: Sequence[Model]
    stride: int
    engine: str
    precision: str

    @classmethod
    def of(cls, models: Sequence[Model], stride: int, summary: Summary) -> Provenance:
        """Say what makes the scores of a run."""
        return cls(tuple(models), stride, summary.engine, summary.precision)

    def about(self, model: Model) -> dict[str, Any]:
        """Return what made the scores of one of the models, as plain JSON types."""
        return {
            "model": model.id,
            "sha256": model.sha256,
            "window": WINDOW,
            "stride": self.stride,
            "strands": model.card.strands,
            "engine": self.engine,
            "precision": self.precision,
            "background": model.card.null_name,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types: the version, and `about` of each model."""
        return {"saresnet": __version__, "models": [self.about(model) for model in self.models]}

    def lines(self) -> list[str]:
        """Return a line of text a model; of the sha256 the first 12 digits."""
        return [
            f"saresnet {__version__} " + " ".join(f"{key}={value}" for key, value in about.items())
            for about in ({**self.about(model), "sha256": model.sha256[:12]} for model in self.models)
        ]

    def comments(self) -> bytes:
        """Return `lines` as comments, each after "# "."""
        return "".join(f"# {line}\n" for line in self.lines()).encode()
