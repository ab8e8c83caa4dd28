"""Makes windows to put motifs into: random DNA of human composition, or shuffles of real sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from saresnet_cli.card import WINDOW
from saresnet_cli.errors import GenomeError, SaresnetError
from saresnet_cli.sequences import Sequence, read_fasta
from saresnet_cli.streams import source_name
from saresnet_cli.windows import count_unknown, cut

DINUCLEOTIDES = np.array(
    [
        [0.075997, 0.050782, 0.075925, 0.057593],
        [0.077060, 0.071143, 0.015583, 0.075925],
        [0.061098, 0.056683, 0.071143, 0.050782],
        [0.046133, 0.061098, 0.077060, 0.075997],
    ]
)
"""Share of each dinucleotide in human DNA: row the first base, column the second, A, C, G, T.

Counted over the 21,619,471 dinucleotides of A, C, G, T in 21.6 Mb of hg19 chr22, both strands together, so that
a window is as likely as its reverse complement.
"""

_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_AT_ONCE = 1 << 20
_SHUFFLED_AT_ONCE = 100_000


def random_windows(count: int, seed: int) -> np.ndarray:
    """Draw windows from the first-order Markov chain that `DINUCLEOTIDES` gives: (count, 101) uint8 ASCII.

    The same seed gives the same windows, and a larger count begins with them.
    """
    drawn = np.random.default_rng((seed, 0)).random((count, WINDOW))
    first = np.cumsum(DINUCLEOTIDES.sum(axis=1) / DINUCLEOTIDES.sum())
    after = np.cumsum(DINUCLEOTIDES / DINUCLEOTIDES.sum(axis=1, keepdims=True), axis=1)
    codes = np.empty((count, WINDOW), dtype=np.int64)
    codes[:, 0] = (drawn[:, 0, None] >= first[:3]).sum(axis=1)
    for at in range(1, WINDOW):
        codes[:, at] = (drawn[:, at, None] >= after[codes[:, at - 1], :3]).sum(axis=1)
    return _LETTERS[codes]


def real_windows(sequences: Iterable[Sequence] | str | Path, count: int, seed: int) -> np.ndarray:
    """Draw windows of sequences, each as likely as another: (n, 101) uint8 ASCII, n <= count, in their order.

    sequences: a FASTA file, "-", or an iterable. Only windows of A, C, G and T are drawn, none twice; where there are
    fewer than `count`, all of them. Raises GenomeError when there is none.
    """
    rng = np.random.default_rng((seed, 1))
    best = np.empty(0)
    windows = np.empty((0, WINDOW), np.uint8)
    for bases in _stretches(read_fasta(sequences) if isinstance(sequences, str | Path) else sequences):
        starts = np.flatnonzero(count_unknown(bases, np.arange(len(bases) - WINDOW + 1)) == 0)
        keys = rng.random(len(starts))
        if len(keys) > count:
            least = np.sort(np.argpartition(keys, count)[:count])
            starts, keys = starts[least], keys[least]
        best = np.concatenate([best, keys])
        windows = np.concatenate([windows, cut(bases, starts)])
        if len(best) > count:
            kept = np.sort(np.argpartition(best, count)[:count])
            best, windows = best[kept], windows[kept]
    if not len(windows):
        path = source_name(sequences) if isinstance(sequences, str | Path) else None
        raise GenomeError(f"it has no window of {WINDOW} bp without N", path=path, cure="give longer sequences")
    return windows


def shuffled_windows(windows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Shuffle windows, keeping how often each dinucleotide occurs in them: (n, 101) -> (count, 101) uint8 ASCII.

    windows: uint8 letters A, C, G, T; they are used again and again until there are `count` shuffles.
    Raises SaresnetError where the library for it is missing.
    """
    try:
        import dinuc_shuf
    except ModuleNotFoundError as error:
        raise SaresnetError(
            "shuffles need dinuc_shuf, which is not installed",
            cure="pip install 'saresnet[explain]', or use the windows as they are with --no-shuffle",
        ) from error
    rng = np.random.default_rng((seed, 2))
    shuffled = np.empty((count, WINDOW), dtype=np.uint8)
    one_hot = np.eye(4, dtype=np.uint8)
    for at in range(0, count, _SHUFFLED_AT_ONCE):
        rows = np.arange(at, min(at + _SHUFFLED_AT_ONCE, count)) % len(windows)
        codes = np.searchsorted(_LETTERS, windows[rows])
        shuffled[at : at + len(rows)] = _LETTERS[
            dinuc_shuf.shuffle(one_hot[codes], rng=rng, verify=False).argmax(axis=2)
        ]
    return shuffled


def _stretches(sequences: Iterable[Sequence]) -> Iterator[np.ndarray]:
    """Yield the bases of sequences, those of a long one in parts that overlap by what a window needs."""
    for sequence in sequences:
        for at in range(0, max(len(sequence.bases) - WINDOW + 1, 0), _AT_ONCE):
            yield sequence.bases[at : at + _AT_ONCE + WINDOW - 1]
