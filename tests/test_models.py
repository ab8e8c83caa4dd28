"""The shipped models: whole, listed, symmetric, and able to find real sites."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli import Genome, Region, load_model, scan
from saresnet_cli.registry import Registry
from saresnet_cli.registry.index import SUFFIX
from saresnet_cli.runtime import Runtime

ROOT = Path(__file__).resolve().parent.parent
CPU = Runtime(device="cpu")
ENTRIES = Registry.read().entries
RESULTS = json.loads((ROOT / "models/results.json").read_text())
COMPLETE = [entry for entry in ENTRIES if entry.file.endswith(".onnx")]
ADAPTERS = [entry for entry in ENTRIES if entry.file.endswith(SUFFIX)]


def test_the_folder_holds_what_the_registry_lists() -> None:
    files = {path.name for path in (ROOT / "models").iterdir() if path.suffix in (".onnx", SUFFIX)}
    assert files == {entry.file for entry in ENTRIES}
    assert len(COMPLETE) == 32
    assert len([entry for entry in ADAPTERS if entry.cell == "GM12878"]) == 25
    assert len([entry for entry in ADAPTERS if entry.cell == "pan"]) == 137
    assert len(ENTRIES) == 32 + 25 + 137
    assert sum(path.stat().st_size for path in (ROOT / "models").iterdir() if path.is_file()) < 40e6
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_model_is_what_its_card_says(entry) -> None:
    model = load_model(entry.id)  # compares the sha256
    assert len(model.data) == entry.bytes
    assert (model.card.id, model.card.tf, model.card.cell) == (entry.id, entry.tf, entry.cell)
    assert model.card.strands == "both"
    assert {"shuffled", "genomic"} <= set(model.card.background)
    assert entry.metrics["auroc"] == model.card.test["auroc"]
    assert RESULTS[entry.id]["sha256"] == entry.sha256
    assert abs(RESULTS[entry.id]["test"]["auroc"] - entry.metrics["auroc"]) < (0.05 if entry.id == "global" else 1e-5)


# an adapter has the sha256 of a complete file, so a few of them stand for all
@pytest.mark.parametrize("entry", COMPLETE + ADAPTERS[::20], ids=lambda entry: entry.id)
def test_a_model_scores_both_strands_alike(entry, real_windows: np.ndarray) -> None:
    windows = np.frombuffer(b"ACGT", np.uint8)[real_windows[:20]]
    complement = np.frombuffer(b"TGCA", np.uint8)[real_windows[:20]][:, ::-1]
    with CPU.open([load_model(entry.id)]) as scorer:
        logits = scorer.logits(windows)
        np.testing.assert_allclose(logits, scorer.logits(np.ascontiguousarray(complement)), atol=1e-4)
    assert np.isfinite(logits).all()
    assert logits.std() > 0.05


def test_ctcf_sites_stand_out_on_real_sequence(example_genome: Path, example_peaks: Path) -> None:
    model = load_model(tf="CTCF", cell="GM12878")
    with scan(model, example_genome, runtime=CPU) as run:
        blocks = list(run)
    start = np.concatenate([block.start for block in blocks])
    logit = np.concatenate([block.logit[:, 0] for block in blocks])
    bound = np.zeros(len(start), bool)
    for line in example_peaks.read_text().splitlines():
        low, high = map(int, line.split("\t")[1:3])
        bound |= (start < high) & (start + 101 > low)
    assert bound.sum() > 50
    best = np.argsort(-logit)[:10]
    assert bound[best].mean() >= 0.8
    assert np.median(logit[~bound]) < -3
    assert logit[best[:5]].min() > 3


def test_python_and_the_command_agree(example_genome: Path, tmp_path: Path) -> None:
    bed = tmp_path / "r.bed"
    bed.write_text("chr20_part\t14540\t14891\n")
    command = [sys.executable, "-m", "saresnet_cli", "scan", example_genome, bed, "--tf", "ctcf", "--cell", "gm12878"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, cwd=tmp_path)
    rows = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]
    with Genome(example_genome) as genome, scan("CTCF_GM12878", genome, [Region("chr20_part", 14540, 14891)]) as run:
        (block,) = run
    assert [row[1:3] for row in rows] == [[str(s), str(e)] for s, e in zip(block.start, block.end, strict=True)]
    assert [row[6] for row in rows] == [f"{v:.4f}" for v in block.logit[:, 0].tolist()]
    assert {row[3] for row in rows} == {"CTCF_GM12878"}


def test_threads_and_repeats_do_not_change_a_byte(example_genome: Path, tmp_path: Path) -> None:
    def output(*options: str) -> bytes:
        command = [
            sys.executable,
            "-m",
            "saresnet_cli",
            "scan",
            str(example_genome),
            "--model",
            "CTCF_GM12878",
            *options,
        ]
        return subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout

    first = output("--threads", "1")
    assert first.count(b"\n") == 2 + 1199
    assert first == output("--threads", "2") == output("--threads", "2") == output("--threads", "3")


def test_the_readme_quotes_the_results() -> None:
    header, *lines = (ROOT / "models/results.tsv").read_text().splitlines()
    rows = {line.split("\t")[0]: dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines}
    readme = (ROOT / "README.md").read_text()
    scanned = {name: row for name, row in rows.items() if row["chr20_auprc"]}
    assert scanned
    for name, row in scanned.items():
        values = [row[column] for column in ("auroc", "chr20_auroc", "chr20_auprc", "chr20_pwm_auprc")]
        cells = " | ".join(f"{float(value):.3f}" if value else "no matrix" for value in values)
        assert f"| {name} | {cells} |" in readme
    kinds = {
        "31 experiments": [entry for entry in COMPLETE if entry.id != "global"],
        "the same, by the global model": [entry for entry in COMPLETE if entry.id == "global"],
        "25 factors in GM12878": [entry for entry in ADAPTERS if entry.cell == "GM12878"],
        "137 factors, `pan`": [entry for entry in ADAPTERS if entry.cell == "pan"],
    }
    for title, entries in kinds.items():
        tests = [RESULTS[entry.id]["test"] for entry in entries]
        means = [
            np.mean([test[c] for test in tests]) for c in ("auroc", "auprc", "accuracy", "precision", "recall", "f1")
        ]
        assert f"| {title} | {' | '.join(f'{mean:.3f}' for mean in means)} |" in readme


def test_the_results_reach_what_was_asked() -> None:
    judged = [RESULTS[entry.id] for entry in COMPLETE if entry.id != "global"]
    assert len(judged) == 31
    assert np.mean([measured["test"]["auroc"] for measured in judged]) >= 0.90
    assert RESULTS["CTCF_GM12878"]["chr20"]["auprc"] >= 0.52
    for line in (ROOT / "models/results.tsv").read_text().splitlines()[1:]:
        *_, auprc, pwm = line.split("\t")
        assert not pwm or float(auprc) > float(pwm), line
