"""The self-test: says yes where the models compute what they should, and no where one does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from saresnet_cli import selftest
from saresnet_cli.engines import openvino
from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, Registry, cache
from saresnet_cli.registry.index import SUFFIX
from saresnet_cli.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]
IDS = ["CTCF_GM12878", "CTCF_K562", "MAX_K562"]
CPU = Runtime("onnxruntime", device="cpu", threads=1)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Toys with their logits stored, in place of the installed models, and an empty cache."""
    folder: Path = toy.registry(tmp_path / "models", IDS)
    change(folder, lambda entry: entry | {"selftest": selftest.describe(load_model(folder / entry["file"]))})
    monkeypatch.setenv("SARESNET_MODELS", str(folder))
    monkeypatch.setenv("SARESNET_CACHE", str(tmp_path / "cache"))
    return folder


def change(folder: Path, edit: Callable[[dict], dict], id: str | None = None) -> None:
    """Edit the models of an index, or the one with this id."""
    content = json.loads((folder / "registry.json").read_text())
    content["models"] = [edit(entry) if id in (None, entry["id"]) else entry for entry in content["models"]]
    (folder / "registry.json").write_text(json.dumps(content))


def shifted(window: int, by: float) -> Callable[[dict], dict]:
    """Return an edit that makes the stored logit of a window another one."""

    def edit(entry: dict) -> dict:
        logits = list(entry["selftest"]["logits"])
        logits[window] += by
        return entry | {"selftest": entry["selftest"] | {"logits": logits}}

    return edit


# What is stored


