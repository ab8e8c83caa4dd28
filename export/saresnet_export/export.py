"""Export: a checkpoint becomes one ONNX file that was checked, measured and describes itself."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from saresnet_cli import __version__
from saresnet_cli.adapters import GLOBAL, pack
from saresnet_cli.card import METADATA_KEY, WINDOW, Background, Card
from saresnet_cli.errors import ModelError, OutputError
from saresnet_cli.model import load_model
from saresnet_cli.naming import check_name
from saresnet_cli.output import whole_file
from saresnet_cli.registry.index import SUFFIX
from saresnet_cli.runtime import Runtime
from saresnet_export.calibration import SHUFFLES, describe_genome, genomic_windows, shuffled_windows, threshold
from saresnet_export.graph import build_model
from saresnet_export.reference import stored_network
from saresnet_export.verify import Agreement, ExportError, check_windows, verify
from saresnet_train import background as training
from saresnet_train.checkpoint import network_of, read_checkpoint, weights_of
from saresnet_train.codes import decode
from saresnet_train.data import read_windows
from saresnet_train.lowrank import is_adapted, merge
from saresnet_train.metrics import measure
from saresnet_train.negatives import Interval
from saresnet_train.network import SAResNet

AUROC_TOLERANCE = 2e-4
"""By how much float16 weights may change the AUROC on the test files before float32 is kept."""

CHECKED = 60
"""Windows of each kind (bound, unbound, background) on which a file is compared with torch."""


@dataclass(frozen=True)
class Material:
    """The data that a model is judged and calibrated on; each part may be missing.

    test_positive, test_negative: FASTA files of bound and unbound windows.
    positives: FASTA files of the bound windows it was trained on; their shuffles are the
    "shuffled" background. genome: the "genomic" background, its held-out part
    and bound sites left out; only: parts of it to take windows from; count: how many at most; shuffles: how many.
    """

    test_positive: tuple[Path, ...] = ()
    test_negative: tuple[Path, ...] = ()
    positives: tuple[Path, ...] = ()
    genome: training.Background | None = None
    only: tuple[Interval, ...] = ()
    count: int = 200_000
    shuffles: int = SHUFFLES


@dataclass(frozen=True)
class ExportReport:
    """What was written: the file, how it agrees with torch, and what it was measured to do.

    bytes: of the file; sha256: of the complete ONNX file, also where an adapter was written.
    auroc: on the test files, by how weights are stored; those that were tried. notes: what
    could not be done, and why.
    """

    path: str
    id: str
    bytes: int
    sha256: str
    strands: str
    weights: str
    agreement: Agreement
    auroc: dict[str, float] = field(default_factory=dict)
    auprc: float | None = None
    threshold: float = 0.0
    background: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Return the report as plain JSON types."""
        return asdict(self)


