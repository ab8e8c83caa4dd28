"""What each method is: a line on its network, where it is from, and what is other here than published."""

from __future__ import annotations

from collections.abc import Iterator

from saresnet_train.benchmark.report.document import Block, Heading, Table, Text
from saresnet_train.benchmark.report.methods import LEARNING, RIVALS, title
from saresnet_train.benchmark.report.tables import Source

_SARESNET = "Convolution, self-attention, 16 residual blocks, 443,333 parameters"
_SHEN = "Shen 2021, doi:10.1093/bib/bbab101"
DESCRIBED = {
    "direct": (f"{_SARESNET}; from nothing", _SHEN, "our recipe, or the paper's, below"),
    "global": ("The same, one for all sets", _SHEN, "four passes over the windows of 194 sets"),
    "transfer": ("The same, from the global network on", _SHEN, "our recipe, or the paper's, below"),
    "expectation-luo": (
        "Convolution, expectation pooling in place of the maximum",
        "Luo 2020, doi:10.1093/bioinformatics/btz768",
        "the end by validation loss; more settings are searched",
    ),
    "cnn-zeng": (
        "128 detectors of 24 bp, maximum, a dense layer of 32",
        "Zeng 2016, doi:10.1093/bioinformatics/btw255",
        "a random search over their ranges in place of Hyperband; Adam in half of it",
    ),
    "deeptf": (
        "Detectors of three widths on runs of 2 bases, an LSTM",
        "Bao 2019, doi:10.1007/978-3-030-36204-1_10",
        "no code is public, so widths, kernels, pooling and the LSTM's size are our choices",
    ),
    "deepbind": (
        "16 detectors of 24 bp, maximum, a dense layer or none",
        "Alipanahi 2015, doi:10.1038/nbt.3300",
        "6 to 12 settings with one validation set each, not 30 with three",
    ),
    "gkmsvm": (
        "Support vector machine on gapped k-mers (11 bases, 7 of them informative, or 10 and 6), both strands",
        "Ghandi 2014, doi:10.1371/journal.pcbi.1003711; Lee 2016",
        "5,000 windows of each class at most, as in the paper; settings around the defaults are tried, unlike there",
    ),
    "pwm": (
        "Best hit of the factor's matrix, both strands; nothing is trained",
        "JASPAR 2026",
        "of several matrices that of the highest AUROC on the validation windows",
    ),
}
"""By method: its network, its source, and what is other than published."""


def described(source: Source) -> Iterator[Block]:
    """Yield the section on what the methods are."""
    yield Heading("The methods")
    rows = [[title(method), *DESCRIBED[method]] for method in (*LEARNING, *RIVALS)]
    yield Table("**What each method is**", ["", "network", "source", "other here than published"], rows)
    yield Text(
        "Our recipe: AdamW with one cycle of the learning rate, fresh shuffles each pass, windows on a random strand, "
        "dropout 0.3, the weights of the last pass; the fewer windows a set has, the more passes. The paper's, with "
        "what its authors' program adds: Adam at a constant rate, one shuffle of each window, dropout 0.7, the end by "
        "validation loss. Each rival is trained with several settings, the published ones among them where such are "
        "told (Expectation-Luo, gkm-SVM; of the others ranges or parts are), and the one of the lowest validation loss "
        "counts, of a gkm-SVM or PWM that of the highest validation AUROC; how many there are is in the table of "
        "seconds below. `train/saresnet_train/baselines/` says more, one file a rival."
    )
