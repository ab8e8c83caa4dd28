"""What the server refuses, and that it stays up when it does."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

Refused = Callable[..., dict[str, Any]]
SLOW = {"model": "CTCF_GM12878", "stride": 1, "chrom": "chr20_part"}


@pytest.fixture(scope="module")
def narrow(serve: Callable[..., Any], web: SimpleNamespace) -> Any:
    """A server with narrow limits."""
    limits = ("--max-bytes", 20_000, "--max-bases", 9000, "--max-sequences", 3, "--max-scores", 700)
    return serve(web.genome, *limits, "--jobs", 2, "--max-seconds", 3, "--engine", "onnxruntime")


@pytest.fixture(scope="module")
def small(serve: Callable[..., Any], web: SimpleNamespace) -> Any:
    """A server that takes one request at a time, for two seconds, on one thread."""
    return serve(web.genome, "--jobs", 1, "--max-seconds", 2, "--threads", 1, "--engine", "onnxruntime")


# Size


def test_a_request_that_says_it_is_too_large_is_not_read(refused: Refused, narrow: Any, web: SimpleNamespace) -> None:
    refused(narrow.post("scan", b"A" * 20_001, model=web.model), 413, "body_too_large")
    assert narrow.answers()


def test_a_request_is_measured_while_it_comes_in(refused: Refused, narrow: Any, web: SimpleNamespace) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b">x\n"
        while sent < 1 << 29:
            sent += 1 << 16
            yield b"A" * (1 << 16)

    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # in case the server reads no longer
        refused(narrow.post("scan", endless(), model=web.model), 413, "body_too_large")
    assert sent < 1 << 28  # what is read and dropped is bounded, too
    assert narrow.answers()


def test_what_unpacks_to_too_much_is_not_unpacked(refused: Refused, narrow: Any, web: SimpleNamespace) -> None:
    bomb = gzip.compress(b">x\n" + b"A" * (1 << 24))
    assert len(bomb) < 20_000
    assert "unpacked" in refused(narrow.post("scan", bomb, model=web.model), 413, "body_too_large")["detail"]


def test_bases_sequences_and_scores_are_counted(refused: Refused, narrow: Any, web: SimpleNamespace) -> None:
    refused(narrow.post("scan", f">x\n{'A' * 9001}\n", model=web.model), 413, "too_many_bases")
    refused(narrow.post("scan", model=web.model, chrom="chr20_part"), 413, "too_many_bases")
    refused(narrow.post("score", ">a\nA\n>b\nA\n>c\nA\n>d\nA\n", model=web.model), 413, "too_many_sequences")
    refused(narrow.post("scan", web.fasta, model=web.model, stride=1), 413, "too_many_scores")
    refused(narrow.post("score", web.fasta, model=web.model), 413, "too_many_scores")
    refused(narrow.post("call", web.fasta, model=[web.model, "CTCFL_K562"], stride=5), 413, "too_many_scores")
    three = [web.model, "CTCFL_K562", "YY1_H1-hESC"]
    refused(narrow.post("explain", web.fasta, model=three, chrom="site", start=0), 413, "too_many_scores")
    assert narrow.answers()


def test_a_request_that_comes_too_slowly_is_given_up(narrow: Any) -> None:
    where = urlsplit(narrow.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        head = f"POST /api/scan?model=CTCF_GM12878 HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 900\r\n\r\n>x"
        connection.sendall(head.encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 408
        assert json.loads(answer.read())["code"] == "slow"


# What is sent


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "no sequence was sent"),
        (b" \n", "no sequence was sent"),
        (b"ACGT", "not FASTA"),
        (b">x\nACGE\n", "letter 'E' in sequence 'x' is not DNA"),
        (b">\nACGT\n", "a sequence without a name"),
        (b">x\nA\n>x\nA\n", "a second sequence named 'x'"),
        (b">x\n\n>y\nACGT\n", "sequence 'x' has no bases"),
        (b"\x1f\x8b\x08\x00damaged", "compressed data is damaged"),
        ("﻿>x\nA".encode("utf-16"), "UTF-16"),
        (b">x\x01y\nACGT\n", "control characters"),
        (b"\0" * 50, "not FASTA"),
    ],
)
def test_what_is_no_dna(refused: Refused, server: Any, web: SimpleNamespace, content: bytes, detail: str) -> None:
    response = server.post("scan", content, model=web.model)
    assert detail in refused(response, 422, response.json()["code"])["detail"]
    assert "/tmp" not in response.text


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"model": "nobody"},
        {"model": "../models/CTCF_GM12878.onnx"},
        {"model": "/etc/passwd"},
        {"model": ["CTCF_GM12878", "CTCF_GM12878"]},
        {"stride": "0"},
        {"stride": "1_0"},
        {"stride": "٣"},
        {"stride": ["5", "5"]},
        {"max_n": "nan"},
        {"max_n": "1.1"},
        {"format": "bigwig"},
        {"format": "../x"},
        {"strid": "5"},
        {"start": "5"},
        {"start": "-1", "chrom": "chr20_part"},
    ],
)
def test_parameters_are_checked(refused: Refused, server: Any, web: SimpleNamespace, query: dict[str, Any]) -> None:
    given = {} if not query else {"model": web.model, **query}
    refused(server.post("scan", web.fasta, **given), 400, "bad_parameter")


@pytest.mark.parametrize(
    "place",
    [
        {"chrom": "chr1"},
        {"chrom": "chr20_part", "end": 60001},
        {"chrom": "chr20_part", "start": 500, "end": 500},
        {"chrom": "../../etc/passwd"},
    ],
)
def test_places_have_to_be_in_the_genome(
    refused: Refused, server: Any, web: SimpleNamespace, place: dict[str, Any]
) -> None:
    response = server.post("scan", model=web.model, **place)
    refused(response, 422, "no_such_region")
    assert str(web.genome.parent) not in response.text


def test_a_server_may_have_no_genome_few_models_and_another_name(
    refused: Refused, serve: Callable[..., Any], web: SimpleNamespace
) -> None:
    bare = serve("--tf", "CTCF", "--cell", "GM12878", "--allow-host", "Lab.example", "--engine", "onnxruntime")
    refused(bare.post("scan", model=web.model, chrom="chr1"), 422, "no_genome")
    assert [model["id"] for model in httpx.get(f"{bare.url}/api/models").json()["models"]] == [web.model]
    assert bare.answers()
    assert httpx.get(f"{bare.url}/", headers={"Host": "lab.example:80"}).status_code == 200
    assert httpx.get(f"{bare.url}/", headers={"Host": "x.lab.example"}).status_code == 421


def test_names_come_back_as_they_are(server: Any, web: SimpleNamespace) -> None:
    name = "<script>alert('x')</script>é\";%0d%0aSet-Cookie:a=b"
    answer = server.post("scan", f">{name}\n{web.bases}\n", model=web.model)
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    assert answer.json()["sequences"][0]["name"] == name


# Time, and how many at once


def quiet_within(server: Any, seconds: float) -> bool:
    """Whether the server stops computing within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = server.cpu_seconds()
        time.sleep(0.5)
        if server.cpu_seconds() - before < 0.1:
            return True
    return False


