"""What a job of the benchmark is, and how much it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GROUPS = {
    "prepare": "made once, before the measurements",
    "limit": "what the machine can do",
    "network": "the same network, the same windows, both strands",
    "threads": "one thread",
    "models": "several models in one pass",
    "peer": "other models, cheaper and worse",
    "startup": "a scan of one region",
    "memory": "memory, and the whole genome",
    "gpu": "the same network on a GPU",
}

Span = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """How much is measured; the default is some 5 to 15 seconds a job on two cores.

    region: of the contestants that score windows, at `stride`; few: windows of the slower ones, the first of the
    region; ten: region of the runs with ten models; gpu: region on a GPU; short: region whose memory is compared
    with that of the whole genome, both at `whole_stride`; seconds: of contestants that repeat until a time is over;
    svm: windows of each class that the gkm-SVM is trained on.
    """

    region: Span = (10_000_000, 13_000_000)
    stride: int = 50
    few: int = 30_000
    ten: Span = (10_000_000, 11_000_000)
    gpu: Span = (1_000_000, 61_000_000)
    short: Span = (1_000_000, 6_000_000)
    whole_stride: int = 50
    seconds: float = 5.0
    svm: int = 1000


QUICK = Sizes(
    region=(10_000_000, 10_030_000),
    few=512,
    ten=(10_000_000, 10_010_000),
    gpu=(10_000_000, 11_000_000),
    whole_stride=50_000,
    seconds=0.2,
    svm=50,
)


@dataclass(frozen=True)
class Job:
    """One contestant.

    name: in the results; what: in the table; group: of GROUPS; command: its words. threads: that it computes
    with; scan: it is `saresnet scan`, whose rows go to /dev/null, else it prints a line of JSON; once: measured
    once, not every round; makes: a file that later jobs need; needs: "cuda" or "data", without which it is not
    run; without: environment variables to remove.
    """

    name: str
    what: str
    group: str
    command: tuple[str, ...]
    threads: int = 1
    scan: bool = False
    once: bool = False
    makes: Path | None = None
    needs: str = ""
    without: tuple[str, ...] = ()