def export_model(
    checkpoint: Path | str,
    output: Path | str,
    *,
    strands: str = "both",
    weights: str = "auto",
    material: Material | None = None,
    id: str | None = None,
    tf: str | None = None,
    cell: str | None = None,
    source: str | None = None,
    assay: str = "ChIP-seq",
    licence: str = "MIT",
    engine: str = "onnxruntime",
    threads: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> ExportReport:
    """Write the network of a checkpoint as an ONNX file, or as an adapter where `output` ends in `.adapter`.

    strands: "both" or "forward". weights: "float32", "float16", or "auto":
    float16 when the AUROC on the test files then stays within 0.0002, else
    float32, as also without test files. material: what to judge and calibrate
    on. id, tf, cell, source: for the card; default the checkpoint's. engine:
    what scores the test files and the background. The same input gives the same
    bytes. Raises ModelError when the checkpoint can't be read, or a model can't
    be called so (`saresnet_cli.naming`), ExportError when
    the file does not agree with torch or is no adapter of the installed global
    model, OutputError when it can't be written; then there is no file.
    """
    material = material or Material()
    output = Path(output)
    if not output.parent.is_dir():
        raise OutputError("no such folder", path=output.parent, cure="make it")
    state = read_checkpoint(checkpoint)
    identity = {key: str(value) for key, value in (state.get("set") or {}).items()}
    tf, cell = tf or identity.get("tf", "unknown"), cell or identity.get("cell", "unknown")
    id = id or identity.get("id") or f"{tf}_{cell}"
    for what, name in (("id", id), ("tf", tf), ("cell", cell)):
        check_name(what, name)
    if output.suffix == SUFFIX and not is_adapted(weights_of(state)):
        raise ExportError("its checkpoint was not fine-tuned with --rank", path=output, cure=_NO_ADAPTER)
    network = _network(state, checkpoint)
    bound, unbound = _read(material.test_positive), _read(material.test_negative)
    test = decode(np.concatenate([bound, unbound]))
    labels = np.repeat([1, 0], [len(bound), len(unbound)])
    backgrounds = _backgrounds(material)
    kinds = [decode(bound), decode(unbound), *(windows for windows, _ in backgrounds.values())]
    checked = check_windows(np.concatenate([_thin(windows, CHECKED) for windows in kinds]))
    notes = []

    judged = bool(len(bound) and len(unbound))
    if weights != "auto":
        tried: tuple[str, ...] = (weights,)
    else:
        tried = ("float32", "float16") if judged else ("float32",)
    if not judged:
        notes.append("no test files: no AUROC" + (", and weights stay float32" if weights == "auto" else ""))
    built: dict[str, tuple[bytes, Agreement]] = {}
    figures: dict[str, dict[str, float]] = {}
    for stored in tried:
        data = build_model(network, strands=strands, weights=stored).SerializeToString(deterministic=True)
        built[stored] = data, verify(data, stored_network(network, stored), checked, strands, output)
        if judged:
            figures[stored] = measure(labels, _score(data, test, output, engine, threads))
            say(f"{stored} weights: AUROC {figures[stored]['auroc']:.5f}, AUPRC {figures[stored]['auprc']:.5f}")
    chosen = tried[-1]
    if len(tried) == 2 and abs(figures["float16"]["auroc"] - figures["float32"]["auroc"]) > AUROC_TOLERANCE:
        chosen = "float32"
        notes.append(f"float16 weights change the AUROC by more than {AUROC_TOLERANCE}: weights stay float32")
    data, agreement = built[chosen]

    measured: dict[str, Background] = {}
    for name, (windows, text) in backgrounds.items():
        measured[name] = background = Background.measure(_score(data, windows, output, engine, threads), text)
        say(f"{name} background: {background.windows} windows, highest logit {background.logit[-1]:.3f}")
    if not measured:
        notes.append("no background: a scan will have no p-values")
    if "genomic" not in measured:
        notes.append("no genomic background: the threshold is probability 0.5")
    card = Card(
        id=id,
        tf=tf,
        cell=cell,
        assay=assay,
        source=source if source is not None else identity.get("source", ""),
        strands=strands,
        weights=chosen,
        channels=network.config.channels,
        attention=network.config.attention,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        train={key: int(value) for key, value in (state.get("training") or {}).items()},
        test=_test(figures[chosen], material, strands) if judged else {},
        background=measured,
        threshold=threshold(measured),
        versions=_versions(),
        licence=licence,
    )
    data = _with_card(data, card)
    written = _packed(data, state, output) if output.suffix == SUFFIX else data
    with whole_file(output, output.suffix) as part:
        part.write_bytes(written)
    return ExportReport(
        path=str(output),
        id=card.id,
        bytes=len(written),
        sha256=hashlib.sha256(data).hexdigest(),
        strands=strands,
        weights=chosen,
        agreement=agreement,
        auroc={stored: round(values["auroc"], 6) for stored, values in figures.items()},
        auprc=card.test.get("auprc"),
        threshold=card.threshold,
        background={name: background.windows for name, background in measured.items()},
        notes=tuple(notes),
    )


def _backgrounds(material: Material) -> dict[str, tuple[np.ndarray, str]]:
    """Make the background windows, (n, 101) uint8 ASCII, and say in words what they are."""
    positives = _read(material.positives)
    made: dict[str, tuple[np.ndarray, str]] = {}
    if len(positives):
        shuffles = shuffled_windows(positives, material.shuffles)
        text = f"{len(shuffles)} dinucleotide shuffles of the {len(positives)} bound windows of the training files"
        made["shuffled"] = shuffles, text
    if material.genome is not None:
        windows = genomic_windows(material.genome, positives, material.only, material.count)
        text = describe_genome(material.genome.genome, len(windows), material.genome.exclude, material.only)
        made["genomic"] = windows, text
    return made


def _network(state: dict, path: Path | str) -> SAResNet:
    try:
        return network_of(state)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError("its weights do not fit its network", path=path, cure="train again") from error


def _read(paths: tuple[Path, ...]) -> np.ndarray:
    """Read windows of FASTA files: (n, 101) uint8 codes, in file order."""
    return np.concatenate([np.empty((0, WINDOW), np.uint8), *(read_windows(path) for path in paths)])


def _score(data: bytes, windows: np.ndarray, path: Path, engine: str, threads: int | None) -> np.ndarray:
    # figures and quantiles in the card of a shipped model come from one engine, on every machine
    with Runtime(engine, device="cpu", threads=threads).open_files([(data, path)]) as scorer:
        return scorer.logits(windows)[:, 0]


def _test(figures: dict[str, float], material: Material, strands: str) -> dict:
    def names(paths: tuple[Path, ...]) -> str:
        return f"{paths[0].parent.name}/{paths[0].name}" if len(paths) == 1 else f"{len(paths)} files pooled"

    kept: dict[str, float] = {key: int(figures[key]) for key in ("positives", "negatives")}
    kept |= {key: round(figures[key], 6) for key in ("auroc", "auprc", "accuracy")}
    strand = "the mean of both strands" if strands == "both" else "the forward strand"
    protocol = (
        f"logit, {strand}; bound windows of {names(material.test_positive)} against {names(material.test_negative)}; "
        "AUPRC is average precision, accuracy is at probability 0.5"
    )
    return {**kept, "protocol": protocol}


def _thin(windows: np.ndarray, count: int) -> np.ndarray:
    """Return `count` windows that are spread evenly, or all there are."""
    return windows[np.linspace(0, len(windows), min(count, len(windows)), endpoint=False).astype(np.int64)]


def _versions() -> dict[str, str]:
    return {
        "saresnet": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _with_card(data: bytes, card: Card) -> bytes:
    """Put the card into a model."""
    model = onnx.load_from_string(data)
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    model.producer_version = __version__
    whole: bytes = model.SerializeToString(deterministic=True)
    return whole


_NO_ADAPTER = "fine-tune the installed global model with --rank, or choose an output that ends in .onnx"


def _packed(data: bytes, state: dict, output: Path) -> bytes:
    """Return a model as an adapter of the installed global model."""
    try:
        return pack(data, load_model(GLOBAL).data, merge(weights_of(state)).factors)
    except ValueError as error:
        raise ExportError(str(error), path=output, cure=_NO_ADAPTER) from error
