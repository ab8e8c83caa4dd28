"""The benchmark of methods: real training of real methods, as a process, on windows of the example."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.errors import SaresnetError
from saresnet_train.benchmark.cells import Cell, Results
from saresnet_train.benchmark.judging import judge_scan
from saresnet_train.benchmark.methods import METHODS
from saresnet_train.benchmark.networks import Global, Learning
from saresnet_train.benchmark.running import missing, plan
from saresnet_train.benchmark.task import Task
from saresnet_train.codes import decode
from saresnet_train.data import DataError, read_manifest
from saresnet_train.hardware import Hardware
from saresnet_train.loci import group_by_locus
from saresnet_train.metrics import measure
from saresnet_train.negatives import shuffle_dinucleotides

ROOT = Path(__file__).resolve().parents[2]


def _write(path: Path, codes: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb") as out:
        for i, letters in enumerate(decode(codes)):
            out.write(b">%d\n%s\n" % (i, letters.tobytes()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, real_windows: np.ndarray) -> Path:
    """A data folder of two small sets, in the form of the real one; the second has genomic negatives."""
    folder = tmp_path_factory.mktemp("data")
    rows = ["tier\tname\ttf\tcell\tsource"]
    for tier, name, start, count in (("encode", "CTCF_GM12878", 0, 120), ("gm12878", "BATF_GM12878", 200, 60)):
        windows = real_windows[start : start + count + 40]
        _write(folder / tier / name / "train.positive.fa.gz", windows[:count])
        _write(folder / tier / name / "test.positive.fa.gz", windows[count:])
        _write(folder / tier / name / "test.negative.fa.gz", shuffle_dinucleotides(windows[count:], 1))
        if tier == "gm12878":
            _write(folder / tier / name / "genomic.negative.fa.gz", real_windows[400:450])
        rows.append(f"{tier}\t{name}\t{name.split('_')[0]}\tGM12878\ttest")
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of results in which the global model is there already: the shipped one."""
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / "own.pt").write_bytes((ROOT / "models/global.pt").read_bytes())
    return tmp_path


def _command(data: Path, out: Path, *words: str) -> list[str]:
    paths = ["--data", str(data), "--out", str(out)]
    return [sys.executable, "-m", "saresnet_cli", "benchmark", "run", *paths, "--threads", "1", *words]


