"""Logits of windows from a torch network."""

from __future__ import annotations

import numpy as np
import torch

from saresnet_train.codes import reverse_complement
from saresnet_train.network import SAResNet, one_hot


def predict(
    model: SAResNet, codes: np.ndarray, strands: str = "both", batch_size: int = 512, bfloat16: bool = False
) -> np.ndarray:
    """Score windows in evaluation mode, on the device of the model.

    codes: (n, 101) uint8 -> (n,) float32 logits. strands: "forward", as in the
    paper, or "both", the mean of the window and its reverse complement.
    bfloat16: multiply in bfloat16, for a quick ranking; default float32.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    logits = np.empty(len(codes), np.float32)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        for at in range(0, len(codes), batch_size):
            part = codes[at : at + batch_size]
            value = model.logit(one_hot(part).to(device))
            if strands == "both":
                value = (value + model.logit(one_hot(reverse_complement(part).copy()).to(device))) / 2
            logits[at : at + batch_size] = value.cpu().numpy()
    model.train(training)
    return logits
