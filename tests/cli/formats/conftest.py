"""A genome to write scores of."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.written_scores import LENGTHS


@pytest.fixture(scope="session")
def chromosomes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chromosomes") / "genome.fa"
    path.write_text("".join(f">{name}\n{'A' * length}\n" for name, length in LENGTHS.items()))
    return path
