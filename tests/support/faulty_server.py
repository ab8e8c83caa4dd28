"""A real server on this machine that serves a folder, and does wrong what a test asks it to."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Serves the files of a folder with ranges; the faults that a test has set for a file come first."""

    server: Server

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked.append((name, self.headers.get("Range")))
        path = self.server.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        faults = self.server.faults.get(name, [])
        (faults.pop(0) if faults else ranged)(self, path.read_bytes())

    def answer(self, code: int, body: bytes, sent: int | None = None, **headers: object) -> None:
        """Answer, and close after `sent` bytes of the body."""
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body[:sent])
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on this machine; asked: (file, Range) of each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.faults, self.asked = folder, dict[str, list[Fault]](), list[tuple[str, str | None]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/models"

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no error."""


def ranged(handler: Handler, body: bytes) -> None:
    wanted = handler.headers.get("Range")
    if wanted is None:
        handler.answer(200, body)
        return
    start = int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(body):
        handler.send_error(416)
        return
    handler.answer(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")


def whole(handler: Handler, body: bytes) -> None:
    handler.answer(200, body)  # knows no ranges


def cut(count: int) -> Fault:
    """Break the connection after so many bytes, from wherever the client goes on."""

    def fault(handler: Handler, body: bytes) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start:
            handler.answer(206, body[start:], count, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            handler.answer(200, body, count)

    return fault


def status(code: int) -> Fault:
    return lambda handler, _: handler.send_error(code)


def past_the_end(handler: Handler, body: bytes) -> None:
    handler.send_error(416) if handler.headers.get("Range") else handler.answer(200, body)


def redirect(to: str) -> Fault:
    return lambda handler, _: handler.answer(302, b"", Location=to)


def slow(seconds: float) -> Fault:
    def fault(handler: Handler, body: bytes) -> None:
        time.sleep(seconds)
        ranged(handler, body)

    return fault


def trickle(handler: Handler, body: bytes) -> None:
    """Send a file in a second and a half."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for at in range(15):
        handler.wfile.write(body[len(body) * at // 15 : len(body) * (at + 1) // 15])
        handler.wfile.flush()
        time.sleep(0.1)


def endless(handler: Handler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(2000):
        handler.wfile.write(body)
