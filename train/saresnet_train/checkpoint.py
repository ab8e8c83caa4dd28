"""Checkpoints: all of a run's state in one file, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import Tensor

from saresnet_cli.errors import ModelError
from saresnet_cli.output import whole_file
from saresnet_train.lowrank import is_adapted, merge
from saresnet_train.network import NetworkConfig, SAResNet

FORMAT = "saresnet-checkpoint-1"


def save_checkpoint(path: Path, state: dict) -> None:
    """Write a checkpoint, whole or not at all; raises OutputError. The same state gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()  # a file's name would be in its bytes
    torch.save({"format": FORMAT, **state}, content)
    with whole_file(path, ".pt") as part:
        part.write_bytes(content.getbuffer())


def read_checkpoint(path: Path | str) -> dict:
    """Read a checkpoint on the CPU; raises ModelError when it is not there or is not one."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError("no such file", path=path) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ModelError("it can't be read as a checkpoint", path=path, cure="train again") from error
    except Exception as error:  # torch raises pickle.UnpicklingError and others for foreign files
        if type(error).__module__.split(".")[0] not in ("pickle", "_pickle", "torch"):
            raise
        raise ModelError("it is not a checkpoint", path=path) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ModelError("it is not a saresnet checkpoint", path=path)
    return state


def strip_checkpoint(path: Path | str, output: Path) -> None:
    """Write a finished checkpoint without its optimizer and history: weights to start from.

    The same weights give the same bytes, wherever they come from. Raises ModelError when it is not a checkpoint.
    """
    state = read_checkpoint(path)
    network = network_of(state).float()
    kept = {key: state[key] for key in ("config", "set", "training", "seed") if key in state}
    save_checkpoint(output, {**kept, "model": network.state_dict()})


def load_network(path: Path | str) -> SAResNet:
    """Return the network of a checkpoint, with its best weights where it kept them, in evaluation mode."""
    return network_of(read_checkpoint(path))


def network_of(state: dict) -> SAResNet:
    """Return the network of a checkpoint that was read; low-rank matrices are added to the weights."""
    model = SAResNet(NetworkConfig.from_dict(state["config"]))
    weights = weights_of(state)
    model.load_state_dict(merge(weights).state if is_adapted(weights) else weights)
    return model.eval()


def weights_of(state: dict) -> dict[str, Tensor]:
    """Return the weights of a checkpoint that count: the best where it kept them, else the last."""
    weights: dict[str, Tensor] = state.get("best_model") or state["model"]
    return weights
