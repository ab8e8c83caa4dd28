"""Formats scored variants as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from saresnet_cli.model import Model
from saresnet_cli.provenance import VariantProvenance
from saresnet_cli.variants.scores import VariantScores

COLUMNS = (
    *("chrom", "pos", "id", "ref", "alt", "model", "ref_logit", "alt_logit", "delta"),
    *("gain", "gain_start", "loss", "loss_start", "windows", "skipped", "partial"),
)


def table_header(provenance: VariantProvenance) -> bytes:
    """Return a comment a model that says what made the table, and the names of the columns."""
    lines = [f"# saresnet {provenance.words(model)}" for model in provenance.models]
    return "\n".join([*lines, "\t".join(COLUMNS), ""]).encode()


def table_lines(scores: VariantScores, models: Sequence[Model]) -> bytes:
    """Format alternate alleles as lines, one an allele and model; NA stands where there is no value.

    pos: 1-based, as in VCF; gain_start, loss_start: 0-based, as in BED.
    """
    lines = []
    columns = [scores.ref, scores.alt, scores.delta, scores.gain, scores.gain_start, scores.loss, scores.loss_start]
    values = [column.tolist() for column in columns]
    rows = zip(scores.record.tolist(), scores.allele.tolist(), scores.windows.tolist(), strict=True)
    for row, (record, allele, windows) in enumerate(rows):
        variant = scores.variants[record]
        alt = variant.alts[allele] if variant.alts else "."
        name = getattr(variant, "id", None) or "."
        place = f"{variant.chrom}\t{variant.start + 1}\t{name}\t{variant.ref or '.'}\t{alt}"
        notes = f"{windows}\t{scores.skipped[row] or '.'}\t{scores.partial[row] or '.'}"
        for column, model in enumerate(models):
            numbers = "\t".join(_show(value[row][column]) for value in values)
            lines.append(f"{place}\t{model.id}\t{numbers}\t{notes}\n")
    return "".join(lines).encode()


def _show(value: float | int) -> str:
    if isinstance(value, int):
        return "NA" if value < 0 else str(value)
    return "NA" if math.isnan(value) else f"{round(value, 4) + 0.0:.4f}"
