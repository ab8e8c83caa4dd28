"""What a reader calls the methods; apart from these, since a report needs no torch."""

from __future__ import annotations

TITLES = {
    "direct": "SAResNet, direct",
    "global": "SAResNet, global",
    "transfer": "SAResNet, transfer",
    "paper-direct": "SAResNet, direct, paper's recipe",
    "paper-global": "SAResNet, global, paper's recipe, 4 passes",
    "paper-transfer": "SAResNet, transfer, paper's recipe",
    "transfer-no-attention": "64 channels, no attention",
    "transfer-32": "32 channels, attention",
    "transfer-32-no-attention": "32 channels, no attention",
    "direct-no-attention": "direct, 64 channels, no attention",
    "freeze-stem": "stem frozen",
    "freeze-stage2": "stem and stage 2 frozen",
    "freeze-head": "all but the head frozen",
    "transfer-discriminative": "transfer, learning rate by depth",
    "transfer-averaged": "transfer, averaged weights",
    "ensemble": "ensemble: mean over seeds of transfer",
    "distilled": "distilled from the ensemble",
    "expectation-luo": "Expectation-Luo",
    "cnn-zeng": "CNN-Zeng",
    "deeptf": "DeepTF",
    "deepbind": "DeepBind",
    "gkmsvm": "gkm-SVM",
    "pwm": "PWM (JASPAR)",
}
"""In the order of the report."""
