"""Which format a scan is written in, what it holds, and to which files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saresnet_cli.errors import OutputError
from saresnet_cli.shards import PLACEHOLDER, Shard

if TYPE_CHECKING:
    from saresnet_cli.output import Sink

VALUES = ("logit", "score", "pvalue")
MODEL = "{model}"
"""Stands for the id of a model in the name of a file."""

_PACKED = (".gz", ".bgz")


@dataclass(frozen=True)
class Format:
    """A format. suffixes: names of files that mean it, the usual one first; text: lines, which can be packed as BGZF
    and go to standard output; track: one value a base, so one model a file; rows: lines in the order of the windows,
    so that shards can be concatenated, and a scan that was killed can go on.
    """

    suffixes: tuple[str, ...]
    text: bool = True
    track: bool = False

    @property
    def rows(self) -> bool:
        return self.text and not self.track


FORMATS = {
    "bed": Format((".bed",)),
    "tsv": Format((".tsv",)),
    "bedgraph": Format((".bedgraph", ".bdg", ".bg"), track=True),
    "bigwig": Format((".bw", ".bigwig"), text=False, track=True),
    "parquet": Format((".parquet", ".pq"), text=False),
}
_TABLES = ("tsv", "parquet")


@dataclass(frozen=True)
class Layout:
    """How a scan is written.

    format: a key of `FORMATS`. path: a file, None for standard output; where it contains `MODEL`, a file a model.
    wide: a table with a column a model, not a row a window and model. value: what a wide table and a track hold.
    shard: which share of the windows it is, None for all.
    """

    format: str = "bed"
    path: str | None = None
    wide: bool = False
    value: str = "logit"
    shard: Shard | None = None

    @classmethod
    def choose(
        cls,
        path: str | None = None,
        format: str | None = None,
        wide: bool = False,
        value: str | None = None,
        models: int = 1,
        shard: Shard | None = None,
    ) -> Layout:
        """Choose a layout by what a user said of it.

        path: a file, "-" or None for standard output, a folder (it exists, or ends in "/") for a file a model.
        format: default is that of the file's name, else tsv where it is wide, else bed. value: default logit.
        models: how many there are. shard: its number replaces `PLACEHOLDER` in the path. Raises ValueError, one line
        with the cure, on what can't be.
        """
        if path is not None and shard is not None:
            path = path.replace(PLACEHOLDER, shard.padded)
        folder = bool(path) and (str(path).endswith("/") or Path(str(path)).is_dir())
        packed = path is not None and not folder and path.lower().endswith(_PACKED)
        name = format or _by_name(path) or ("tsv" if wide else "bed")
        if name not in FORMATS:
            raise ValueError(f"format {name!r} is not one of {', '.join(FORMATS)}")
        if value is not None and value not in VALUES:
            raise ValueError(f"value {value!r} is not one of {', '.join(VALUES)}")
        chosen = FORMATS[name]
        if folder:
            path = str(Path(str(path)) / (MODEL + chosen.suffixes[0]))
        if path in (None, "-"):
            path = None
            if not chosen.text:
                raise ValueError(f"{name} can't be written to standard output: give a file with -o")
        if packed and not chosen.text:
            raise ValueError(f"{name} is compressed in itself: leave the .gz out of the file's name")
        if wide and name not in _TABLES:
            raise ValueError(f"{name} has no column a model: use --format tsv or parquet for --wide")
        if value is not None and not wide and not chosen.track:
            raise ValueError(f"{name} holds logit, score and pvalue: --value is for --wide, bedgraph and bigwig")
        if chosen.track and models > 1 and (path is None or MODEL not in path):
            raise ValueError(
                f"{name} holds one model, and {models} are chosen: give a folder, -o DIR/, "
                f"or a name with {MODEL}, such as -o scan.{MODEL}{chosen.suffixes[0]}"
            )
        if shard is not None and not chosen.rows:
            whole = "a chromosome at a time" if chosen.track else "of the shards' rows"
            raise ValueError(f"shards of {name} can't be concatenated: use bed or tsv, and make {name} {whole}")
        return cls(name, path, wide, value or "logit", shard)

    @property
    def headed(self) -> bool:
        """Whether a file begins with its header: only the first shard does."""
        return self.shard is None or self.shard.first

    @property
    def resumable(self) -> bool:
        """Whether a scan that was killed can go on with its files."""
        from saresnet_cli.output import is_stream, real_path

        return FORMATS[self.format].rows and self.path is not None and not is_stream(real_path(self.path))

    def files(self, ids: Sequence[str]) -> list[tuple[str | None, list[int]]]:
        """Return the files, None for standard output, and which of the models goes into each."""
        if self.path is None or MODEL not in self.path:
            return [(self.path, list(range(len(ids))))]
        for id in ids:
            if "/" in id or "\0" in id:
                raise OutputError(f"the id {id!r} of a model can't be in the name of a file", path=self.path)
        return [(self.path.replace(MODEL, id), [number]) for number, id in enumerate(ids)]


@dataclass(frozen=True)
class Files:
    """How the writer of a format opens a file, and whether it puts a header in front."""

    open: Callable[[str | None], contextlib.AbstractContextManager[Sink]]
    headed: bool = True


def _by_name(path: str | None) -> str | None:
    name = (path or "").lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return next((format for format, about in FORMATS.items() if name.endswith(about.suffixes)), None)
