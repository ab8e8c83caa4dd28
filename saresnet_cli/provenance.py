"""Says what made the scores of a file: models, engine, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.running import Summary

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True)
class Provenance:
    """What made scores.

    engine, precision: what computed the models; settings: what else decides the result, by name.
    """

    models: Sequence[Model]
    engine: str
    precision: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, models: Sequence[Model], summary: Summary, settings: Mapping[str, Any]) -> Self:
        """Say what makes the scores of a run."""
        return cls(tuple(models), summary.engine, summary.precision, settings)

    def about(self, model: Model) -> dict[str, Any]:
        """Return what made the scores of one of the models, as plain JSON types."""
        return {
            "model": model.id,
            "sha256": model.sha256,
            "window": WINDOW,
            "strands": model.card.strands,
            "engine": self.engine,
            "precision": self.precision,
            **self.settings,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types: the version, and `about` of each model."""
        return {"saresnet": __version__, "models": [self.about(model) for model in self.models]}

    def words(self, model: Model) -> str:
        """Return `about` one of the models as words; of the sha256 the first 12 digits."""
        about = {**self.about(model), "sha256": model.sha256[:12]}
        return " ".join(f"{key}={value}" for key, value in about.items())

    def lines(self) -> list[str]:
        """Return a line of text a model: the version, and `words`."""
        return [f"saresnet {__version__} {self.words(model)}" for model in self.models]

    def header(self, columns: Sequence[str]) -> bytes:
        """Return the head of a table: `lines` and the columns, each line after "#"."""
        return "\n".join([*(f"# {line}" for line in self.lines()), "#" + "\t".join(columns), ""]).encode()


@dataclass(frozen=True)
class ScanProvenance(Provenance):
    """What made the scores and p-values of a scan.

    stride: bases between windows. filters: what a score must hold to be kept, in words, "" for all.
    """

    stride: int = 50
    filters: str = ""

    @classmethod
    def of_scan(cls, models: Sequence[Model], summary: Summary, stride: int) -> ScanProvenance:
        """Say what makes the scores of a scan."""
        return cls(tuple(models), summary.engine, summary.precision, {}, stride, summary.filters)

    def about(self, model: Model) -> dict[str, Any]:
        """Return what made the scores of a model: the stride comes after the window, background and filters last."""
        known = super().about(model)
        first = {key: known[key] for key in ("model", "sha256", "window")}
        return {**first, "stride": self.stride, **known, "background": model.card.null_name} | (
            {"kept": self.filters} if self.filters else {}
        )


class VariantProvenance(Provenance):
    """What made the scores of variants: which windows is among the settings, and the version among the words."""

    def about(self, model: Model) -> dict[str, Any]:
        """Return what made the scores of one of the models: the version first, neither window nor strands."""
        known = super().about(model)
        return {"version": __version__} | {key: known[key] for key in known if key not in ("window", "strands")}
