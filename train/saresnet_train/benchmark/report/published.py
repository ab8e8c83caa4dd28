"""What the paper reports, by its tables and figures (Shen et al., Briefings in Bioinformatics, 2021, bbab101).

All are means over its 690 ENCODE sets, one strand scored, negatives by dinucleotide shuffles; AUC is the area under
the ROC curve. The keys of the columns are those of the benchmark's records.
"""

from __future__ import annotations

SETS = 690
SETS_BY_SIZE = {"small": 73, "medium": 429, "large": 188}
"""How many sets are of which size: section "Comparison of SAResNet with other predictors"."""

COLUMNS = ("accuracy", "precision", "recall", "f1", "auroc")

TABLE_2_3 = {
    "direct": (0.728, 0.735, 0.723, 0.723, 0.790),
    "global": (0.794, 0.808, 0.771, 0.786, 0.878),
    "transfer": (0.849, 0.861, 0.831, 0.845, 0.920),
}
"""Direct and global learning (table 2), global and transfer learning (table 3)."""

FIGURE_3_ABOVE = {("direct", "global"): 509, ("direct", "transfer"): 688}
"""Sets on which the second does better than the first; the paper gives no count for global and transfer."""

FIGURE_4 = {"validation": 0.889, "test": 0.892}
"""AUC of the global model on pooled windows: global-VL and global-TS."""

TABLE_4 = {
    "transfer-32-no-attention": (0.825, 0.835, 0.812, 0.822, 0.900),
    "transfer-32": (0.838, 0.850, 0.822, 0.835, 0.911),
    "transfer-no-attention": (0.839, 0.844, 0.832, 0.838, 0.912),
    "transfer": (0.849, 0.861, 0.831, 0.845, 0.920),
}

FIGURE_5_WINS = {32: 0.951, 64: 0.935}
"""Share of sets on which attention does better, by the number of channels."""

TABLE_5 = {
    "transfer": {"all": 0.920, "small": 0.876, "medium": 0.907, "large": 0.966},
    "expectation-luo": {"all": 0.881, "small": 0.835, "medium": 0.859, "large": 0.947},
    "cnn-zeng": {"all": 0.875, "small": 0.818, "medium": 0.850, "large": 0.953},
    "deeptf": {"all": 0.845, "small": 0.809, "medium": 0.818, "large": 0.919},
    "deepbind": {"all": 0.830, "small": 0.785, "medium": 0.809, "large": 0.896},
    "gkmsvm": {"all": 0.818, "small": 0.798, "medium": 0.805, "large": 0.856},
}
"""AUC by size of the set."""

TABLE_5_PVALUES = {
    "expectation-luo": 1.9e-11,
    "cnn-zeng": 6.1e-12,
    "deeptf": 9.8e-14,
    "deepbind": 2.2e-14,
    "gkmsvm": 5.7e-168,
}
"""Student's t-test of SAResNet's AUC against each."""

FIGURE_6_MEDIANS = {"transfer": 0.923, "next": 0.884}
"""Median AUC of SAResNet, and of the best of the others."""
