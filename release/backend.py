"""The build backend: setuptools, for which the manual pages are made first (PEP 517)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import build_meta as setuptools
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_wheel,
)

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build/man"  # where [options.data_files] of setup.cfg finds them

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

build_editable = setuptools.build_editable
get_requires_for_build_editable = setuptools.get_requires_for_build_editable
prepare_metadata_for_build_editable = setuptools.prepare_metadata_for_build_editable


def build_wheel(directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build a wheel with manual pages; returns its name."""
    subprocess.run([sys.executable, str(ROOT / "release/manual.py"), str(PAGES)], check=True)
    name: str = setuptools.build_wheel(directory, config_settings, metadata_directory)
    return name
