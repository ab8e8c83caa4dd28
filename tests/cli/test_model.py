"""Models by file, id, factor and cell; what is damaged is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from saresnet_cli import engine as engines
from saresnet_cli.errors import DeviceError, ModelError
from saresnet_cli.model import load_model
from saresnet_cli.model_file import read_card
from saresnet_cli.registry import Registry


@pytest.fixture(autouse=True)
def installed(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARESNET_MODELS", str(registry))


@pytest.mark.parametrize(
    ("arguments", "id"),
    [
        ({"model": "CTCF_K562"}, "CTCF_K562"),
        ({"model": "ctcf_k562"}, "CTCF_K562"),
        ({"tf": "CTCF", "cell": "GM12878"}, "CTCF_GM12878"),
        ({"tf": "ctcf", "cell": "k562"}, "CTCF_K562"),
        ({"tf": "MAX"}, "MAX_K562"),  # its only cell
        ({"tf": "rest", "cell": "h1-HESC"}, "REST_H1-hESC"),
    ],
)
def test_found(arguments: dict[str, str], id: str) -> None:
    assert load_model(**arguments).id == id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tf": "CTCF"}, "2 models of CTCF; choose a cell with --cell: GM12878, K562"),
        ({"tf": "CTCE", "cell": "K562"}, "no model of 'CTCE'; the nearest are CTCF"),
        ({"tf": "zzzzz"}, "no model of 'zzzzz'; there are 3; see `saresnet models list`"),
        ({"tf": "MAX", "cell": "GM12878"}, "no model of MAX in GM12878; MAX has K562; GM12878 has CTCF"),
        ({"tf": "MAX", "cell": "liver"}, "no model of MAX in 'liver'; MAX has K562"),
        ({"model": "CTCF_K56"}, "no model 'CTCF_K56'; the nearest are CTCF_K562"),
        ({"model": "nowhere/a.onnx"}, "nowhere/a.onnx: no such file"),
    ],
)
def test_not_found_names_what_there_is(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(**arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_neither_or_both_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="either"):
        load_model()
    with pytest.raises(ValueError, match="either"):
        load_model("CTCF_K562", tf="CTCF")


def test_a_file_needs_no_registry(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARESNET_MODELS", str(tmp_path / "none"))
    assert load_model(model).id == "TOY_CELL"
    with pytest.raises(ModelError, match="set SARESNET_MODELS"):
        load_model("CTCF_K562")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "models": [{"id": "x"}]}', '{"format": 2, "models": []}'])
def test_a_registry_that_can_not_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "registry.json").write_text(text)
    with pytest.raises(ModelError, match=r"registry\.json: "):
        Registry.read(tmp_path)


def test_fields_of_a_newer_registry_are_ignored(tmp_path: Path, registry: Path) -> None:
    content = json.loads((registry / "registry.json").read_text())
    content["models"][0]["colour"] = "blue"
    (tmp_path / "registry.json").write_text(json.dumps(content))
    assert Registry.read(tmp_path).entries == Registry.read(registry).entries


def test_a_wrong_sha256_is_refused(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    shutil.copytree(registry, folder)
    monkeypatch.setenv("SARESNET_MODELS", str(folder))
    shutil.copy(folder / "MAX_K562.onnx", folder / "CTCF_K562.onnx")
    with pytest.raises(ModelError, match=r"CTCF_K562\.onnx: its sha256 is .* the file is damaged; install"):
        load_model("CTCF_K562")
    load_model("MAX_K562")


# The file


def test_every_truncation_is_a_model_error(model: Path) -> None:
    data = model.read_bytes()
    for length in [*range(0, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(ModelError, match=r"toy\.onnx: is not"):
            read_card(data[:length], model)


def test_the_card_is_what_onnx_wrote(model: Path, toy: SimpleNamespace) -> None:
    assert read_card(model.read_bytes(), model) == toy.card()


def test_a_model_of_something_else_is_refused(tmp_path: Path, toy: SimpleNamespace) -> None:
    with pytest.raises(ModelError, match="carries no model card"):
        load_model(toy.model(tmp_path / "bare.onnx", None))
    for name, options in {"input": {"input_name": "dna"}, "width": {"width": 1000}}.items():
        path = toy.model(tmp_path / f"{name}.onnx", toy.card(), **options)
        with pytest.raises(ModelError, match=rf"{name}\.onnx: is not a saresnet model: it reads"):
            load_model(path).engine("cpu")


def test_a_graph_that_onnxruntime_refuses_is_a_model_error(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(model.read_bytes().replace(b"BitwiseAnd", b"BitwiseAnt"))
    with pytest.raises(ModelError, match=r"odd\.onnx: onnxruntime can't load it"):
        load_model(path).engine("cpu")


# The engine


@pytest.mark.parametrize("count", [0, 1, 2, 5, 128, 129])
def test_batches_and_threads_do_not_show(model: Path, count: int) -> None:
    windows = np.random.default_rng(count).choice(np.frombuffer(b"ACGTN", np.uint8), (count, 101))
    results = []
    for threads, batch in [(1, None), (2, None), (3, 1), (2, 7)]:
        with load_model(model).engine("cpu", threads, batch) as engine:
            results.append(engine.logits(windows))
            assert results[-1].shape == (count,)
            assert results[-1].dtype == np.float32
    assert all(result.tobytes() == results[0].tobytes() for result in results)


def test_logits_are_those_computed_by_hand(model: Path, toy: SimpleNamespace) -> None:
    texts = ["ACGTN" * 20 + "A", "acgtR" * 20 + "c"]
    windows = np.array([np.frombuffer(text.encode(), np.uint8) for text in texts])
    with load_model(model).engine("cpu") as engine:
        assert engine.logits(windows) == pytest.approx([toy.logit(text) for text in texts], abs=1e-5)


def test_threads_default_to_the_cores_that_the_process_may_use(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 9}, raising=False)
    with load_model(model).engine("cpu") as engine:
        assert engine.threads == 3
        assert engine.device == "CPU, 3 threads"


def test_cuda_without_one_is_an_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceError, match="no CUDA in this onnxruntime; pip install onnxruntime-gpu"):
        load_model(model).engine("cuda")


@pytest.fixture
def cuda_in_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """An onnxruntime that lists CUDA, prints to standard output, and runs on the CPU."""
    session = engines._session

    def fall_back(module: object, data: bytes, path: Path, _: list[str]) -> object:
        print("EP Error")
        return session(module, data, path, [])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas"), raising=False)
    monkeypatch.setattr(engines, "_session", fall_back)
    monkeypatch.setattr(engines, "_has_driver", lambda: True)


@pytest.mark.usefixtures("cuda_in_name_only")
def test_cuda_that_falls_back_is_noticed_and_prints_no_result(
    model: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeviceError, match=r"CUDA does not start \(Failed to load libcublas\); see nvidia-smi"):
        load_model(model).engine("cuda")
    with load_model(model).engine("auto") as engine:
        assert engine.device.startswith("CPU")
    assert "CUDA does not start (Failed to load libcublas): the CPU is used" in caplog.text
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("cuda_in_name_only")
def test_without_a_driver_cuda_is_not_tried(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engines, "_has_driver", lambda: False)
    with pytest.raises(DeviceError, match="needs an NVIDIA driver"):
        load_model(model).engine("cuda")
    with load_model(model).engine("auto") as engine:
        assert engine.device.startswith("CPU")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_the_padding_of_a_cuda_batch_is_cut_off(model: Path) -> None:
    windows = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), (11, 101))
    with load_model(model).engine("cpu", batch_size=8) as engine:
        plain = engine.logits(windows)
        engine._cuda = True  # type: ignore[attr-defined]
        assert engine.logits(windows).tobytes() == plain.tobytes()
