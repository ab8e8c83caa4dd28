"""Engines: that each computes the same, and that what can't be had is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest

from saresnet_cli.engines import cuda, openvino
from saresnet_cli.engines.half import in_half_precision
from saresnet_cli.engines.openvino_graph import rewrite
from saresnet_cli.errors import DeviceError, ModelError
from saresnet_cli.model import load_model
from saresnet_cli.runtime import Runtime

ENGINES = ("onnxruntime", "openvino")


@pytest.fixture
def shipped() -> object:
    return load_model(Path(__file__).resolve().parents[2] / "models/CTCF_GM12878.onnx")


@pytest.fixture
def windows() -> np.ndarray:
    """Random DNA, some of it N, lower case or IUPAC, (300, 101) uint8."""
    rng = np.random.default_rng(3)
    made = rng.choice(np.frombuffer(b"ACGT", np.uint8), (300, 101))
    made[200:] = np.where(rng.random((100, 101)) < 0.1, rng.choice(list(b"NRYacgtn"), (100, 101)), made[200:])
    made[250, 20:70] = ord("N")
    return made.astype(np.uint8)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [0, 1, 2, 5, 128, 129])
def test_batches_and_threads_do_not_show(model: Path, engine: str, count: int) -> None:
    windows = np.random.default_rng(count).choice(np.frombuffer(b"ACGTN", np.uint8), (count, 101))
    results = []
    for threads, batch in [(1, None), (2, None), (3, 1), (2, 7)]:
        with Runtime(engine, device="cpu", threads=threads, batch_size=batch).open([load_model(model)] * 2) as scorer:
            results.append(scorer.logits(windows))
            assert results[-1].shape == (count, 2)
            assert results[-1].dtype == np.float32
    assert all(result.tobytes() == results[0].tobytes() for result in results)


@pytest.mark.parametrize("engine", ENGINES)
def test_logits_are_those_computed_by_hand(model: Path, toy: SimpleNamespace, engine: str) -> None:
    texts = ["ACGTN" * 20 + "A", "acgtR" * 20 + "c"]
    windows = np.array([np.frombuffer(text.encode(), np.uint8) for text in texts])
    with Runtime(engine, device="cpu").open([load_model(model)]) as scorer:
        assert scorer.logits(windows)[:, 0] == pytest.approx([toy.logit(text) for text in texts], abs=1e-5)


def test_engines_agree_on_the_real_network(shipped: object, windows: np.ndarray) -> None:
    results = []
    for engine in ENGINES:
        with Runtime(engine, device="cpu").open([shipped]) as scorer:  # type: ignore[list-item]
            assert (scorer.engine, scorer.precision) == (engine, "float32")
            results.append(scorer.logits(windows))
    assert np.abs(results[0] - results[1]).max() < 1e-4


def test_openvino_gets_its_elu_back_and_attends_by_rows(shipped: SimpleNamespace) -> None:
    import io

    from openvino import Core

    graph = Core().read_model(io.BytesIO(shipped.data))
    before = [op.get_type_name() for op in graph.get_ops()]
    rewrite(graph, 16)
    after = [op.get_type_name() for op in graph.get_ops()]
    assert before.count("Elu") == 0
    assert after.count("Elu") == before.count("HardSigmoid") > 30
    assert after.count("HardSigmoid") == after.count("Exp") == 0
    assert not [op for op in graph.get_ops() if op.get_friendly_name().endswith((".rows", ".softmax"))]
    assert list(graph.output(0).shape) == [16]


def test_bfloat16_is_close_or_refused(shipped: object, windows: np.ndarray) -> None:
    with Runtime("onnxruntime", device="cpu").open([shipped]) as scorer:  # type: ignore[list-item]
        exact = scorer.logits(windows)
    try:
        scorer = Runtime(precision="bfloat16").open([shipped])  # type: ignore[list-item]
    except DeviceError as error:
        assert str(error) == "this processor has no bfloat16; use --precision float32"
        return
    with scorer:
        assert (scorer.engine, scorer.precision) == ("openvino", "bfloat16")
        difference = np.abs(scorer.logits(windows) - exact)
    assert 0 < difference.max() < 0.3


def test_first_runs_that_meet_do_not_wait_for_each_other(model: Path) -> None:
    """Without a run on the thread that opens the model, about one process in four hangs here."""
    script = """
