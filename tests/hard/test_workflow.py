"""The workflows: Snakemake is run, killed and resumed where it is installed; the form of the Nextflow module, too."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from saresnet_cli import __version__

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "workflow" / "nextflow" / "modules" / "saresnet" / "scan"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def workflow(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("tests/hard/workflow.py")


@pytest.mark.skipif(
    shutil.which("snakemake") is None or "SARESNET_SNAKEMAKE" not in os.environ,
    reason="a minute: needs snakemake on the path and SARESNET_SNAKEMAKE=1",
)
def test_snakemake_is_killed_and_resumed(workflow: ModuleType, example_genome: Path, tmp_path: Path) -> None:
    result = workflow.run(example_genome, tmp_path, shards=2, stride=3)
    assert result["jobs_done_when_killed"] >= 3
    assert result["results_when_killed"] == []
    assert result["jobs_left_behind"] == []
    assert result["equal"] == dict.fromkeys(workflow.MODELS, True)


def test_the_last_real_run_was_equal(workflow: ModuleType) -> None:
    result = json.loads((ROOT / "benchmarks" / "results" / "workflow.json").read_text())
    assert result["equal"] == dict.fromkeys(workflow.MODELS, True)
    assert 0 < result["jobs_done_when_killed"] < len(result["models"]) * result["shards"]


@pytest.mark.parametrize("name", ["workflow/Snakefile", ".snakemake-workflow-catalog.yml", "config/README.md"])
def test_what_the_catalogue_of_snakemake_asks_for_is_there(name: str) -> None:
    assert (ROOT / name).read_text()


def test_the_configuration_is_documented_and_in_the_schema() -> None:
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "config" / "README.md").read_text(), re.MULTILINE)
    assert list(config) == list(schema["properties"]) == documented
    catalogue = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(catalogue["usage"]) <= {"mandatory-flags", "software-stack-deployment", "report"}


def test_the_versions_are_those_of_the_package() -> None:
    for path in (MODULE / "environment.yml", ROOT / "workflow" / "envs" / "saresnet.yaml"):
        assert re.search(rf"saresnet ?={re.escape(__version__)}$", path.read_text(), re.MULTILINE)
    assert set(re.findall(r"saresnet:([0-9][^-']*)", (MODULE / "main.nf").read_text())) == {__version__}


def test_the_module_has_the_files_and_the_inputs_that_it_describes() -> None:
    yaml = pytest.importorskip("yaml")
    about = yaml.safe_load((MODULE / "meta.yml").read_text())
    text = (MODULE / "main.nf").read_text()
    assert about["name"] == "saresnet_scan"
    assert text.startswith("process SARESNET_SCAN {")
    declared = text.partition("input:")[2].partition("output:")[0].strip().splitlines()
    inputs = [re.findall(r"(?:val|path)\((\w+)\)", line) for line in declared]
    described = [
        [next(iter(part)) for part in (entry if isinstance(entry, list) else [entry])] for entry in about["input"]
    ]
    assert inputs == described
    assert set(re.findall(r"emit: (\w+)", text)) == set(about["output"])
    tested = (MODULE / "tests" / "main.nf.test").read_text()
    assert "-stub" in tested
    assert tested.count("input[") == 4 * len(re.findall(r"^    test\(", tested, re.MULTILINE))


@pytest.mark.parametrize("shard", ["", "2/3"])
def test_the_command_of_the_module_runs(genome: Path, registry: Path, tmp_path: Path, shard: str) -> None:
    """The script as Nextflow fills it in, run by bash."""
    text = (MODULE / "main.nf").read_text().partition("script:")[2].partition("stub:")[0]
    script = text.split('"""')[1].replace("\\\\\n", "\\\n")
    values = {
        "fasta": genome.name,
        "regions": "",
        "which": "--model CTCF_K562",
        "share": f"--shard {shard}" if shard else "",
        "args": "--max-pvalue 0.5",
        "task.cpus": "1",
        "prefix": "x",
        "number": ".{shard}" if shard else "",
        "suffix": "bed.gz",
    }
    script = re.sub(r"\$\{([\w.]+)\}", lambda found: values[found[1]], script)
    environment = {
        **os.environ,
        "SARESNET_MODELS": str(registry),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = f"saresnet() {{ '{sys.executable}' -m saresnet_cli \"$@\"; }}\n{script}"
    done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = gzip.decompress((tmp_path / ("x.2.bed.gz" if shard else "x.bed.gz")).read_bytes()).decode()
    assert rows.startswith("#") != bool(shard)
    assert rows.count("CTCF_K562") > 2
