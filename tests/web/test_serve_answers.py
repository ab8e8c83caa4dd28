"""What the server answers is what the commands write, to the byte."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

Command = Callable[..., bytes]
TWO = ["CTCF_GM12878", "ZNF143_H1-hESC"]
REGION = {"chrom": "chr20_part", "start": 14000, "end": 18000}


@pytest.fixture
def sequences(tmp_path: Path, web: SimpleNamespace) -> Path:
    """FASTA with a site, a stretch of N, a sequence that is too short, and one in lower case."""
    bases = web.bases
    text = (
        f"{web.fasta}>gaps\n{bases[:500]}{'N' * 150}{bases[650:900]}\n>short\nACGT\n>low\n{bases[850:1010].lower()}\n"
    )
    path = tmp_path / "sequences.fa"
    path.write_text(text)
    return path


@pytest.mark.parametrize("format", ["bed", "tsv"])
def test_a_scan_of_sent_sequences(server: Any, sequences: Path, saresnet: Command, format: str) -> None:
    got = server.post("scan", sequences.read_bytes(), model=TWO, stride=30, max_n=0.2, format=format)
    assert got.status_code == 200, got.text
    models = [word for id in TWO for word in ("--model", id)]
    options = (*models, "--stride", 30, "--max-n", 0.2, "--format", format)
    assert got.content == saresnet("scan", sequences, *options)
    assert got.headers["content-disposition"] == f'attachment; filename="scan.{format}"'
    assert got.content.count(b"\n") > 140


def test_a_scan_of_a_region(server: Any, web: SimpleNamespace, saresnet: Command) -> None:
    got = server.post("scan", model=web.model, format="bed", **REGION)
    bed = "\t".join(map(str, REGION.values())) + "\n"
    assert got.content == saresnet("scan", web.genome, "-", "--model", web.model, stdin=bed)


def test_scores_of_sequences(server: Any, sequences: Path, saresnet: Command) -> None:
    got = server.post("score", sequences.read_bytes(), model=TWO, stride=7, format="tsv")
    models = [word for id in TWO for word in ("--model", id)]
    assert got.content == saresnet("score", sequences, *models, "--stride", 7)
    rows = server.post("score", sequences.read_bytes(), model=TWO, stride=7).json()["rows"]
    lines = [line.split("\t") for line in got.text.splitlines()[1:]]
    assert [[row["name"], row["model"], row["length"]] for row in rows] == [[a, b, int(c)] for a, b, c, *_ in lines]
    assert [row["logit"] for row in rows] == [None if line[5] == "NA" else float(line[5]) for line in lines]
    assert rows[-3]["windows"] == 0


@pytest.mark.parametrize("cut", [{"max_qvalue": 0.3}, {"threshold": -2.5, "min_distance": 50}])
def test_sites(server: Any, web: SimpleNamespace, saresnet: Command, cut: dict[str, float]) -> None:
    got = server.post("call", model=TWO, format="narrowpeak", **cut, **REGION)
    options = [word for name, value in cut.items() for word in (f"--{name.replace('_', '-')}", value)]
    models = [word for id in TWO for word in ("--model", id)]
    bed = "\t".join(map(str, REGION.values())) + "\n"
    assert got.content == saresnet("call", web.genome, "-", *models, *options, stdin=bed)
    lines = [line.split("\t") for line in got.text.splitlines() if not line.startswith("#")]
    sites = server.post("call", model=TWO, **cut, **REGION).json()["sites"]
    assert len(sites) == len(lines) > 0
    for site, line in zip(sites, lines, strict=True):
        assert [site["chrom"], site["name"]] == [line[0], line[3]]
        assert [site["start"], site["end"], site["summit"] - site["start"]] == [int(line[i]) for i in (1, 2, 9)]
        assert site["logit"] == float(line[6])


@pytest.mark.parametrize("of", ["body", "genome"])
def test_an_explanation(
    server: Any, web: SimpleNamespace, sequences: Path, saresnet: Command, tmp_path: Path, of: str
) -> None:
    name, start = ("site", 860) if of == "body" else ("chr20_part", 14660)
    content = sequences.read_bytes() if of == "body" else b""
    got = server.post("explain", content, model=web.model, chrom=name, start=start, format="tsv")
    source = sequences if of == "body" else web.genome
    window = f"{name}\t{start}\t{start + 101}\n"
    assert got.content == saresnet("explain", source, "-", "--model", web.model, stdin=window)
    answer = server.post("explain", content, model=web.model, chrom=name, start=start).json()
    rows = [line.split("\t") for line in got.text.splitlines() if not line.startswith("#")]
    assert answer["bases"] == "".join(row[3] for row in rows)
    assert answer["explanations"][0]["attribution"] == [float(row[4]) for row in rows]
    assert answer["explanations"][0]["effect"] == [[float(value) for value in row[5:9]] for row in rows]


def test_json_holds_the_numbers_of_bed(server: Any, sequences: Path) -> None:
    answer = server.post("scan", sequences.read_bytes(), model=TWO).json()
    bed = server.post("scan", sequences.read_bytes(), model=TWO, format="bed").text
    found = [
        (sequence["name"], start, track["model"], track["score"][i], track["logit"][i], track["pvalue"][i])
        for sequence in answer["sequences"]
        for i, start in enumerate(sequence["windows"])
        for track in sequence["scores"]
    ]
    rows = [line.split("\t") for line in bed.splitlines() if not line.startswith("#")]
    assert found == [(r[0], int(r[1]), r[3], float(r[4]), float(r[6]), float(r[7])) for r in rows]
    assert [sequence["name"] for sequence in answer["sequences"]] == ["site", "gaps", "short", "low"]
    assert answer["skipped"]["sequences shorter than 101 bp"] == 1
    assert answer["made"] == [line[2:] for line in bed.splitlines()[: len(TWO)]]


def test_the_command_that_an_answer_names_prints_the_same(server: Any, web: SimpleNamespace, tmp_path: Path) -> None:
    query = {"model": web.model, "stride": 25, **REGION}
    command = server.post("scan", **query).json()["command"]
    assert command.endswith("| saresnet scan hg19.chr20.part.fa - --model CTCF_GM12878 --stride 25")
    (tmp_path / "hg19.chr20.part.fa").write_bytes(web.genome.read_bytes())
    shell = command.replace("saresnet scan", f"{sys.executable} -m saresnet_cli scan --quiet")
    done = subprocess.run(["sh", "-c", shell], capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == server.post("scan", format="bed", **query).content


def test_what_was_computed_is_recalled_to_the_bit(server: Any, web: SimpleNamespace) -> None:
    query = {"model": web.model, "stride": 3, "format": "tsv"}
    first = server.post("scan", web.fasta, **query).content
    before = server.cpu_seconds()
    assert server.post("scan", web.fasta, **query).content == first
    assert server.cpu_seconds() - before < 0.5


def test_a_batch_is_recalled_by_all_of_its_windows(server: Any, web: SimpleNamespace, saresnet: Command) -> None:
    for end in (web.bases[300:600], web.bases[900:1200]):  # the first window, and the number of windows, are the same
        content = f">x\n{web.bases[:300]}{end}\n"
        got = server.post("scan", content, model=web.model, stride=40, format="bed")
        (sequences := web.genome.parent / "x.fa").write_text(content)
        assert got.content == saresnet("scan", sequences, "--model", web.model, "--stride", 40)
        (sequences.parent / "x.fa.fai").unlink()


def test_gzip_windows_line_ends_and_uneven_lines_are_one(server: Any, web: SimpleNamespace) -> None:
    uneven = f">site x\n{web.bases[:10]}\n{web.bases[10:700]}\n\n{web.bases[700:]}\n"
    sent = [
        web.fasta.encode(),
        gzip.compress(web.fasta.encode()),
        gzip.compress(web.fasta[:700].encode()) + gzip.compress(web.fasta[700:].encode()),
        web.fasta.replace("\n", "\r\n").encode(),
        uneven.encode(),
    ]
    answers = {server.post("scan", content, model=web.model, format="bed").content for content in sent}
    assert len(answers) == 1


def test_a_chromosome_has_two_names(server: Any, web: SimpleNamespace) -> None:
    names = ("chr20_part", "20_part")
    lines = [
        server.post("scan", model=web.model, chrom=name, start=0, end=300, format="tsv").text.split("\n")[1:]
        for name in names
    ]
    assert [line.removeprefix("chr") for line in lines[0]] == lines[1]


def test_models_and_server_are_listed(server: Any, web: SimpleNamespace) -> None:
    models = httpx.get(f"{server.url}/api/models").json()["models"]
    assert len(models) >= 31
    assert {"id": "CTCF_GM12878", "tf": "CTCF", "cell": "GM12878"}.items() <= {
        key: value for model in models if model["id"] == web.model for key, value in model.items() if key != "metrics"
    }.items()
    about = httpx.get(f"{server.url}/api/server").json()
    genome = {"name": "hg19.chr20.part.fa", "count": 1, "sequences": [{"name": "chr20_part", "length": 60000}]}
    assert about["genome"] == genome
    assert str(web.genome.parent) not in str(about)
