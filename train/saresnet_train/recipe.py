"""Recipes: how a network is trained, as presets that a run can change one by one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run, with the reason for each default."""

    name: str = "default"
    optimizer: str = "adamw"  # "adam" is the paper's
    learning_rate: float = 2e-3  # peak of a one-cycle schedule
    schedule: str = "one-cycle"  # or "constant", the paper's
    weight_decay: float = 0.01
    batch_size: int = 256  # twice as fast as the paper's 100 on a CPU, no worse
    dropout: float = 0.3  # 0.7 underfits in the few passes that one needs
    epochs: int = 3
    patience: int = 0  # epochs without a better validation loss before the end; 0 trains to the end
    keep: str = "last"  # which weights count: "last", or "best" on the validation loss
    reverse_complement: bool = True  # a window is shown on a random strand
    shift: int = 40  # a shifted positive moves by up to this many bases
    shifted: float = 0.5  # share of positives that is shifted, with other genome beside it, as a scan meets them
    shuffles: float = 1.0  # dinucleotide shuffles a positive
    fresh: bool = True  # new shuffles each epoch
    genomic: float = 0.5  # genomic windows a positive, new ones each epoch
    match_gc: bool = False  # genomic windows have the GC content of the positives
    flanks: float = 0.0  # windows beside the peaks a positive, where it is known where these stand
    hard: float = 0.0  # share of the genomic windows that is drawn near the hardest, in the second half of the epochs
    label_smoothing: float = 0.0

    def as_dict(self) -> dict:
        """Return the recipe as plain JSON types."""
        return asdict(self)

    def changed(self, **values: object) -> Recipe:
        """Return a copy in which those values that are not None replace the preset's."""
        return replace(self, **{key: value for key, value in values.items() if value is not None})  # type: ignore[arg-type]


_PAPER = Recipe(
    name="paper",
    optimizer="adam",
    learning_rate=5e-4,
    schedule="constant",
    weight_decay=0.0,
    batch_size=100,
    dropout=0.7,
    epochs=150,
    patience=9,
    keep="best",
    reverse_complement=False,
    shift=0,
    shifted=0.0,
    fresh=False,
    genomic=0.0,
)

PRETRAIN = {"default": Recipe(), "paper": _PAPER}
"""Presets of pre-training; "paper" is table 1 and the section on hyper-parameters, and what these leave open (rates,
batches, the early stop) as the authors' program has it, github.com/shenlongchen/saresnet."""

FINETUNE = {
    "default": Recipe(learning_rate=1e-3, batch_size=128, epochs=6, shuffles=2.0, genomic=2.0),
    "paper": replace(_PAPER, learning_rate=2e-4, patience=6),
}
"""Presets of fine-tuning; the default trains scanners, so half of the negatives are real genome."""

SCANNER = Recipe(
    name="scanner",
    learning_rate=1.5e-3,
    batch_size=128,
    shuffles=1.0,
    genomic=8.0,
    match_gc=True,
    flanks=1.0,
    hard=0.5,
)
"""Fine-tuning from peaks, all of which are known: so it can look for the windows that are hardest to tell from them."""


def passes(positives: int, most: int = 20) -> int:
    """Return how many epochs so many positives are trained for: more for a small set, which has fewer steps in each."""
    return max(2, min(most, round(40_000 / max(1, positives))))
