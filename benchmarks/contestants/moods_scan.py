"""(e) A PWM scan by MOODS: another model, cheaper and worse; both strands, hits at p-value 1e-4."""

from __future__ import annotations

from pathlib import Path

import click

from contestants.common import Stopwatch, need, piece_options, read_bases, report


@click.command()
@piece_options
@click.option("--seconds", type=float, default=5.0, show_default=True, help="Scan again until so much time is gone.")
def main(genome: Path, region: str, stride: int, windows: int | None, seconds: float) -> None:
    """Scan a piece with a PWM, again and again."""
    versions = need("MOODS-python", "pyjaspar")
    import MOODS.scan
    import MOODS.tools

    from contestants.jaspar import BACKGROUND, PSEUDOCOUNT, PVALUE, counts

    background = [BACKGROUND] * 4
    forward = MOODS.tools.log_odds([row.tolist() for row in counts()], background, PSEUDOCOUNT)
    matrices = [forward, MOODS.tools.reverse_complement(forward)]
    thresholds = [MOODS.tools.threshold_from_p(matrix, background, PVALUE) for matrix in matrices]
    scanner = MOODS.scan.Scanner(7)
    scanner.set_motifs(matrices, background, thresholds)
    letters = bytes(read_bases(genome, region)).decode()
    watch, passes, hits = Stopwatch(), 0, 0
    while not passes or watch.seconds < seconds:
        with watch.running():
            hits = sum(len(found) for found in scanner.scan(letters))
        passes += 1
    report(bases=passes * len(letters), seconds=watch.seconds, threads=1, hits=hits, passes=passes, versions=versions)


if __name__ == "__main__":
    main()
