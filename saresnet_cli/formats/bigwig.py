"""bigWig: a track with an index and zoom levels, for genome browsers (Kent et al. 2010)."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

from saresnet_cli.errors import OutputError
from saresnet_cli.formats.layout import Files, Layout
from saresnet_cli.formats.track import Track
from saresnet_cli.genome import Genome
from saresnet_cli.output import temporary_folder, whole_file
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.scanning import Block

_AT_ONCE = 1 << 16
_LARGEST = 2**32 - 1  # positions are uint32
_log = logging.getLogger("saresnet")


@contextlib.contextmanager
def open_writer(
    path: str | None, made: ScanProvenance, layout: Layout, genome: Genome, files: Files
) -> Iterator[Callable[[Block], None]]:
    """Open a bigWig file; yields what takes in a block. It is written, and read again, when the block ends.

    Values are float32; chromosomes without one are left out, as UCSC's tools do. Raises OutputError when pybigtools
    is not installed, or the file can't be written.
    """
    if find_spec("pybigtools") is None:
        raise OutputError("bigWig needs pybigtools, which is not installed", cure="pip install 'saresnet[bigwig]'")
    for name, length in genome.lengths.items():
        if length > _LARGEST:
            raise OutputError(f"bigWig can't hold the {length:,} bp of {name}", path=path, cure="use bedgraph")
    for line in made.lines():  # the format has no place for it
        _log.info("made by %s", line)
    with (
        whole_file(str(path), ".bw") as file,
        Track(made.models[0], genome, made.stride, layout.value, temporary_folder(path)) as track,
    ):
        yield track.add
        try:
            with _library(file) as pipe:
                written = _send(track, pipe)
        except RuntimeError as error:
            raise OutputError(f"can't be written ({error})", path=path, cure="look for room on the disk") from error
        if not written:
            file.write_bytes(_nothing())


# By -m the working folder would come first among those where modules are looked for.
_PROCESS = (
    "import sys; sys.path[:] = filter(None, sys.path); from saresnet_cli.formats.bigwig_process import main; main()"
)


@contextlib.contextmanager
def _library(file: Path) -> Iterator[BinaryIO]:
    """Start `bigwig_process`; yields its standard input.

    Raises RuntimeError when the file was not written, or does not read back.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        with contextlib.suppress(BrokenPipeError):
            yield cast(BinaryIO, process.stdin)
        said = [line for line in process.communicate()[1].decode(errors="replace").split("\n") if line]
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode:
        said = [f"exit code {process.returncode}", *said]
        raise RuntimeError(next((line for line in said if "os error" in line), said[-1]))


def _send(track: Track, pipe: BinaryIO) -> int:
    """Send a track to the process, and return how many stretches it has."""
    count = 0
    pipe.write(json.dumps(track.lengths).encode() + b"\n")
    for stretches in track.stretches():
        count += len(stretches.start)
        for begin in range(0, len(stretches.start), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            columns = (
                stretches.start[part].astype("<u4"),
                stretches.end[part].astype("<u4"),
                stretches.value[part].astype("<f4"),
            )
            pipe.write(json.dumps([stretches.chrom, len(columns[0])]).encode() + b"\n")
            pipe.write(b"".join(column.tobytes() for column in columns))
    return count


def _nothing() -> bytes:
    """Return a file without values, which the library can't write: its header, summary, and empty trees."""
    magic, summary, chromosomes, data, index = 0x888FFC26, 64, 104, 140, 148
    header = struct.pack("<IHHQQQHHQQIQ", magic, 4, 0, chromosomes, data, index, 0, 0, 0, summary, 32768, 0)
    leaf = struct.pack("<BBH", 1, 0, 0)
    names = struct.pack("<IIIIQQ", 0x78CA8C91, 1, 1, 8, 0, 0) + leaf
    places = struct.pack("<IIQIIIIQII", 0x2468ACE0, 256, 0, 0, 0, 0, 0, index, 1024, 0) + leaf
    return header + bytes(40) + names + bytes(8) + places + struct.pack("<I", magic)
