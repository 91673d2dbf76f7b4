"""What is known of a gateway's sandbox, and what every one of them can do."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mocks.gateways.rate_limit import Limit
from mocks.outbound import Answer, Call, Client
from mocks.platform.connectors.connector import Caller
from mocks.sandboxes.keys import Credentials, Key
from mocks.sandboxes.records import Ask, Records, Run

CONTENTS_LIMIT = 4 << 20
"""Bytes of an unpacked answer that are read."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A request that was forwarded to the sandbox, and its answer as the sandbox gave it, whatever the caller
    got to see of it. Header names are lower-cased."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    answer: Answer | None
    """None when the answer was lost between the sandbox and us: the request may have been carried out."""


class Notes(Protocol):
    """What passes between the platform and the sandbox and is kept for the money check."""

    def wants(self, method: str, target: str) -> bool:
        """Whether a request of this kind has to be noted, with its answer."""

    def take(self, forwarded: Forwarded) -> None:
        """Note a request and its answer. Takes whatever comes, and never raises."""


class NoNotes:
    """The notes of a sandbox whose own records say everything."""

    def wants(self, method: str, target: str) -> bool:
        return False

    def take(self, forwarded: Forwarded) -> None:
        """Nothing is kept."""


class Sandbox(Protocol):
    """The sandbox of one gateway.

    Attributes:
        name: The gateway's.
        host: The only host that is called; always over TLS, on port 443.
        keys: What authorises requests.
        limit: What is asked of it at most.
        limit_source: Where the limit comes from, or that it is assumed.
        requests: How many requests the reference platform makes for one payment, at most one of them a
            second time (an access token is shared by many payments, and not counted).
        unapproved: Why the reference platform cannot pay here by itself; empty when it can.
    """

    name: str
    host: str
    keys: tuple[Key, ...]
    limit: Limit
    limit_source: str
    requests: int
    unapproved: str = ""

    def caller(self, client: Client, credentials: Credentials) -> Caller:
        """Authorises the calls that read the records."""

    def notes(self) -> Notes:
        """New notes of a run."""

    async def records(self, ask: Ask, run: Run, notes: Notes) -> Records:
        """Read what the sandbox knows of a run.

        Args:
            ask: Reaches it, paced and authorised.
            run: Which.
            notes: What was noted during the run, made by ``notes``.

        Raises:
            RecordsError: The records could not be read.
        """


def contents(answer: Answer) -> bytes:
    """The body of an answer, unpacked when the caller had asked for it packed (gzip, deflate); empty when it
    cannot be."""
    if answer.headers.get("content-encoding", "identity").lower() not in ("gzip", "x-gzip", "deflate"):
        return answer.body
    unpacker = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    try:
        return unpacker.decompress(answer.body, CONTENTS_LIMIT)
    except zlib.error:
        return b""


class Authorised:
    """A client whose calls carry the same headers, every time."""

    def __init__(self, client: Client, headers: Sequence[tuple[str, str]]) -> None:
        self._client = client
        self._headers = tuple(headers)

    async def call(self, call: Call, timeout_ns: int) -> Answer:
        """See ``Client.call``."""
        return await self._client.call(call._replace(headers=(*self._headers, *call.headers)), timeout_ns)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()
