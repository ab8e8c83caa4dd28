"""The wheel: what it installs, and that it scans on its own."""

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the project without what git ignores."""
    source = tmp_path_factory.mktemp("source") / "saresnet"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*", "runs", "tests")
    shutil.copytree(ROOT, source, ignore=ignored)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--wheel-dir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_a_wheel_carries_every_package_and_model(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith((".dist-info", ".data"))} == {
        "saresnet_cli",
        "saresnet_train",
        "saresnet_export",
        "saresnet_models",
    }
    for folder, package in (
        ("saresnet_cli", "saresnet_cli"),
        ("train/saresnet_train", "saresnet_train"),
        ("export/saresnet_export", "saresnet_export"),
        ("models", "saresnet_models"),
    ):
        files = [
            p.relative_to(ROOT / folder) for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".onnx", ".adapter")
        ]
        assert files
        assert {f"{package}/{path}" for path in files} <= set(names)
    assert {
        "saresnet_models/registry.json",
        "saresnet_models/selftest.fa",
        "saresnet_models/global.pt",
        "saresnet_cli/py.typed",
    } <= set(names)
    assert wheel.stat().st_size < 60e6


def test_an_installed_wheel_scans(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel]
    subprocess.run(list(map(str, install)), check=True, capture_output=True)
    # its dependencies come from the environment that the tests run in, behind what the wheel installed
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    genome = tmp_path / "g.fa"
    genome.write_bytes((ROOT / "examples/hg19.chr20.part.fa").read_bytes())
    command = [python, "-m", "saresnet_cli", "scan", genome, "--tf", "CTCF", "--cell", "GM12878", "--stride", "500"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2 + 121
    where = "import json, saresnet_cli as c, saresnet_models as m; print(json.dumps([c.__file__, *m.__path__]))"
    homes = json.loads(
        subprocess.run([python, "-c", where], check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    )
    assert all(Path(home).is_relative_to(site) for home in homes)
