"""Where results go: a signal at any moment leaves no file behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from saresnet_cli.output import undisturbed

INTERRUPTING = Path(__file__).with_name("interrupting.py")


@pytest.fixture
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM as `saresnet` handles it."""
    kept = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    yield
    signal.signal(signal.SIGTERM, kept)


@pytest.mark.parametrize("kind", ["plainly", "with_a_journal"])
def test_a_signal_at_any_line_leaves_no_half_file(kind: str, tmp_path: Path) -> None:
    # a process of its own: tracing every line is not for one that has run a thousand tests
    command = [sys.executable, INTERRUPTING, kind, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    folders = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name))
    assert len(folders) > 25
    for folder in folders:
        left = {path.name for path in folder.iterdir()}
        assert left <= {"out.bed", "out.bed.gz"}, f"line {folder.name}"
    assert list(folders[-1].iterdir()), "the last was not interrupted"
    assert not list(folders[0].iterdir())


def test_a_signal_waits_for_the_end_of_the_block(ended_by_sigterm: None) -> None:
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
