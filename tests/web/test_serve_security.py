"""Who may ask, and what every answer carries."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

Refused = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "[::1]:{port}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_only_its_own_page_and_programs_may_ask(
    refused: Refused, server: Any, web: SimpleNamespace, headers: dict[str, str], status: int
) -> None:
    port = str(urlsplit(server.url).port)
    given = {name: value.replace("{port}", port) for name, value in headers.items()}
    got = httpx.post(
        f"{server.url}/api/scan", params={"model": web.model}, content=web.fasta[:300], headers=given, timeout=60
    )
    assert got.status_code == status
    if status != 200:
        refused(got, status, "wrong_host" if status == 421 else "other_site")


def test_a_link_from_elsewhere_opens_the_page(server: Any) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(f"{server.url}/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/style.css", "/api/models", "/nothing", "/api/scan"])
def test_every_answer_has_its_security_headers(server: Any, path: str) -> None:
    headers = httpx.get(server.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/../limits.py", "/static/..%2flimits.py", "/static/%2e%2e/limits.py", "/static//etc/passwd",
     "/static/index.html", "//etc/passwd", "/api/", "/api/scan/", "/api/scan%00"],
)  # fmt: skip
def test_no_path_leads_to_a_file(server: Any, path: str) -> None:
    where = urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    connection.request("GET", path)  # as it stands: a client library would clean it up
    answer = connection.getresponse()
    assert answer.status == 404
    assert json.loads(answer.read())["code"] == "not_found"
    connection.close()


def test_what_is_no_http_does_not_hurt(server: Any, web: SimpleNamespace) -> None:
    where = urlsplit(server.url)
    for junk in (
        b"\0\xff" * 100 + b"\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /api/scan HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ):
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            connection.sendall(junk)
            assert not connection.recv(1000).startswith(b"HTTP/1.1 2")
    assert server.answers()
