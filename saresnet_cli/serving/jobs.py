"""Work in threads, so many requests at a time, each stopped when its time is over or its client has gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from saresnet_cli.serving.limits import Limits, Refusal, too_many

T = TypeVar("T")


class Gone(Exception):
    """The client has closed its connection, so nobody waits for an answer."""


@dataclass(eq=False)
class Job:
    """One request that is worked on.

    seconds: how long it may take from now. Whoever computes calls `check` between batches of windows, which raises
    when the job has to end: `Refusal` when its time is over or the server ends, `Gone` when the client has left.
    """

    seconds: float
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds
        self._why: Exception | None = None

    def stop(self, why: Exception) -> None:
        """Let the next `check` raise; the first reason counts."""
        self._why = self._why or why

    def check(self) -> None:
        """Raise when the job has to end."""
        if self._why is not None:
            raise self._why
        if time.monotonic() > self.deadline:
            raise self.late()

    def late(self) -> Refusal:
        """Return what is said when the time is over."""
        cure = "send less sequence, choose fewer models, or a larger stride"
        return Refusal(422, "too_long", f"it took more than {self.seconds:g} s", cure)


class Jobs:
    """The requests that are worked on, each by a thread of its own."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: set[Job] = set()
        self._ending = threading.Event()
        self._threads = ThreadPoolExecutor(limits.jobs, thread_name_prefix="saresnet-job")

    @contextlib.contextmanager
    def begin(self) -> Iterator[Job]:
        """Take one of the places; raises Refusal when there is none left."""
        if self._ending.is_set():
            raise _ending()
        if len(self._running) >= self._limits.jobs:
            left = min(job.deadline for job in self._running) - time.monotonic()
            wait = max(1, min(5, round(left)))
            raise Refusal(
                429,
                "busy",
                f"{self._limits.jobs} requests are being worked on",
                f"try again in {wait} s",
                {"Retry-After": str(wait)},
            )
        job = Job(self._limits.seconds)
        self._running.add(job)
        try:
            yield job
        finally:
            self._running.discard(job)

    async def read(self, request: Request, job: Job) -> bytes:
        """Return the body of a request; raises Refusal as soon as more has come than is allowed, or too slowly."""
        limit = self._limits.body
        refusal = too_many("body_too_large", "bytes in a request", limit, "send less sequence at a time")
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise refusal

        async def collect() -> bytes:
            body = bytearray()
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise refusal
                body += chunk
            return bytes(body)

        try:
            return await asyncio.wait_for(collect(), job.deadline - time.monotonic())
        except asyncio.TimeoutError:
            late = f"the request had not come in whole after {job.seconds:g} s"
            raise Refusal(408, "slow", late, "send it again", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise Gone from None

    async def run(self, request: Request, job: Job, work: Callable[[], T]) -> T:
        """Return what `work` gives in a thread; it is stopped when the client leaves. Raises what it raises."""
        loop = asyncio.get_running_loop()
        working: asyncio.Future[T] = loop.run_in_executor(self._threads, work)
        leaving: asyncio.Future[None] = asyncio.ensure_future(_left(request))
        try:
            both: set[asyncio.Future[Any]] = {working, leaving}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                job.stop(Gone())
            # Its place is free when its thread is: a job that was stopped ends with the batch that it computes.
            return await asyncio.shield(working)
        except asyncio.CancelledError:  # the server does not wait any longer
            job.stop(_ending())
            raise
        finally:
            leaving.cancel()

    def end(self) -> None:
        """Stop what is worked on, and refuse what comes; may be called from a signal handler."""
        self._ending.set()
        for job in list(self._running):
            job.stop(_ending())

    def close(self) -> None:
        """Wait for the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _ending() -> Refusal:
    return Refusal(503, "ending", "the server is being ended", "start it again")
