"""Make the windows of `saresnet selftest`, models/selftest.fa, from the example genome.

    python train/make_selftest.py

Real windows, spread evenly and around the CTCF peaks; then what a window may
hold beside A, C, G, T in upper case. `make_models.py --list` stores what the
models give for them.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOW = 101
SPREAD = 42
"""Windows that are spread over the genome."""


def real_windows() -> list[tuple[str, str]]:
    """Return windows of the example genome, (name, bases): evenly spread, then the middle of each CTCF peak."""
    bases = "".join((ROOT / "examples/hg19.chr20.part.fa").read_text().split("\n")[1:])
    starts = [round(k * (len(bases) - WINDOW) / (SPREAD - 1)) for k in range(SPREAD)]
    for line in (ROOT / "examples/ctcf_peaks.bed").read_text().splitlines():
        _, start, end, *_ = line.split("\t")
        starts.append((int(start) + int(end) - WINDOW) // 2)
    return [(f"chr20_part:{start}-{start + WINDOW}", bases[start : start + WINDOW]) for start in starts]


def odd_windows(window: str, site: str) -> list[tuple[str, str]]:
    """Return windows with what is rare, made of an unbound window and a bound site."""
    middle = WINDOW // 2
    return [
        ("site_reverse_complement", site[::-1].translate(str.maketrans("ACGT", "TGCA"))),
        ("site_lower_case", site.lower()),
        ("site_mixed_case", site[:middle] + site[middle:].lower()),
        ("site_one_N_in_the_middle", site[:middle] + "N" + site[middle + 1 :]),
        ("site_ten_N_at_the_start", "N" * 10 + site[10:]),
        ("site_ten_N_at_the_end", site[:-10] + "n" * 10),
        ("site_every_third_N", "".join("N" if k % 3 == 0 else base for k, base in enumerate(site))),
        ("window_IUPAC", "RYSWKMBDHV" + window[10:]),
        ("window_U_for_T", window.replace("T", "U")),
        ("half_window_half_site", window[:middle] + site[middle:]),
        ("all_A", "A" * WINDOW),
        ("all_C", "C" * WINDOW),
        ("CG_repeat", ("CG" * WINDOW)[:WINDOW]),
        ("CA_repeat", ("CA" * WINDOW)[:WINDOW]),
        ("all_N", "N" * WINDOW),
    ]


def main() -> None:
    """Write the windows."""
    real = real_windows()
    windows = [*real, *odd_windows(window=real[3][1], site=real[-1][1])]
    (ROOT / "models/selftest.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in windows))


if __name__ == "__main__":
    main()
