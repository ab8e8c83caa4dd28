"""(e) A PWM scan by lightmotif: another model, cheaper and worse; both strands, hits at p-value 1e-4."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from contestants.common import Stopwatch, need, piece_options, read_bases, report


@click.command()
@piece_options
@click.option("--seconds", type=float, default=5.0, show_default=True, help="Scan again until so much time is gone.")
def main(genome: Path, region: str, stride: int, windows: int | None, seconds: float) -> None:
    """Scan a piece with a PWM, again and again."""
    versions = need("lightmotif", "pyjaspar")
    import lightmotif

    from contestants.jaspar import PSEUDOCOUNT, PVALUE, counts

    table: dict[str, Iterable[int]] = {
        base: [int(count) for count in row] for base, row in zip("ACGT", counts(), strict=True)
    }
    pssm = lightmotif.CountMatrix(table).normalize(PSEUDOCOUNT).log_odds()
    matrices = [(matrix, matrix.score(PVALUE)) for matrix in (pssm, pssm.reverse_complement())]
    letters = bytes(read_bases(genome, region)).decode()
    watch, passes, hits = Stopwatch(), 0, 0
    while not passes or watch.seconds < seconds:
        with watch.running():
            striped = lightmotif.stripe(letters)
            hits = sum(1 for matrix, score in matrices for _ in lightmotif.scan(matrix, striped, threshold=score))
        passes += 1
    report(bases=passes * len(letters), seconds=watch.seconds, threads=1, hits=hits, passes=passes, versions=versions)


if __name__ == "__main__":
    main()
