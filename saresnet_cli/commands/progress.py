"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from typing import TypeVar

from saresnet_cli.running import Run

B = TypeVar("B")


def with_progress(run: Run[B]) -> Iterator[B]:
    """Yield the blocks of a run; when standard error is a terminal, count windows on it, once a second."""
    shown = sys.stderr.isatty() and logging.getLogger("saresnet").isEnabledFor(logging.INFO)
    begun = said = time.monotonic()
    for block in run:
        yield block
        now = time.monotonic()
        if shown and now - said >= 1:
            done = run.summary.windows
            print(f"\rsaresnet: {done:,} windows, {done / (now - begun):,.0f}/s ", end="", file=sys.stderr, flush=True)
            said = now
    if shown and said > begun:
        print("\r\033[K", end="", file=sys.stderr)
