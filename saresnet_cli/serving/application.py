"""The web application (ASGI): the page, and the API that it and programs use."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from saresnet_cli import __version__
from saresnet_cli.card import WINDOW
from saresnet_cli.model import Model
from saresnet_cli.runtime import Runtime
from saresnet_cli.serving.answers import Answer, Answers
from saresnet_cli.serving.computing import Models, offered
from saresnet_cli.serving.inputs import ServedGenome
from saresnet_cli.serving.jobs import Gone, Jobs
from saresnet_cli.serving.limits import Limits, Refusal
from saresnet_cli.serving.openapi import OPERATIONS, Operation, describe
from saresnet_cli.serving.parameters import read_query
from saresnet_cli.serving.security import Guard, answer

PAGE = "index.html"
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".fa": "text/plain; charset=utf-8",
}
SHOWN_SEQUENCES = 1000
"""Sequences of a genome whose names the page is told."""

_CLIENT_GONE = 499  # nginx's; it goes to nobody
_log = logging.getLogger("saresnet")


def application(
    genome: ServedGenome | None = None,
    *,
    models: Sequence[Model] | None = None,
    runtime: Runtime | None = None,
    limits: Limits | None = None,
    names: Collection[str] = (),
) -> tuple[ASGIApp, Jobs]:
    """Return the application, and its jobs, which whoever runs it may end.

    genome: whose regions may be asked for. models: that may be chosen; default those of the registry. runtime:
    what they run on. limits: on a request. names: of this server, besides localhost (`security.Guard`).
    Raises ModelError when there is no registry.
    """
    limits = limits or Limits()
    shared = Models(offered(models), runtime or Runtime(), limits.models)
    jobs = Jobs(limits)
    answers = Answers(shared, genome, limits)
    routes = [
        Route(f"/api/{operation.name}", _endpoint(operation, shared, answers, jobs), methods=["POST"])
        for operation in OPERATIONS
    ]
    for name, content in (
        ("server", _server(genome, limits)),
        ("models", {"models": [_listed(each) for each in shared.offered.values()]}),
        ("openapi.json", describe(shared.offered, limits)),
    ):
        routes.append(Route(f"/api/{name}", _fixed(json.dumps(content).encode() + b"\n", "application/json")))
    for file in resources.files("saresnet_cli.serving").joinpath("static").iterdir():
        suffix = PurePosixPath(file.name).suffix
        if suffix in MEDIA:
            # Read once, now: no name that a client sends is ever looked up among files.
            path = "/" if file.name == PAGE else f"/static/{file.name}"
            routes.append(Route(path, _fixed(file.read_bytes(), MEDIA[suffix])))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        jobs.end()
        jobs.close()

    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_found}, lifespan=lifespan)
    app.router.redirect_slashes = False
    return Guard(app, names), jobs


def _endpoint(
    operation: Operation, models: Models, answers: Answers, jobs: Jobs
) -> Callable[[Request], Awaitable[Response]]:
    work: Callable[..., Answer] = getattr(answers, operation.name)

    async def respond(request: Request) -> Response:
        try:
            values = read_query(request.query_params.multi_items(), operation.table, models.offered)
            with jobs.begin() as job:
                body = await jobs.read(request, job)
                made = await jobs.run(request, job, partial(work, values, body, job))
        except Refusal as refusal:
            return answer(refusal)
        except Gone:
            return Response(status_code=_CLIENT_GONE)
        except Exception as error:
            _log.error("%s failed: %s", operation.name, error, exc_info=_log.isEnabledFor(logging.DEBUG))
            return answer(Refusal(500, "failed", "the server failed", "see what it says on its terminal"))
        headers = {"Content-Disposition": f'attachment; filename="{made.file}"'} if made.file else {}
        return Response(made.content, headers=headers, media_type=made.media)

    return respond


def _fixed(content: bytes, media: str) -> Callable[[Request], Awaitable[Response]]:
    async def respond(_: Request) -> Response:
        return Response(content, media_type=media)

    return respond


async def _not_found(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 405:
        return answer(Refusal(405, "wrong_method", "this is not done by this method", "see /api/openapi.json", headers))
    return answer(Refusal(status, "not_found", "there is nothing here", "see / and /api/openapi.json", headers))


def _server(genome: ServedGenome | None, limits: Limits) -> dict[str, Any]:
    served = None
    if genome is not None:
        first = list(genome.lengths.items())[:SHOWN_SEQUENCES]
        sequences = [{"name": name, "length": length} for name, length in first]
        served = {"name": genome.name, "count": len(genome.lengths), "sequences": sequences}
    return {"version": __version__, "window": WINDOW, "genome": served, "limits": vars(limits)}


def _listed(model: Any) -> dict[str, Any]:
    metrics = {name: value for name, value in model.metrics.items() if isinstance(value, int | float)}
    return {"id": model.id, "tf": model.tf, "cell": model.cell, "metrics": metrics}
