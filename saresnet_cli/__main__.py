"""`python -m saresnet_cli` is the command `saresnet`."""

from __future__ import annotations

from saresnet_cli.main import run

if __name__ == "__main__":
    run()
