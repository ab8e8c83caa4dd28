"""Concatenates the files of shards. A script, since a shell's command line ends at some thousand names."""

import shutil
from pathlib import Path

with Path(snakemake.output[0]).open("wb") as result:  # type: ignore[name-defined]  # noqa: F821
    for name in snakemake.input:  # type: ignore[name-defined]  # noqa: F821
        with Path(name).open("rb") as shard:
            shutil.copyfileobj(shard, result, 1 << 20)
