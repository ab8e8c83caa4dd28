"""What stands before every request: which names and sites it may come by, and the headers of every answer."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saresnet_cli.serving.limits import Refusal

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
DRAINED = 1 << 26
"""Bytes of a refused body that are read and dropped, so that its sender gets to read why."""

_DRAIN_SECONDS = 5.0


class Guard:
    """Lets requests through that the server's own pages and programs on this machine send.

    names: besides "localhost" and addresses as numbers, what the Host header may say. A name that an attacker has
    pointed at this machine is none of them (DNS rebinding), and a page of another site gives itself away by Origin
    or Sec-Fetch-Site.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        whole = False

        async def watched() -> Message:
            nonlocal whole
            message = await receive()
            whole = whole or message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def drain() -> None:
            left, until = DRAINED, time.monotonic() + _DRAIN_SECONDS
            while not whole and left > 0 and time.monotonic() < until:
                left -= len((await watched()).get("body", b""))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not whole and message["status"] != 408:
                    # A connection that is closed with a body unread takes the answer with it.
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(drain(), _DRAIN_SECONDS)
                headers = MutableHeaders(scope=message)
                if not whole:
                    headers["Connection"] = "close"  # what else comes is not even received
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope["method"], Headers(scope=scope))
        except Refusal as refusal:
            await answer(refusal)(scope, watched, guarded)
            return
        await self._app(scope, watched, guarded)

    def _check(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname or "") if _is_host(host) else ""
        if name not in self._names and not _is_address(name):
            raise Refusal(421, "wrong_host", "Host is not one of this server's names", "--allow-host adds one")
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"  # a link to the page is fine
        elsewhere = site in ("cross-site", "same-site") and not followed
        if elsewhere or (origin is not None and urlsplit(origin).netloc.lower() != host.lower()):
            raise Refusal(403, "other_site", "a page of another site has sent this", "use the server's own page")


def answer(refusal: Refusal) -> Response:
    """Return a refusal as a response."""
    return Response(refusal.content(), refusal.status, refusal.headers, "application/problem+json")


def _is_host(host: str) -> bool:
    return bool(host) and not set(host) & set("/\\@?# ")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