import sys, threading
from pathlib import Path
import numpy as np
from saresnet_cli.engines.openvino import OpenVinoEngine
sys.setswitchinterval(1e-6)
path = Path(sys.argv[1])
engine = OpenVinoEngine(path.read_bytes(), path=path, threads=8)
barrier = threading.Barrier(8)
def run():
    barrier.wait()
    engine.run(np.full((4, 101), 65, np.uint8))
threads = [threading.Thread(target=run, daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    for _ in range(6):
        subprocess.run([sys.executable, "-c", script, str(model)], check=True, timeout=60)


# CUDA, on the CPU's provider


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("tf32", 1e-6), ("float16", 0.05)])
def test_bound_buffers_give_what_a_plain_session_gives(
    shipped: SimpleNamespace, windows: np.ndarray, precision: str, tolerance: float
) -> None:
    with Runtime("onnxruntime", device="cpu", batch_size=128).open([shipped]) as scorer:  # type: ignore[list-item]
        exact = scorer.logits(windows)
    on_cpu = {"provider": "CPUExecutionProvider", "memory": "cpu"}
    engine = cuda.CudaEngine(shipped.data, path=shipped.path, precision=precision, batch_size=128, **on_cpu)
    from saresnet_cli.scorer import Scorer

    with Scorer([engine], "CPU", 3) as scorer:
        found = scorer.logits(windows)
        assert scorer.logits(windows[::-1].copy())[::-1].tobytes() == found.tobytes()
    difference = np.abs(found - exact).max()
    assert difference <= tolerance
    assert difference > 1e-5 or precision != "float16"


def test_a_file_in_half_precision_is_onnx_with_no_float32_inside(shipped: SimpleNamespace) -> None:
    half = onnx.load_from_string(in_half_precision(shipped.data))
    onnx.checker.check_model(half, full_check=True)
    assert not [tensor.name for tensor in half.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT]
    casts = [(node.name, node.attribute[0].i) for node in half.graph.node if node.op_type == "Cast"]
    assert [name for name, to in casts if to == onnx.TensorProto.FLOAT] == ["logit.cast"]
    assert half.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    whole = onnx.load_from_string(shipped.data)
    assert len(half.graph.node) == len(whole.graph.node) + 1
    assert half.metadata_props == whole.metadata_props


# What is not there


def test_threads_default_to_the_cores_that_the_process_may_use(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 9}, raising=False)
    with Runtime("onnxruntime", device="cpu").open([load_model(model)]) as scorer:
        assert scorer.concurrency == 3
        assert scorer.device == "CPU, 3 threads, onnxruntime"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, "no CUDA in this onnxruntime; pip install onnxruntime-gpu, or use --device cpu"),
        ({"precision": "float16"}, "no CUDA in this onnxruntime"),
        ({"precision": "tf32", "device": "cpu"}, "tf32 needs CUDA, which is not in use; use --precision float32"),
        ({"engine": "openvino", "device": "cuda"}, "OpenVINO runs on the CPU only; use --device cpu"),
        ({"precision": "bfloat16", "device": "cuda"}, "bfloat16 runs on the CPU only"),
        ({"precision": "bfloat16", "engine": "onnxruntime"}, "no bfloat16 on the CPU; use --engine openvino"),
    ],
)
def test_what_can_not_be_had_is_an_error(
    model: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(cuda, "_has_driver", lambda: True)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceError) as caught:
        Runtime(**options).open([load_model(model)])  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize("trouble", [None, "libtbb.so: cannot open"])