def test_the_windows_are_those_that_the_script_makes(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    made = script("train/make_selftest.py")
    stored = (ROOT / "models/selftest.fa").read_text()
    real = made.real_windows()
    assert stored == "".join(f">{n}\n{b}\n" for n, b in [*real, *made.odd_windows(real[3][1], real[-1][1])])
    windows = selftest.stored_windows()
    assert windows.shape == (64, 101)
    assert "".join(map(chr, windows.ravel())) == "".join(stored.split("\n")[1::2])
    assert {ord("n"), ord("N"), ord("a"), ord("U"), ord("V")} <= set(windows.ravel().tolist())
    assert len(np.unique(windows, axis=0)) == 64


def test_the_stored_logits_are_what_the_models_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SARESNET_MODELS", raising=False)
    entries = Registry.read(ROOT / "models").entries
    assert len(entries) >= 32
    # one in ten adapters, since a session of each takes minutes: each has the sha256 of a complete file, as all others
    adapters = [entry for entry in entries if entry.file.endswith(SUFFIX)]
    for entry in [entry for entry in entries if entry not in adapters] + adapters[::10]:
        given = selftest.describe(load_model(ROOT / "models" / entry.file))
        assert given["windows"] == entry.selftest["windows"], entry.id
        np.testing.assert_allclose(given["logits"], entry.selftest["logits"], atol=1e-4, rtol=0, err_msg=entry.id)
        assert np.ptp(entry.selftest["logits"]) > 1, entry.id
        site, *turned = np.array(entry.selftest["logits"])[[48, 49, 50, 51]]
        np.testing.assert_allclose(turned, site, atol=1e-4)  # either strand, either case


# Yes


@pytest.mark.parametrize(
    ("engine", "precision"), [("onnxruntime", "float32"), ("openvino", "float32"), ("openvino", "bfloat16")]
)
def test_the_shipped_models_pass_here(engine: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "openvino" and openvino.missing() is not None:
        pytest.skip("needs openvino")
    if precision == "bfloat16" and "avx512_bf16" not in processor_flags():
        pytest.skip("needs a processor with bfloat16")
    monkeypatch.delenv("SARESNET_MODELS", raising=False)
    kept = [entry for entry in Registry.read(ROOT / "models").entries if entry.id in ("CTCF_GM12878", "global")]
    registry = Registry(tuple(kept), {entry.id: ROOT / "models" / entry.file for entry in kept})
    monkeypatch.setattr(Registry, "read", lambda: registry)
    report = selftest.selftest(Runtime(engine, precision, "cpu", 1))
    assert not report.wrong
    assert [result.id for result in report.results] == ["CTCF_GM12878", "global"]
    assert report.largest < {"float32": 1e-4, "bfloat16": 0.3}[precision]
    assert (precision == "float32") == (report.largest < 1e-3)
    assert str(report).startswith("2 models compute what they should on CPU, 1 thread, ")


def processor_flags() -> set[str]:
    try:
        return set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return set()


def test_the_command_says_so_in_a_line(folder: Path, saresnet: Command, tmp_path: Path) -> None:
    environment = {"SARESNET_MODELS": str(folder), "SARESNET_CACHE": str(tmp_path / "cache")}
    done = saresnet("selftest", "--device", "cpu", "--threads", "1", "--engine", "onnxruntime", env=environment)
    assert done.returncode == 0, done.stderr
    *rows, last = done.stdout.splitlines()
    assert [row.split("\t")[0] for row in rows] == IDS
    assert {row.split("\t")[2] for row in rows} == {"ok"}
    assert last.startswith("ok: 3 models compute what they should on CPU, 1 thread, onnxruntime, float32 (largest diff")
    told = json.loads(saresnet("selftest", "--device", "cpu", "--json", env=environment).stdout)
    assert (told["ok"], told["precision"], told["tolerance"]) == (True, "float32", 5e-4)
    assert [model["id"] for model in told["models"]] == IDS


def test_models_are_chosen_by_id(folder: Path, saresnet: Command, tmp_path: Path) -> None:
    change(folder, shifted(17, 0.001), "CTCF_K562")
    environment = {"SARESNET_MODELS": str(folder), "SARESNET_CACHE": str(tmp_path / "cache")}
    command = ("selftest", "--device", "cpu", "--model", "max_k562", "--model", "CTCF_GM12878", "--model", "MAX_K562")
    done = saresnet(*command, env=environment)
    assert done.returncode == 0, done.stderr
    assert [row.split("\t")[0] for row in done.stdout.splitlines()[:-1]] == ["MAX_K562", "CTCF_GM12878"]
    assert saresnet(*command, "--model", "CTCF_K562", env=environment).returncode == 1
    none = saresnet("selftest", "--device", "cpu", "--model", "CTCF_K563", env=environment)
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr.startswith("saresnet: error: no model 'CTCF_K563'; ") and "CTCF_K562" in none.stderr


def test_models_side_by_side_are_told_in_their_order(folder: Path) -> None:
    change(folder, shifted(17, 0.001), "CTCF_GM12878")
    change(folder, lambda entry: entry | {"sha256": "0" * 64}, "CTCF_K562")
    told: list[selftest.Result] = []
    report = selftest.selftest(Runtime("onnxruntime", device="cpu", threads=3), told.append)
    assert [result.id for result in told] == IDS
    assert report.results == told
    assert [result.id for result in report.wrong] == IDS[:2]
    assert report.device.startswith("CPU, 3 threads")


def test_fetched_models_bring_theirs(folder: Path, tmp_path: Path, toy: SimpleNamespace) -> None:
    remote = toy.registry(tmp_path / "remote", ["XYZ1_pan", "XYZ2_pan"])
    change(remote, lambda e: e | {"selftest": selftest.describe(load_model(remote / e["file"]))}, "XYZ1_pan")
    offer = Offer(str(remote))
    offer.fetch(offer.registry.entries)
    report = selftest.selftest(CPU)
    assert [result.id for result in report.results] == [*IDS, "XYZ1_pan"]
    assert report.without == ["XYZ2_pan"]
    assert str(report).endswith("; 1 have no stored logits")
    cache.path(offer.registry.get("XYZ1_pan")).write_bytes(b"damaged")
    (wrong,) = selftest.selftest(CPU).wrong
    assert "XYZ1_pan" in str(wrong.problem)
    assert wrong.difference is None


# No


def test_one_logit_that_is_off_is_found_and_named(folder: Path, saresnet: Command, tmp_path: Path) -> None:
    change(folder, shifted(17, 0.001), "CTCF_K562")
    environment = {"SARESNET_MODELS": str(folder), "SARESNET_CACHE": str(tmp_path / "cache")}
    done = saresnet("selftest", "--device", "cpu", env=environment)
    assert done.returncode == 1
    assert "ok: " not in done.stdout
    assert done.stdout.splitlines()[1].startswith("CTCF_K562\t1.0e-03\twindow 18 has logit ")
    (line,) = done.stderr.splitlines()
    assert line.startswith("saresnet: error: 1 of 3 models do not compute what they should on CPU, ")
    assert ": CTCF_K562; try --engine onnxruntime" in line
    assert json.loads(saresnet("selftest", "--device", "cpu", "--json", env=environment).stdout)["ok"] is False


def test_what_is_allowed_depends_on_the_precision(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder, shifted(3, 4e-4), "MAX_K562")
    assert not selftest.selftest(CPU).wrong
    change(folder, shifted(3, -8.2e-4), "MAX_K562")
    assert not selftest.selftest(CPU).wrong
    change(folder, shifted(3, -2e-4), "MAX_K562")
    assert [result.id for result in selftest.selftest(CPU).wrong] == ["MAX_K562"]
    monkeypatch.setitem(selftest.TOLERANCE, "float32", selftest.TOLERANCE["tf32"])
    assert not selftest.selftest(CPU).wrong


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda entry: entry | {"sha256": "0" * 64}, "the file is damaged"),
        (shifted(0, float("nan")), "its logits are no numbers"),
        (lambda entry: entry | {"selftest": {**entry["selftest"], "logits": [1.0]}}, "can't be read"),
        (lambda entry: entry | {"selftest": {**entry["selftest"], "logits": [1.0, 2.0]}}, "can't be read"),
        (lambda entry: entry | {"selftest": {**entry["selftest"], "logits": "abc"}}, "can't be read"),
        (lambda entry: entry | {"selftest": {"windows": entry["selftest"]["windows"]}}, "can't be read"),
    ],
    ids=["file", "nan", "one logit", "two logits", "text", "none"],
)
def test_a_model_that_can_not_be_compared_is_wrong(folder: Path, edit: Callable[[dict], dict], problem: str) -> None:
    change(folder, edit, "CTCF_K562")
    (wrong,) = selftest.selftest(CPU).wrong
    assert wrong.id == "CTCF_K562"
    assert problem in str(wrong.problem)


def test_an_engine_that_computes_something_else_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from saresnet_cli.engines.onnx_runtime import OnnxRuntimeEngine

    original = OnnxRuntimeEngine.run

    def off_by_a_window(self: OnnxRuntimeEngine, windows: np.ndarray) -> np.ndarray:
        return np.roll(original(self, windows), 1)

    monkeypatch.setattr(OnnxRuntimeEngine, "run", off_by_a_window)
    assert [result.id for result in selftest.selftest(CPU).wrong] == IDS


def test_nothing_to_compare_with_is_no_pass(folder: Path) -> None:
    change(folder, lambda entry: entry | {"selftest": {**entry["selftest"], "windows": "another set"}})
    with pytest.raises(ModelError, match="nothing was tested"):
        selftest.selftest(CPU)


def test_help_is_short_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from saresnet_cli.commands.selftest import selftest; "
        "selftest(['--help'], standalone_mode=False); "
        "sys.exit(bool({'numpy', 'onnxruntime', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) <= 40
