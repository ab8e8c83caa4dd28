from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from saresnet_cli.model_file import read_card
from saresnet_export.command import export


@pytest.fixture
def data(
    tmp_path: Path, make_windows: Callable[..., np.ndarray], write_fasta: Callable[[str, np.ndarray], Path]
) -> Path:
    """A data folder with two sets."""
    folder = tmp_path / "data"
    lines = ["tier\tname\ttf\tcell\tsource"]
    for seed, name in enumerate(("CTCF_GM12878", "SRF_K562")):
        (folder / "encode" / name).mkdir(parents=True)
        lines.append("\t".join(["encode", name, *name.split("_"), "x"]))
        for file in ("train.positive.fa.gz", "test.positive.fa.gz", "test.negative.fa.gz"):
            path = write_fasta("w.fa", make_windows(20 + seed, seed, b"ACGT"))
            path.rename(folder / "encode" / name / file)
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(export, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_report_is_json_on_stdout(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.onnx"
    code, out, err = run(checkpoint, "-o", output, "--data", data)
    report = json.loads(out)
    assert code == 0
    assert report["id"] == "CTCF_GM12878" and report["path"] == str(output)
    assert "m.onnx" in err and "note: no genomic background" in err
    assert read_card(output.read_bytes(), output).test["positives"] == 20


def test_sets_of_a_tier_are_pooled(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.onnx"
    run(checkpoint, "-o", output, "--data", data, "--tier", "encode", "--quiet")
    card = read_card(output.read_bytes(), output)
    assert card.test["positives"] == 41
    assert "2 files pooled" in card.test["protocol"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "X"], "need --data"),
        (["--exclude", "{checkpoint}"], "need --background"),
        (["--test-positive", "{checkpoint}"], "goes with"),
        (["--data", "{data}", "--positives", "{checkpoint}"], "either"),
        (["--tf", "My TF"], "'--tf': 'My TF' holds a blank, '/' or a control character; write My_TF"),
        (["--cell", "a/b"], "write a_b"),
        (["--id", "a\tb"], "write a_b"),
        (["--id", ""], "'--id': '' is no name; write My_TF"),
    ],
)
def test_usage(checkpoint: Path, data: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    filled = [argument.format(checkpoint=checkpoint, data=data) for argument in arguments]
    code, _, err = run(checkpoint, "-o", tmp_path / "m.onnx", *filled)
    assert code == 2 and message in err


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    text = (
        "import sys\n"
        "from saresnet_export.command import export\n"
        "export(['--help'], standalone_mode=False)\n"
        "assert not {'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "ONNX" in done.stdout
