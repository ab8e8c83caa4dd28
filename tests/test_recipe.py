"""The bioconda recipe: it agrees with setup.cfg, and its own build and test commands succeed in a clean prefix."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
META = ROOT / "recipe/meta.yaml"

# what conda-forge calls what pip knows by another name
CONDA = {"onnxruntime-gpu": "onnxruntime", "torch": "pytorch"}
# on PyPI alone, so training from conda needs pip for it
NOT_ON_CONDA = {"dinuc_shuf"}

pytestmark = pytest.mark.skipif(not META.exists(), reason="an sdist has no recipe, which holds its hash")


def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def rendered(python: str = "python") -> dict[str, Any]:
    """The recipe, as conda-build reads it."""
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(META.read_text())
    text = template.render(PYTHON=python, pin_subpackage=lambda name, max_pin: f"{name} max_pin={max_pin}")
    recipe: dict[str, Any] = yaml.safe_load(text)
    return recipe


def requirements(lines: str) -> dict[str, str]:
    """Requirements of setup.cfg by conda's name: the lower bound, ">=1.2"."""
    found = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, bound = re.match(r"([A-Za-z0-9_.-]+)\s*(>=[\d.a-z]+)?", line).groups()
        if name not in NOT_ON_CONDA:
            found[CONDA.get(name, name)] = bound or ""
    return found


def of_conda(specs: list[str]) -> dict[str, str]:
    return {spec.split(" ")[0]: spec.partition(" ")[2] for spec in specs}


def test_version_and_entry_points_are_those_of_setup_cfg() -> None:
    recipe, config = rendered(), setup()
    assert recipe["package"] == {"name": config["metadata"]["name"], "version": config["metadata"]["version"]}
    assert recipe["source"]["url"].endswith("/s/saresnet/saresnet-" + config["metadata"]["version"] + ".tar.gz")
    points = config["options.entry_points"]["console_scripts"].strip().splitlines()
    assert recipe["build"]["entry_points"] == points
    assert recipe["about"]["license"] == config["metadata"]["license"]
    assert len(recipe["about"]["summary"]) <= 120


def test_dependencies_are_those_of_setup_cfg() -> None:
    recipe, config = rendered(), setup()
    run = of_conda(recipe["requirements"]["run"])
    assert run.pop("python") == config["options"]["python_requires"]
    assert run == requirements(config["options"]["install_requires"])
    # training is no part of the base package, but what is there must be new enough
    assert "pytorch" not in run
    assert of_conda(recipe["requirements"]["run_constrained"]) == requirements(
        config["options.extras_require"]["train"]
    )


def test_the_build_has_what_pyproject_asks_for() -> None:
    host = of_conda(rendered()["requirements"]["host"])
    asked = re.search(r"^requires = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.M)
    assert asked is not None
    for requirement in re.findall(r'"([^"]+)"', asked[1]):
        name, bound = re.fullmatch(r"([A-Za-z-]+)(.*)", requirement).groups()
        assert host[name] == bound


def test_bioconda_gets_what_it_asks_for() -> None:
    recipe = rendered()
    assert recipe["build"]["noarch"] == "python"
    assert recipe["build"]["number"] == 0
    assert recipe["build"]["run_exports"] == ["saresnet max_pin=x.x"]
    assert re.fullmatch("[0-9a-f]{64}", str(recipe["source"]["sha256"]))
    assert all((ROOT / path).is_file() for path in recipe["about"]["license_file"])
    assert recipe["extra"]["identifiers"] == ["doi:10.1093/bib/bbab101"]
    assert not re.search(r"# +\[", META.read_text())  # selectors have no place in a noarch recipe


def test_the_recipe_builds_and_passes_its_own_tests(tmp_path: Path) -> None:
    """Its script and its test commands, in a clean prefix; the dependencies are those of this environment."""
    source = tmp_path / "work"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*", "*.whl", "runs", "tests")
    shutil.copytree(ROOT, source, ignore=ignored)
    prefix = tmp_path / "prefix"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "SARESNET"))}
    clean |= {"PREFIX": str(prefix), "PATH": f"{prefix}/bin{os.pathsep}{os.environ['PATH']}"}
    python = prefix / "bin/python"
    recipe = rendered(str(python))
    # pip sees the saresnet of this environment behind the prefix and must not take it away
    script = recipe["build"]["script"].replace(" -vvv", " --quiet --ignore-installed")
    done = subprocess.run(["bash", "-ec", script], cwd=source, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in recipe["test"]["imports"]:
        told = subprocess.run(
            [python, "-c", f"import {name}; print({name}.__path__[0])"],
            cwd=tests, env=clean, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert Path(told.stdout.strip()).is_relative_to(site)
    # one script that ends with the first command that fails, as conda-build runs them
    commands = "\n".join(recipe["test"]["commands"])
    done = subprocess.run(["bash", "-ec", commands], cwd=tests, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"saresnet {recipe['package']['version']}\n")
