"""Sending one request, and knowing how far it got when it fails."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from journal.clock import SECOND
from probes.pace import Pace
from probes.probe import Phase
from probes.target import plain_host

BODY_LIMIT = 1 << 20
"""The most bytes of a body that are read; the rest is left."""

_NO_KEEPING = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_KEEPING = httpx.Limits(max_connections=None, max_keepalive_connections=1, keepalive_expiry=None)

# What httpcore reports through the `trace` extension -> the phase that begins with it.
_BEGINS: dict[str, Phase] = {
    "connection.connect_tcp.started": "connect",
    "http11.send_request_headers.started": "send",
    "http11.receive_response_headers.started": "answer",
}

# Errors that the prober's own machine has before anything reaches the target.
_OWN_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})

_WORDS: dict[int, str] = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection closed",
    errno.EMFILE: "out of file descriptors",
    errno.ENFILE: "out of file descriptors",
    errno.EADDRNOTAVAIL: "out of local ports",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole, or as far as it was read.

    Attributes:
        status: The HTTP status.
        body: The body, at most ``BODY_LIMIT`` bytes of it.
        took_ns: From before connecting until the last byte was read.
    """

    status: int
    body: bytes
    took_ns: int


class LostError(Exception):
    """A request that got no whole answer.

    Attributes:
        phase: The step in which it ended.
        reason: Why, in a few words.
        sent: Whether a byte of the request may have left.
    """

    def __init__(self, phase: Phase, reason: str, *, sent: bool) -> None:
        super().__init__(f"{phase}: {reason}")
        self.phase = phase
        self.reason = reason
        self.sent = sent


class Clients:
    """The HTTP clients of a process: one opens a connection per request, one keeps connections.

    Neither follows redirects (they could lead to a host that was not allowed) nor reads proxy settings from
    the environment (a proxy would be measured instead of the target).
    """

    def __init__(self, paces: Mapping[str, Pace] | None = None) -> None:
        """``paces``: the hosts that are called at a limited rate, as ``plain_host`` writes them."""
        # Of the environment, only the authorities to trust (SSL_CERT_FILE) are taken.
        context = httpx.create_ssl_context()
        # Every request brings its own time-outs.
        self.fresh = httpx.AsyncClient(limits=_NO_KEEPING, verify=context, trust_env=False)
        self.keeping = httpx.AsyncClient(limits=_KEEPING, verify=context, trust_env=False)
        self.paces = paces or {}

    async def warm_up(self) -> None:
        """Send one request to a listener of our own.

        The first request of a process is tens of milliseconds slower than the others, since the library
        loads parts of itself then; no target should answer for that.
        """

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, EOFError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
            writer.close()

        with suppress(OSError, LostError):
            async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                await Wire(self, SECOND).request("GET", f"http://127.0.0.1:{port}/")

    async def close(self) -> None:
        await self.fresh.aclose()
        await self.keeping.aclose()


class Wire:
    """Sends the requests of one probe."""

    def __init__(self, clients: Clients, timeout_ns: int) -> None:
        self._clients = clients
        self.timeout = timeout_ns / SECOND

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        reuse_connection: bool = False,
    ) -> Answer:
        """Send a request and read the whole answer.

        Connecting may take half the probe's time-out; connecting, sending and reading together may last
        until ``deadline`` (seconds on the event loop's clock; by default the time-out from now).

        Raises:
            LostError: There was no whole answer.
        """
        client = self._clients.keeping if reuse_connection else self._clients.fresh
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self.timeout
        progress = _Progress()
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn(url, progress)
                began_ns = time.monotonic_ns()
                async with client.stream(
                    method,
                    url,
                    json=json,
                    headers={"accept-encoding": "identity", **(headers or {})},
                    timeout=httpx.Timeout(None, connect=self.timeout / 2),
                    extensions={"trace": progress.trace},
                ) as response:
                    progress.phase = "answer"
                    body = await _read(response)
                return Answer(response.status_code, body, time.monotonic_ns() - began_ns)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise progress.lost(error, self.timeout) from error

    async def _turn(self, url: str, progress: _Progress) -> None:
        if self._clients.paces:
            pace = self._clients.paces.get(plain_host(httpx.URL(url).host))
            if pace is not None:
                progress.phase = "prober"
                await asyncio.sleep(pace.turn(time.monotonic_ns()) / SECOND)
                progress.phase = "connect"


@asynccontextmanager
async def open_clients(paces: Mapping[str, Pace] | None = None) -> AsyncIterator[Clients]:
    """The clients, warmed up, and closed at the end."""
    clients = Clients(paces)
    try:
        await clients.warm_up()
        yield clients
    finally:
        await clients.close()


class _Progress:
    """How far a request got."""

    def __init__(self) -> None:
        self.phase: Phase = "connect"

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        self.phase = _BEGINS.get(event, self.phase)

    def lost(self, error: Exception, timeout: float) -> LostError:
        phase = self.phase
        # The trace knows best; the exception's kind matters where there is no trace (another transport).
        if phase == "connect" and isinstance(error, httpx.WriteError | httpx.WriteTimeout):
            phase = "send"
        if phase in ("connect", "send") and isinstance(
            error, httpx.ReadError | httpx.ReadTimeout | httpx.RemoteProtocolError | httpx.DecodingError
        ):
            phase = "answer"
        sent = phase in ("send", "answer")
        number = next((e.errno for e in _causes(error) if isinstance(e, OSError) and e.errno), None)
        own = not sent and (
            number in _OWN_ERRORS
            or isinstance(
                error,
                httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | httpx.PoolTimeout,
            )
        )
        return LostError("prober" if own else phase, _reason(error, phase, number, timeout), sent=sent)


def _reason(error: Exception, phase: Phase, number: int | None, timeout: float) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {timeout / 2:g} s"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        missing = {"connect": "connection", "send": "room to send", "prober": "turn"}.get(
            phase, "whole answer"
        )
        return f"no {missing} within {timeout:g} s"
    name = next((e for e in _causes(error) if isinstance(e, socket.gaierror)), None)
    if name is not None:
        return f"name not resolved: {name.strerror or name}"
    if number in _WORDS:
        return _WORDS[number]
    if isinstance(error, httpx.RemoteProtocolError):
        return (
            "connection closed before the whole answer"
            if "disconnect" in str(error) or ("closed connection" in str(error))
            else f"not HTTP: {error}"
        )
    return str(error) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and what it was raised from, members of groups included."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= BODY_LIMIT:
            return bytes(body[:BODY_LIMIT])
    return bytes(body)
