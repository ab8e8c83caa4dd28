"""Where models are fetched from: a folder, or an HTTP(S) address."""

from __future__ import annotations

import contextlib
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from io import BufferedReader
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import quote, urlsplit

from saresnet_cli import __version__
from saresnet_cli.errors import ModelError

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

_BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that another attempt may change


class Broken(Exception):
    """A transfer that broke, and may go on when it is tried again; its text says how."""


@dataclass(frozen=True)
class Opened:
    """A file of a source that is being read.

    start: where the stream begins in the file; length: of the whole file in bytes, None where it isn't said.
    """

    stream: BufferedReader | HTTPResponse
    start: int
    length: int | None

    def read(self, count: int) -> bytes:
        """Read what has come, up to `count` bytes, none at the end; raises Broken."""
        try:
            return self.stream.read1(count)
        except (OSError, HTTPException, ValueError) as error:
            raise Broken(f"the connection broke ({error})") from error


class Source(Protocol):
    """A place that has an index and the files that it lists."""

    name: str

    def open(self, file: str, start: int = 0) -> contextlib.AbstractContextManager[Opened]:
        """Open a file, if it can be from a byte on; raises Broken, or ModelError where trying again won't help."""


class Folder:
    """A folder with the files."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    @contextlib.contextmanager
    def open(self, file: str, start: int = 0) -> Iterator[Opened]:
        """Open a file of the folder."""
        path = self.path / file
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ModelError("is not a file", path=path)
        try:
            stream = path.open("rb")
        except OSError as error:
            raise ModelError(error.strerror or str(error), path=path) from error
        with stream:
            length = path.stat().st_size
            stream.seek(min(start, length))
            yield Opened(stream, min(start, length), length)


class Web:
    """An HTTP(S) address below which the files are."""

    def __init__(self, address: str, timeout: float = TIMEOUT) -> None:
        self.name, self._timeout = address.rstrip("/"), timeout
        # Not build_opener(): it would also read file:, ftp: and data: addresses. Certificates are verified by default.
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(),
        ):
            self._opener.add_handler(handler)

    @contextlib.contextmanager
    def open(self, file: str, start: int = 0) -> Iterator[Opened]:
        """Ask for a file; the answer starts at byte `start` if the server can do that, else at 0 (RFC 9110, 14)."""
        address = f"{self.name}/{quote(file)}"
        headers = {"User-Agent": f"saresnet/{__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        response = self._ask(urllib.request.Request(address, headers=headers))
        if response is None:  # 416: the file ends before `start`, so it isn't the one that was begun
            with self.open(file) as opened:
                yield opened
            return
        with response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise ModelError("comes compressed, which was not asked for", path=address)
            begin, length = 0, response.headers.get("Content-Length")
            if response.status == 206:
                found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
                if found is None or int(found[1]) != start:
                    raise ModelError("answers with another part of the file than was asked for", path=address)
                begin, length = start, found[2]
            yield Opened(response, begin, int(length) if length is not None and length.isdigit() else None)

    def _ask(self, request: urllib.request.Request) -> HTTPResponse | None:
        address = request.full_url
        try:
            response = self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and request.has_header("Range"):
                return None
            if error.code in _BUSY:
                raise Broken(f"the server says {error.code} {error.reason}") from error
            raise ModelError(f"the server says {error.code} {error.reason}", path=address) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise ModelError(f"its certificate can't be trusted ({error.reason})", path=address) from error
            raise Broken(f"it can't be reached ({error.reason})") from error
        except (OSError, HTTPException, ValueError) as error:
            raise Broken(f"it can't be reached ({error})") from error
        if not isinstance(response, HTTPResponse):
            raise Broken("the server does not answer")
        return response


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server elsewhere, but only to HTTP(S), and not from HTTPS to HTTP."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            fp.close()
            raise ModelError(f"the server sends us to {newurl}, which is not safe", path=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_source(name: str, timeout: float = TIMEOUT) -> Source:
    """Return the source that a user names: a folder, or an http: or https: address of one.

    Raises ModelError on an address of another kind, or one that carries a password or a query.
    """
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", name):
        path = Path(name)
        if not path.is_dir():
            raise ModelError("no such folder", path=name, cure="name a folder, or an https:// address")
        return Folder(path)
    try:
        parts = urlsplit(name)
        good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        good = plain = False
    if not good:
        raise ModelError("is not an address of models", path=name, cure="name a folder, or an https:// address")
    if not plain:
        raise ModelError("an address of models has no user, query or fragment", cure="name a folder on the server")
    return Web(name, timeout)
