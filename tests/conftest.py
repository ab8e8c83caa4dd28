"""Real sequence for the tests: 60 kb of hg19 chr20 that the project ships."""

import os
import signal
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

# models that a developer has fetched are none of the tests'
os.environ["SARESNET_CACHE"] = "/nonexistent/saresnet"

# the halves of the tests share the cores, and torch's threads would wait for each other by keeping them busy
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# a shell that starts the tests in the background has SIGINT ignored, for all under it, and tests send it
signal.signal(signal.SIGINT, signal.default_int_handler)

# a loaded machine is slow, and a test that fails has to fail again
hypothesis.settings.register_profile("saresnet", deadline=None, derandomize=True)
hypothesis.settings.load_profile("saresnet")


@pytest.fixture(scope="session")
def example_genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example FASTA, copied so that its index is not written into the project."""
    path = tmp_path_factory.mktemp("genome") / "hg19.chr20.part.fa"
    path.write_bytes((EXAMPLES / path.name).read_bytes())
    return path


@pytest.fixture(scope="session")
def example_peaks() -> Path:
    """The CTCF peaks in GM12878 on the example FASTA."""
    return EXAMPLES / "ctcf_peaks.bed"


@pytest.fixture(scope="session")
def real_windows() -> np.ndarray:
    """Base codes of all adjacent windows of the example: (594, 101) uint8."""
    text = "".join((EXAMPLES / "hg19.chr20.part.fa").read_text().split("\n")[1:])
    codes = np.frombuffer(text.encode(), np.uint8)
    codes = np.searchsorted(np.frombuffer(b"ACGT", np.uint8), codes).astype(np.uint8)
    return codes[: len(codes) // 101 * 101].reshape(-1, 101)


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Gives a script of the project, by its path there, as a module."""

    def load(path: str) -> ModuleType:
        spec = spec_from_file_location(Path(path).stem, ROOT / path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
