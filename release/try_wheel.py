"""Install a wheel into a clean environment of the Python that runs this, and run the inference tests against it.

    python3.N release/try_wheel.py WHEEL SDIST

The tests are those of the sdist, in a folder without the packages' sources, so that they can import only what the wheel
installed. Everything comes from the package index that pip knows. Exit code 0: all is well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

# What the tests of inference import, by what pip calls it. Not all of the extra "test": captum would bring torch.
REQUIREMENTS = ("pytest>=8", "hypothesis>=6.90", "onnx>=1.15", "pyarrow>=14", "matplotlib>=3.9", "logomaker>=0.8.7")
TESTS = (
    "tests/test_models.py",
    "tests/test_readme.py",
    "tests/cli/test_alleles.py",
    "tests/cli/test_command.py",
    "tests/cli/test_engines.py",
    "tests/cli/test_genome.py",
    "tests/cli/test_model.py",
    "tests/cli/test_regions.py",
    "tests/cli/test_scan.py",
    "tests/cli/test_score.py",
    "tests/cli/test_selftest.py",
    "tests/cli/test_variants.py",
    "tests/cli/test_windows.py",
)
SOURCES = ("saresnet_cli", "train/saresnet_train", "export/saresnet_export")


def try_wheel(wheel: Path, sdist: Path) -> None:
    """Install and test; raises subprocess.CalledProcessError on the first step that fails."""
    with tempfile.TemporaryDirectory(prefix="saresnet-try-") as scratch:
        work = Path(scratch)
        with tarfile.open(sdist) as tar:
            tar.extractall(work / "sdist")
        (source,) = (work / "sdist").iterdir()
        for folder in SOURCES:
            shutil.rmtree(source / folder)
        environment = work / "environment"
        venv.create(environment, with_pip=True)
        bin = environment / "bin"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SARESNET"))}
        clean["PATH"] = f"{bin}{os.pathsep}{os.environ['PATH']}"

        def run(*command: object) -> None:
            print("+", *command, flush=True)
            subprocess.run(list(map(str, command)), check=True, cwd=source, env=clean)

        run(bin / "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
        run(bin / "pip", "check")
        run(bin / "saresnet", "--version")
        run(bin / "saresnet", "selftest", "--device", "cpu")
        run(bin / "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary", *REQUIREMENTS)
        # not `python -m pytest`, which would put this folder before what is installed
        run(bin / "pytest", "-q", "-p", "no:cacheprovider", *TESTS)


if __name__ == "__main__":
    print(f"trying {sys.argv[1]} on Python {sys.version.split()[0]}", flush=True)
    try:
        try_wheel(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    except subprocess.CalledProcessError as error:
        sys.exit(f"`{' '.join(error.cmd)}` ended with {error.returncode}")
