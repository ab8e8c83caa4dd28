"""Models by file, id, factor and cell; what is damaged is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.model_file import read_card
from saresnet_cli.registry import Registry
from saresnet_cli.runtime import Runtime


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


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_model_of_something_else_is_refused(tmp_path: Path, toy: SimpleNamespace, engine: str) -> None:
    with pytest.raises(ModelError, match="carries no model card"):
        load_model(toy.model(tmp_path / "bare.onnx", None))
    for name, options in {"input": {"input_name": "dna"}, "width": {"width": 1000}}.items():
        path = toy.model(tmp_path / f"{name}.onnx", toy.card(), **options)
        with pytest.raises(ModelError, match=rf"{name}\.onnx: is not a saresnet model: it reads"):
            Runtime(engine, device="cpu").open([load_model(path)])


def test_a_graph_that_onnxruntime_refuses_is_a_model_error(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(model.read_bytes().replace(b"BitwiseAnd", b"BitwiseAnt"))
    with pytest.raises(ModelError, match=r"odd\.onnx: onnxruntime can't load it"):
        Runtime("onnxruntime", device="cpu").open([load_model(path)])
