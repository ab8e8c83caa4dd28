"""Adapters: the complete ONNX file comes back to the last bit, from what is whole and fits, and from nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from saresnet_cli.adapters import GLOBAL, LARGEST, MAGIC, Factors, pack, unpack
from saresnet_cli.card import METADATA_KEY
from saresnet_cli.errors import ModelError
from saresnet_cli.model import load_model
from saresnet_cli.registry import Offer, Registry, save
from saresnet_cli.registry.index import SUFFIX

BASE = load_model(GLOBAL).data
CONVOLUTIONS = [t.name for t in onnx.load_from_string(BASE).graph.initializer if t.name.endswith(".weight.float16")]
ADAPTERS = [entry for entry in Registry.read().entries if entry.file.endswith(SUFFIX)]


def factors_of(weight: onnx.TensorProto, rank: int, seed: int) -> Factors:
    drawn = np.random.default_rng(seed)
    inputs = int(np.prod(weight.dims[1:]))
    left, right = (
        drawn.integers(-LARGEST, LARGEST + 1, shape).astype(np.int8)
        for shape in ((weight.dims[0], rank), (rank, inputs))
    )
    return Factors(left, right, drawn.uniform(1e-5, 1e-3, rank).astype(np.float32))


def adapted(rank: int, seed: int, chosen: list[str], card: str | None = None) -> tuple[bytes, dict[str, Factors]]:
    """Return a model file that differs from the global one by factors, norms and card, and these factors."""
    model = onnx.load_from_string(BASE)
    added = {}
    for weight in model.graph.initializer:
        if weight.name in chosen:
            factors = factors_of(weight, rank, seed)
            added[weight.name.removesuffix(".weight.float16")] = factors
            weight.raw_data = factors.added_to(numpy_helper.to_array(weight)).tobytes()
        elif weight.name.endswith((".norm1.scale", ".norm1.shift")):  # float16 holds the first kind, not the second
            values = numpy_helper.to_array(weight) * np.float32(1.5)
            half = values.astype(np.float16).astype(np.float32)
            weight.raw_data = (half if weight.name.endswith("scale") else values).tobytes()
    if card is not None:
        onnx.helper.set_model_props(model, {METADATA_KEY: card})
    return model.SerializeToString(deterministic=True), added


@settings(max_examples=15)
@given(
    rank=st.integers(1, 5),
    seed=st.integers(0, 1000),
    chosen=st.lists(st.sampled_from(CONVOLUTIONS), min_size=1, unique=True),
    card=st.one_of(st.none(), st.text()),
)
def test_a_model_comes_back_to_the_last_bit(rank: int, seed: int, chosen: list[str], card: str | None) -> None:
    model, added = adapted(rank, seed, chosen, card)
    packed = pack(model, BASE, added)
    assert unpack(packed, BASE) == model
    assert len(packed) < len(model) / 10


def test_what_is_added_is_the_product_of_the_factors() -> None:
    factors = Factors(
        np.array([[1, -2], [3, 0]], np.int8), np.array([[1, 2, 3], [0, -1, 4]], np.int8), np.float32([0.5, 0.25])
    )
    weight = np.float16([[10, 20, 30], [1, 2, 3]]).reshape(2, 3, 1, 1)
    new = factors.added_to(weight)
    assert new.dtype == np.float16 and new.shape == weight.shape
    product = factors.left.astype(float) @ (factors.right * factors.scale[:, None])
    assert (
        new.reshape(2, 3).tolist() == (weight.reshape(2, 3) + product).tolist() == [[10.5, 21.5, 29.5], [2.5, 5, 7.5]]
    )


def test_a_model_that_differs_by_more_is_not_packed() -> None:
    model, added = adapted(2, 1, CONVOLUTIONS)
    name = next(iter(added))
    with pytest.raises(ValueError, match="more than its factors"):
        pack(model, BASE, {**added, name: Factors(added[name].left, added[name].right, added[name].scale * 2)})
    changed = onnx.load_from_string(model)
    changed.graph.node[0].name = "another"
    with pytest.raises(ValueError, match="more than its factors"):
        pack(changed.SerializeToString(deterministic=True), BASE, added)
    changed.graph.initializer[0].name = "another"
    with pytest.raises(ValueError, match="is not the base's"):
        pack(changed.SerializeToString(deterministic=True), BASE, added)


def test_what_is_cut_or_damaged_or_too_long_is_refused() -> None:
    model, added = adapted(1, 2, CONVOLUTIONS[:3])
    packed = pack(model, BASE, added)
    for end in (0, 1, len(MAGIC), len(MAGIC) + 1, 200, *range(1000, len(packed), 4000), len(packed) - 1):
        with pytest.raises(ModelError, match=r"x\.adapter: is not a whole adapter"):
            unpack(packed[:end], BASE, Path("x.adapter"))
    with pytest.raises(ModelError, match="is not a whole adapter"):
        unpack(packed + b"\0", BASE)
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    with pytest.raises(ModelError, match="is not a whole adapter"):
        unpack(bytes(damaged), BASE)
    with pytest.raises(ModelError, match="was made for another global model"):
        unpack(packed, load_model("CTCF_GM12878").data)


@pytest.mark.parametrize(
    "head", [[], {}, {"base": 1}, {"kinds": 3}, {"kinds": "=f"}, {"kinds": "?" * 400}, {"rank": "2"}, {"card": 1}]
)
def test_a_head_that_says_nonsense_is_refused(head: object) -> None:
    packed = pack(*(adapted(1, 2, CONVOLUTIONS[:1])[0], BASE, adapted(1, 2, CONVOLUTIONS[:1])[1]))
    reader = zlib.decompressobj()
    true = json.loads(reader.decompress(packed[len(MAGIC) :]))
    false = {**true, **head} if isinstance(head, dict) and head else head
    with pytest.raises(ModelError, match=r"is not a whole adapter|another global model"):
        unpack(MAGIC + zlib.compress(json.dumps(false).encode()) + reader.unused_data, BASE)


def test_an_adapter_is_a_model_file_like_others(tmp_path: Path, example_genome: Path) -> None:
    entry = ADAPTERS[0]
    packed = tmp_path / f"mine{SUFFIX}"
    shutil.copy(Registry.read().path(entry), packed)
    (whole,) = save(Registry.read(), [entry], tmp_path / "folder")
    rows = []
    for model in (packed, whole):
        command = [sys.executable, "-m", "saresnet_cli", "scan", example_genome, "--model", model, "--stride", "5000"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, cwd=tmp_path)
        assert f"sha256={entry.sha256[:12]}" in done.stdout
        rows.append(done.stdout)
    assert rows[0] == rows[1]
    onnx.checker.check_model(str(whole), full_check=True)


def test_a_damaged_adapter_is_named(tmp_path: Path) -> None:
    packed = tmp_path / f"mine{SUFFIX}"
    packed.write_bytes(Registry.read().path(ADAPTERS[0]).read_bytes()[:5000])
    command = [sys.executable, "-m", "saresnet_cli", "models", "show", str(packed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"saresnet: error: {packed}: is not a whole adapter (cut short); install saresnet again"
    )
    assert len(done.stderr.splitlines()) == 1


def test_saved_models_are_a_source_that_was_signed_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder, registry = tmp_path / "all", Registry.read()
    save(registry, registry.entries, folder)
    monkeypatch.setenv("SARESNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "none").mkdir()
    (tmp_path / "none/registry.json").write_text('{"format": 1, "models": []}')
    monkeypatch.setenv("SARESNET_MODELS", str(tmp_path / "none"))
    offer = Offer(str(folder))  # warns of an index that is not this version's
    assert not caplog.records
    (fetched,) = offer.fetch([offer.registry.get(ADAPTERS[0].id)])
    assert fetched.path.read_bytes() == (folder / f"{ADAPTERS[0].id}.onnx").read_bytes()
    assert load_model(ADAPTERS[0].id).sha256 == ADAPTERS[0].sha256


def test_saving_keeps_what_a_folder_has(tmp_path: Path) -> None:
    def saved(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "saresnet_cli", "models", "save", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert saved("ctcf_gm12878", "-o", "out").stdout == "CTCF_GM12878\tout/CTCF_GM12878.onnx\n"
    assert saved("--tf", "srf", "--cell", "h1-hesc", "-o", "out").returncode == 0
    assert saved("SRF_H1-hESC", "-o", "out").returncode == 0
    listed = Registry.read(tmp_path / "out")
    assert [entry.id for entry in listed.entries] == ["CTCF_GM12878", "SRF_H1-hESC"]
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"CTCF_GM12878.onnx", "SRF_H1-hESC.onnx", "registry.json"}
    for entry in listed.entries:
        assert listed.path(entry).read_bytes() == load_model(entry.id).data
    (tmp_path / "out/registry.json").write_text("{}")
    done = saved("SRF_H1-hESC", "-o", "out")
    assert (done.returncode, (tmp_path / "out/registry.json").read_text()) == (1, "{}")
    assert "out/registry.json: is not a list of models" in done.stderr
    assert saved("-o", "out").returncode == saved("SRF_H1-hESC", "--all", "-o", "out").returncode == 2
    done = saved("SRF_H1-hESC", "-o", "/proc/nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "/proc/nowhere: can't be written" in done.stderr


def test_an_index_of_adapters_is_no_source(tmp_path: Path) -> None:
    home = Registry.read().path(ADAPTERS[0]).parent
    with pytest.raises(
        ModelError, match="as an adapter, not as a complete file: nothing was fetched; let it be written"
    ):
        Offer(str(home))
