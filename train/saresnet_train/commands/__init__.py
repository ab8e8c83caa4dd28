"""The `saresnet train` commands, one file each; they import torch only when they run."""

from __future__ import annotations

import click

from saresnet_train.commands.evaluate import evaluate
from saresnet_train.commands.finetune import finetune
from saresnet_train.commands.pretrain import pretrain


@click.group()
def train() -> None:
    """Train models: pretrain, finetune, evaluate (needs the extra "train")."""


for _command in (pretrain, finetune, evaluate):
    train.add_command(_command)
