"""Runs the web application until the user ends it."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from saresnet_cli.errors import SaresnetError
from saresnet_cli.serving.jobs import Jobs

CONNECTIONS = 256
"""Connections beyond which uvicorn answers 503 by itself."""

_log = logging.getLogger("saresnet")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. port: 0 for any that is free. Raises SaresnetError when it can't be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        cure = "give another --port (0: any that is free) or --host"
        raise SaresnetError(f"can't listen on {host}, port {port} ({reason})", cure=cure) from error


def serve(app: ASGIApp, jobs: Jobs, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, and return: both are how a server is ended.

    Requests that are being worked on are stopped then, and answered with 503. A second SIGINT ends at once.
    ready: called when requests are taken.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # one line of ours says what matters
    with _signals_kept():
        _Server(config, jobs, ready).run([listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, jobs: Jobs, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._jobs = jobs
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._jobs.end()
        super().handle_exit(sig, frame)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Let pass what uvicorn raises again when it has ended by a signal."""
    kept = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
