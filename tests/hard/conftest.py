"""The toy model, the small genome and the command, as tests/cli has them."""

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "saresnet_cli_conftest", Path(__file__).parents[1] / "cli" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_cli = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cli)

toy, model, registry = _cli.toy, _cli.model, _cli.registry
sequences, genome, fasta, saresnet = _cli.sequences, _cli.genome, _cli.fasta, _cli.saresnet