def test_without_openvino_onnxruntime_takes_over(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trouble: str | None
) -> None:
    if trouble is None:
        monkeypatch.setitem(sys.modules, "openvino", None)
        wanted = "OpenVINO is not installed; pip install openvino, or use --engine onnxruntime"
        monkeypatch.setattr(openvino, "missing", lambda: DeviceError(wanted))
    else:
        monkeypatch.delitem(sys.modules, "openvino", raising=False)
        (tmp_path / "openvino.py").write_text(f"raise ImportError({trouble!r})")
        monkeypatch.syspath_prepend(tmp_path)
        wanted = f"OpenVINO can't be loaded ({trouble}); use --engine onnxruntime"
    assert Runtime(device="cpu").open([load_model(model)]).engine == "onnxruntime"
    for options in ({"engine": "openvino"}, {"precision": "bfloat16"}):
        with pytest.raises(DeviceError) as caught:
            Runtime(**options).open([load_model(model)])  # type: ignore[arg-type]
        assert str(caught.value) == wanted


def test_an_environment_without_openvino_scans(model: Path, genome: Path) -> None:
    script = (
        "import sys; sys.modules['openvino'] = None\nfrom saresnet_cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "scan", genome, "--model", model]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert " engine=onnxruntime precision=float32 " in done.stdout.splitlines()[0]
    refused = subprocess.run([*map(str, command), "--engine", "openvino"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "OpenVINO is not installed; pip install openvino" in refused.stderr


def test_a_scan_loads_no_converter_and_nothing_that_reports_to_others(model: Path, genome: Path) -> None:
    script = """
import atexit, sys
from saresnet_cli.main import run

@atexit.register
def tell():
    print(sorted(m for m in ("openvino", "openvino_telemetry", "openvino.tools.ovc") if sys.modules.get(m)))

run()
"""
    command = [sys.executable, "-c", script, "scan", genome, "--model", model, "--engine", "openvino"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['openvino']"


@pytest.fixture
def cuda_in_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """An onnxruntime that lists CUDA, prints to standard output, and runs on the CPU."""
    open_session = cuda.open_session

    def fall_back(data: bytes, path: Path, _: list[object]) -> object:
        print("Failed to load libcublas")
        return open_session(data, path, ["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("noise"), raising=False)
    monkeypatch.setattr(cuda, "open_session", fall_back)
    monkeypatch.setattr(cuda, "_has_driver", lambda: True)


@pytest.mark.usefixtures("cuda_in_name_only")
def test_cuda_that_falls_back_is_noticed_and_prints_no_result(
    model: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeviceError, match=r"CUDA does not start \(Failed to load libcublas\); see nvidia-smi"):
        Runtime(device="cuda").open([load_model(model)])
    assert Runtime().open([load_model(model)]).device.startswith("CPU")
    assert "CUDA does not start (Failed to load libcublas): the CPU is used" in caplog.text
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("cuda_in_name_only")
def test_without_a_driver_cuda_is_not_tried(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cuda, "_has_driver", lambda: False)
    with pytest.raises(DeviceError, match="needs an NVIDIA driver"):
        Runtime(device="cuda").open([load_model(model)])
    assert Runtime().open([load_model(model)]).device.startswith("CPU")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(
    "options", [{"engine": "tensorrt"}, {"precision": "int8"}, {"device": "tpu"}, {"threads": 0}, {"batch_size": 0}]
)
def test_a_runtime_of_unknown_words_is_a_mistake_of_the_caller(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Runtime(**options)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_graph_that_an_engine_refuses_is_a_model_error(tmp_path: Path, model: Path, engine: str) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(model.read_bytes().replace(b"BitwiseAnd", b"BitwiseAnt"))
    with pytest.raises(ModelError, match=r"odd\.onnx: (onnxruntime|OpenVINO) can't load it"):
        Runtime(engine, device="cpu").open([load_model(path)])


def test_a_signal_after_engines_have_ended_is_handled(shipped: SimpleNamespace) -> None:
    script = """if True:
        import signal, sys
        from pathlib import Path
        from saresnet_cli.engines.openvino import OpenVinoEngine

        data = Path(sys.argv[1]).read_bytes()
        signal.signal(signal.SIGTERM, lambda *_: print("handled"))
        first, second = (OpenVinoEngine(data, path=Path(sys.argv[1]), threads=1) for _ in range(2))
        del first
        signal.raise_signal(signal.SIGTERM)
        del second
        signal.raise_signal(signal.SIGTERM)
    """
    done = subprocess.run([sys.executable, "-c", script, shipped.path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n" * 2), done.stderr
