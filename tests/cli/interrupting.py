"""Writes a file again and again, each time with SIGTERM at another line of our code, until no line is left.

    python interrupting.py plainly|with_a_journal FOLDER

FOLDER gets a folder a line, in which is what was left; in the last nothing was sent.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from saresnet_cli import output
from saresnet_cli.formats import journal, locks
from saresnet_cli.running import Summary

OURS = {output.__file__, journal.__file__, locks.__file__}


def plainly(folder: Path) -> None:
    with output.open_output(folder / "out.bed.gz") as sink:
        sink.write(b"chr1\t0\t101\n")


def with_a_journal(folder: Path) -> None:
    path = folder / "out.bed"
    with journal.open_journal([path], {"stride": 50}, Summary(), resume=False) as kept, kept.open(path) as sink:
        sink.write(b"chr1\t0\t101\n")


def interrupted_at(line: int, work: Callable[[Path], None], folder: Path) -> bool:
    """Do the work and send SIGTERM at the `line`-th line of our code that it runs; return whether it came so far."""
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in OURS:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                signal.raise_signal(signal.SIGTERM)
        return trace

    sys.settrace(trace)
    try:
        work(folder)
    except SystemExit as end:
        if end.code != 143:
            raise
    finally:
        sys.settrace(None)
    return seen >= line


def main() -> None:
    work = {"plainly": plainly, "with_a_journal": with_a_journal}[sys.argv[1]]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as `saresnet` handles it
    line, reached = 0, True
    while reached:
        line += 1
        folder = Path(sys.argv[2], str(line))
        folder.mkdir()
        reached = interrupted_at(line, work, folder)


if __name__ == "__main__":
    main()