def test_a_request_that_takes_too_long_is_stopped(refused: Refused, small: Any, web: SimpleNamespace) -> None:
    assert small.answers()  # the model is open
    refused(small.post("scan", max_n=0.31, **SLOW), 422, "too_long")
    assert quiet_within(small, 5)
    for _ in range(2):
        refused(small.post("call", max_n=0.32, **SLOW), 422, "too_long")
    assert small.threads("saresnet-read") == 0
    assert quiet_within(small, 5)
    assert small.answers()


def test_more_requests_than_are_worked_on_are_sent_away(refused: Refused, small: Any, web: SimpleNamespace) -> None:
    assert small.answers()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: small.post("scan", **SLOW), range(6)))
    assert sorted({answer.status_code for answer in answers}) == [422, 429]
    for answer in answers:
        if answer.status_code == 429:
            refused(answer, 429, "busy")
            assert 1 <= int(answer.headers["retry-after"]) <= 5
    assert small.answers()


def test_the_page_answers_while_scores_are_computed(small: Any) -> None:
    worker = threading.Thread(target=lambda: small.post("scan", **SLOW))
    worker.start()
    time.sleep(0.3)
    waits = []
    while worker.is_alive():
        begun = time.monotonic()
        assert httpx.get(f"{small.url}/", timeout=20).status_code == 200
        waits.append(time.monotonic() - begun)
    worker.join()
    assert len(waits) >= 2
    assert sorted(waits)[len(waits) // 2] < 1


def test_a_client_that_leaves_is_not_worked_for(serve: Callable[..., Any], web: SimpleNamespace) -> None:
    server = serve(web.genome, "--jobs", 1, "--engine", "onnxruntime")
    assert server.answers()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/api/scan", params={**SLOW, "max_n": 0.33}, timeout=1)
    until = time.monotonic() + 5  # its place is free long before the minute that it had
    while server.post("scan", web.fasta, model=web.model).status_code == 429:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert quiet_within(server, 5)
