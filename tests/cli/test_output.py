"""Where results go: a signal at any moment leaves no file behind."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from saresnet_cli import output
from saresnet_cli.formats import journal
from saresnet_cli.formats.journal import open_journal
from saresnet_cli.output import open_output, undisturbed
from saresnet_cli.running import Summary


@pytest.fixture(autouse=True)
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM as `saresnet` handles it."""
    kept = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    yield
    signal.signal(signal.SIGTERM, kept)


def write_plainly(folder: Path) -> None:
    with open_output(folder / "out.bed.gz") as sink:
        sink.write(b"chr1\t0\t101\n")


def write_with_a_journal(folder: Path) -> None:
    path = folder / "out.bed"
    with open_journal([path], {"stride": 50}, Summary(), resume=False) as kept, kept.open(path) as sink:
        sink.write(b"chr1\t0\t101\n")


def interrupted_at(line: int, work: Any, folder: Path) -> bool:
    """Do the work and send SIGTERM at the `line`-th line of our code that it runs; return whether it came so far."""
    ours = {output.__file__, journal.__file__}
    seen = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in ours:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(folder)
    except SystemExit as end:
        assert end.code == 143
    finally:
        sys.settrace(before)
    return seen >= line


# Python itself may be interrupted between the last line of a `with` and the closing of its file.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("work", [write_plainly, write_with_a_journal])
def test_a_signal_at_any_line_leaves_no_half_file(work: Any, tmp_path: Path) -> None:
    line = 0
    reached = True
    while reached:
        line += 1
        folder = tmp_path / str(line)
        folder.mkdir()
        reached = interrupted_at(line, work, folder)
        gc.collect()
        left = {path.name for path in folder.iterdir()}
        assert left <= {"out.bed", "out.bed.gz"}, f"line {line}"
    assert line > 25
    assert left, "the last of them was not interrupted"


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(SystemExit):
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)
            done.append(True)
        done.append(False)
    assert done == [True]


def test_threads_are_not_concerned() -> None:
    handler = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with undisturbed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [handler]