def run(data: Path, out: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(_command(data, out, *words), capture_output=True, text=True, timeout=300)


def without_times(record: dict) -> dict:
    return {key: value for key, value in record.items() if key != "seconds"}


def test_a_run_writes_records_and_scores_that_agree(data: Path, out: Path) -> None:
    done = run(data, out, "--methods", "global", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "3 done, 0 skipped, 0 elsewhere, 0 failed" in done.stderr
    record = Results(out).read(Cell("global", "gm12878", "BATF_GM12878"))
    scores = np.load(out / "global/gm12878/BATF_GM12878/seed1.npz")
    assert record["counts"] == {
        "train_positives": 60, "training": 54, "validating": 6,
        "test_positives": 40, "test_negatives": 40, "genomic_negatives": 50,
    }  # fmt: skip
    labels = np.repeat([1, 0], 40)
    for way in ("forward", "both"):
        assert scores[way].shape == (130,)
        again = measure(labels, scores[way][:80])
        assert again["auroc"] == pytest.approx(record["metrics"][way]["auroc"], abs=2e-3)
        genomic = np.concatenate([scores[way][:40], scores[way][80:]])
        again = measure(np.repeat([1, 0], [40, 50]), genomic)
        assert again["auroc"] == pytest.approx(record["genomic"][way]["auroc"], abs=2e-3)
    assert Results(out).read(Cell("global", "encode", "CTCF_GM12878"))["genomic"] is None
    assert not np.array_equal(scores["forward"], scores["both"])
    pool = Results(out).read(Cell("global", "pool", "validation"))
    assert (pool["counts"]["training"], pool["counts"]["validating"]) == (162, 18)
    assert np.load(out / "global/pool/validation/seed1.npz")["both"].shape == (36,)


def test_what_is_done_is_not_done_again(data: Path, out: Path) -> None:
    words = ("--methods", "global", "--sets", "gm12878")
    run(data, out, *words)
    path = out / "global/gm12878/BATF_GM12878/seed1.json"
    before = path.read_bytes(), path.stat().st_mtime_ns
    done = run(data, out, *words)
    assert done.returncode == 0 and "1 cells, 0 to run" in done.stderr
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert run(data, out, *words, "--list").stdout == ""
    assert run(data, out, *words, "--seeds", "1,2", "--list").stdout == "global/gm12878/BATF_GM12878/seed2\n"


def test_a_run_that_is_killed_goes_on_to_the_same_scores(data: Path, out: Path, tmp_path_factory: object) -> None:
    words = ("--methods", "freeze-head", "--sets", "gm12878")
    process = subprocess.Popen(_command(data, out, *words), start_new_session=True, stderr=subprocess.PIPE)
    scratch = out / ".scratch/freeze-head/gm12878/BATF_GM12878/seed1/checkpoint.pt"
    end = time.monotonic() + 120
    while not scratch.exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert scratch.exists()
    assert not (out / "freeze-head").exists()  # nothing half-written
    done = run(data, out, *words)
    assert done.returncode == 0, done.stderr
    assert not scratch.parent.exists()
    broken = out / "freeze-head/gm12878/BATF_GM12878"
    scores, record = (broken / "seed1.npz").read_bytes(), json.loads((broken / "seed1.json").read_text())
    (broken / "seed1.json").unlink()
    assert run(data, out, *words).returncode == 0
    assert (broken / "seed1.npz").read_bytes() == scores
    assert without_times(json.loads((broken / "seed1.json").read_text())) == without_times(record)


def test_a_run_that_is_asked_to_end_ends_with_all_that_it_started(data: Path, out: Path) -> None:
    command = _command(data, out, "--methods", "freeze-head", "--jobs", "1")
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while not list(out.glob(".scratch/freeze-head/*/*/seed1/checkpoint.pt")) and time.monotonic() < end:
        time.sleep(0.05)
    process.terminate()  # it alone, as a scheduler does
    process.communicate()
    assert process.returncode == 143
    assert not (out / "freeze-head").exists()  # neither the cell that was trained, nor the one after it
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def test_two_runs_share_the_work(data: Path, out: Path) -> None:
    words = ("--methods", "freeze-head", "--jobs", "1")
    both = [subprocess.Popen(_command(data, out, *words), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum(text.count(": AUROC") for text in told) == 2  # each cell once


def test_validation_shares_no_locus_with_training(data: Path, tmp_path: Path) -> None:
    import torch

    chosen = read_manifest(data, ("encode",))[0]
    tasks = [Task.of(chosen, seed, torch.device("cpu"), 1, tmp_path, tmp_path) for seed in (1, 1, 2)]
    for task in tasks:
        loci = group_by_locus(np.concatenate([task.positives, task.validating]))
        assert not set(loci[: len(task.positives)]) & set(loci[len(task.positives) :])
        codes, labels = task.validation
        assert (codes[labels == 1] == task.validating).all()
    assert (tasks[0].validation[0] == tasks[1].validation[0]).all()
    assert not np.array_equal(tasks[0].validating, tasks[2].validating)


def test_a_method_or_set_that_is_not_there_is_named(data: Path, out: Path) -> None:
    for words, named in ((("--methods", "deepest"), "deepest"), (("--sets", "encode/NONE"), "encode/NONE")):
        done = run(data, out, *words)
        assert done.returncode == 1 and named in done.stderr and "Traceback" not in done.stderr
    done = run(data, out, "--seeds", "one")
    assert done.returncode == 2 and "'one'" in done.stderr


def test_a_broken_record_is_named(data: Path, out: Path) -> None:
    chosen = plan(data, out, ["global"], ["gm12878"])
    path = Results(out).record_path(chosen.cells[0])
    path.parent.mkdir(parents=True)
    path.write_text('{"format": ')
    with pytest.raises(DataError, match="not JSON"):
        missing(chosen)
    path.write_text('{"format": "another"}')
    with pytest.raises(SaresnetError, match="not a record"):
        missing(chosen)


def test_a_chromosome_is_judged_by_an_engine_as_by_torch(
    data: Path, out: Path, example_genome: Path, example_peaks: Path
) -> None:
    (chosen,) = (each for each in read_manifest(data) if each.tier == "encode")
    (data / "chr20").mkdir(exist_ok=True)
    (data / "chr20" / f"{chosen.name}.bed").write_bytes(example_peaks.read_bytes())
    learnt = Global("own").load(out / "pretrained", Hardware.find("cpu", "auto", 1))
    assert learnt.open_scan is not None
    fast, slow = (judge_scan(chosen, one, example_genome) for one in (learnt, replace(learnt, open_scan=None)))
    assert fast is not None and slow is not None
    assert fast["positives"] == slow["positives"] == 10
    assert {key: pytest.approx(value, abs=1e-4) for key, value in fast.items()} == slow


def test_every_method_says_what_it_is() -> None:
    assert all(method.name == name and method.title and method.source for name, method in METHODS.items())
    assert len({method.title for method in METHODS.values()}) == len(METHODS)


def test_a_small_set_has_more_passes_and_steps() -> None:
    direct, transfer = METHODS["direct"].train, METHODS["transfer"].train
    assert isinstance(direct, Learning)
    assert isinstance(transfer, Learning)
    few, many = (direct.recipe_for(positives) for positives in (500, 20_000))
    assert (few.epochs, few.batch_size) == (40, 32)
    assert (many.epochs, many.batch_size) == (2, 128)
    assert [transfer.recipe_for(n).epochs for n in (500, 4_000, 20_000)] == [20, 10, 2]
    assert {transfer.recipe_for(n).batch_size for n in (500, 20_000)} == {128}
    published = METHODS["paper-transfer"].train
    assert isinstance(published, Learning)
    assert published.recipe_for(500) == published.recipe
