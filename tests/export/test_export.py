from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from saresnet_cli.card import Card
from saresnet_cli.errors import ModelError, OutputError, SaresnetError
from saresnet_cli.model_file import read_card
from saresnet_export import export as module
from saresnet_export.export import ExportReport, Material, export_model
from saresnet_export.reference import reference_logits, stored_network
from saresnet_export.verify import ExportError
from saresnet_train.background import Background
from saresnet_train.checkpoint import read_checkpoint, save_checkpoint
from saresnet_train.metrics import measure
from saresnet_train.network import SAResNet

WriteFasta = Callable[[str, np.ndarray], Path]


def card_of(path: Path) -> Card:
    return read_card(path.read_bytes(), path)


@pytest.fixture
def material(write_fasta: WriteFasta, make_windows: Callable[..., np.ndarray], example_genome: Path) -> Material:
    return Material(
        test_positive=(write_fasta("bound.fa", make_windows(40, 1, b"ACGT")),),
        test_negative=(write_fasta("unbound.fa", make_windows(30, 2, b"ACGT")),),
        positives=(write_fasta("train.fa", make_windows(25, 3, b"ACGT")),),
        genome=Background(example_genome),
        count=500,
    )


def test_writes_what_the_best_weights_compute(
    checkpoint: Path, small_network: SAResNet, make_windows: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    output = tmp_path / "model.onnx"
    report = export_model(checkpoint, output)
    assert isinstance(report, ExportReport)
    assert report.sha256 == hashlib.sha256(output.read_bytes()).hexdigest()
    assert report.bytes == output.stat().st_size
    windows = make_windows(5)
    session = onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"sequence": windows})
    assert logits.shape == (5,) and logits.dtype == np.float32
    np.testing.assert_allclose(logits, reference_logits(small_network, windows), rtol=0, atol=2e-5)


def test_card_says_what_was_exported(
    checkpoint: Path, small_network: SAResNet, material: Material, tmp_path: Path
) -> None:
    output = tmp_path / "model.onnx"
    report = export_model(checkpoint, output, material=material, licence="CC0")
    card = card_of(output)
    assert (card.id, card.tf, card.cell, card.source) == ("CTCF_GM12878", "CTCF", "GM12878", "test")
    assert (card.strands, card.window, card.channels, card.attention) == ("both", 101, 16, True)
    assert (card.assay, card.licence) == ("ChIP-seq", "CC0")
    assert card.parameters == sum(p.numel() for p in small_network.parameters())
    assert card.train == {"positives": 10, "shuffled": 10, "genomic": 0}
    assert (card.test["positives"], card.test["negatives"]) == (40, 30)
    assert card.test["auroc"] == report.auroc[report.weights]
    assert set(card.versions) == {"saresnet", "python", "torch", "onnx", "onnxruntime"}
    assert card.background["shuffled"].windows == 20_000
    assert "25 bound windows" in card.background["shuffled"].source
    assert card.background["genomic"].windows == 500
    assert card.null is card.background["genomic"]
    assert "multiples of 50 bp" in card.background["genomic"].source
    assert card.background["genomic"].tail[-1] == pytest.approx(1 / 500)
    assert card.threshold == pytest.approx(card.background["genomic"].logit[-1], abs=1e-4)


