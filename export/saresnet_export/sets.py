"""Which sets of a data folder a model is judged on."""

from __future__ import annotations

from pathlib import Path

from saresnet_train.checkpoint import read_checkpoint
from saresnet_train.data import DataSet, find_set, read_manifest


def sets_of(
    data: Path, names: tuple[str, ...], tiers: tuple[str, ...], checkpoint: Path, id: str | None = None
) -> list[DataSet]:
    """List the sets called `names` and those of `tiers`; without either, the one called like the model.

    Raises DataError when there is no such set, ModelError when the checkpoint
    can't be read.
    """
    if not names and not tiers:
        names = (id or str((read_checkpoint(checkpoint).get("set") or {}).get("id", "")),)
    chosen = [find_set(data, name) for name in names]
    return chosen + (read_manifest(data, tiers) if tiers else [])