def test_card_and_options(checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.onnx"
    export_model(
        checkpoint, output, strands="forward", weights="float16", id="x", tf="SRF", cell="K562", source="s", assay="a"
    )
    card = card_of(output)
    assert (card.id, card.tf, card.cell, card.source, card.assay) == ("x", "SRF", "K562", "s", "a")
    assert (card.strands, card.weights, card.threshold, card.test) == ("forward", "float16", 0.0, {})


def test_the_model_itself_is_measured(
    checkpoint: Path,
    small_network: SAResNet,
    material: Material,
    make_windows: Callable[..., np.ndarray],
    tmp_path: Path,
) -> None:
    report = export_model(checkpoint, tmp_path / "m.onnx", material=material, weights="float32")
    windows = np.concatenate([make_windows(40, 1, b"ACGT"), make_windows(30, 2, b"ACGT")])
    expected = measure(np.repeat([1, 0], [40, 30]), reference_logits(small_network, windows))
    assert report.auroc == {"float32": pytest.approx(expected["auroc"], abs=1e-5)}
    assert report.auprc == pytest.approx(expected["auprc"], abs=1e-5)


def test_what_a_checkpoint_is_called_has_to_be_a_name(checkpoint: Path, tmp_path: Path) -> None:
    state = read_checkpoint(checkpoint)
    state["set"] = {"id": "My TF_K562", "tf": "My TF", "cell": "K562"}
    save_checkpoint(checkpoint, state)
    with pytest.raises(ModelError, match=r"the id 'My TF_K562' holds a blank, .* character; --id My_TF_K562$"):
        export_model(checkpoint, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"the tf 'My TF' holds .*; --tf My_TF$"):
        export_model(checkpoint, tmp_path / "m.onnx", id="x")
    assert not (tmp_path / "m.onnx").exists()
    assert export_model(checkpoint, tmp_path / "m.onnx", id="x", tf="y").id == "x"


def test_same_input_same_bytes(checkpoint: Path, material: Material, tmp_path: Path) -> None:
    one, other = tmp_path / "one.onnx", tmp_path / "other.onnx"
    export_model(checkpoint, one, material=material, threads=1)
    export_model(checkpoint, other, material=material, threads=2)
    assert one.read_bytes() == other.read_bytes()


def test_auto_keeps_float16_that_costs_nothing(checkpoint: Path, material: Material, tmp_path: Path) -> None:
    report = export_model(checkpoint, tmp_path / "m.onnx", material=material)
    assert set(report.auroc) == {"float32", "float16"}
    differ = abs(report.auroc["float32"] - report.auroc["float16"]) > 2e-4
    assert report.weights == ("float32" if differ else "float16")
    assert card_of(tmp_path / "m.onnx").weights == report.weights


def test_auto_keeps_float32_when_float16_costs_auroc(
    checkpoint: Path, material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AUROC_TOLERANCE", -1.0)
    report = export_model(checkpoint, tmp_path / "m.onnx", material=material)
    assert report.weights == "float32"
    assert any("stay float32" in note for note in report.notes)


def test_without_data_it_says_what_is_missing(checkpoint: Path, tmp_path: Path) -> None:
    report = export_model(checkpoint, tmp_path / "m.onnx")
    assert report.weights == "float32"
    assert len(report.notes) == 3
    assert report.agreement.windows > 240


def test_no_file_when_it_does_not_agree(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_network(network: SAResNet, weights: str) -> SAResNet:
        other = stored_network(network, weights)
        with torch.no_grad():
            other.out.bias[0] += 1
        return other

    monkeypatch.setattr(module, "stored_network", other_network)
    before = set(tmp_path.iterdir())
    with pytest.raises(ExportError, match=r"m\.onnx: the ONNX model differs from torch"):
        export_model(checkpoint, tmp_path / "m.onnx")
    assert set(tmp_path.iterdir()) == before


def test_an_older_file_stays_when_writing_fails(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "m.onnx"
    output.write_text("old")

    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        export_model(checkpoint, output)
    assert output.read_text() == "old"
    assert not list(tmp_path.glob(".m.onnx*"))


def test_output_folder_has_to_be_there(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such folder"):
        export_model(checkpoint, tmp_path / "nowhere" / "m.onnx")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut short"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="checkpoint"):
        export_model(path, tmp_path / "m.onnx")


def test_foreign_checkpoints_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    torch.save({"model": {}}, tmp_path / "foreign.pt")
    with pytest.raises(ModelError, match="not a saresnet checkpoint"):
        export_model(tmp_path / "foreign.pt", tmp_path / "m.onnx")
    state = read_checkpoint(checkpoint)
    state["best_model"].pop("stem.weight")
    save_checkpoint(tmp_path / "broken.pt", state)
    with pytest.raises(ModelError, match=r"broken\.pt: its weights do not fit"):
        export_model(tmp_path / "broken.pt", tmp_path / "m.onnx")


def test_errors_are_one_line(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(SaresnetError) as caught:
        export_model(tmp_path / "none.pt", tmp_path / "m.onnx")
    assert "\n" not in str(caught.value) and "none.pt" in str(caught.value)
