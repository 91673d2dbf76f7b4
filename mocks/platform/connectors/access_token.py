"""A client whose calls carry an access token: fetched when it is needed, kept until it expires, renewed when
it is refused (client credentials grant, RFC 6749, section 4.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import orjson

from mocks.outbound import Answer, Call, Client, NeverSentError, OutboundError

EARLY_S = 60.0
"""A token is renewed so long before it expires, or at half of its life if that is later."""


class TokenClient:
    """Calls one peer with a token.

    Args:
        client: Reaches the peer.
        fetch: The request that is answered with a token.
        now: Seconds, ``time.monotonic``.
    """

    def __init__(self, client: Client, fetch: Call, now: Callable[[], float] = time.monotonic) -> None:
        self.fetched = 0
        self._client = client
        self._fetch = fetch
        self._now = now
        self._token = ""
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def call(self, call: Call, timeout_ns: int) -> Answer:
        """See ``Client.call``. Without a token the call was never sent. A 401 is followed by one more try
        with a new token: what was not let in has not been carried out.

        Raises:
            OutboundError: There was no answer.
        """
        token = await self._good_token("", timeout_ns)
        answer = await self._client.call(_with(call, token), timeout_ns)
        if answer.status == 401:
            token = await self._good_token(token, timeout_ns)
            answer = await self._client.call(_with(call, token), timeout_ns)
        return answer

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def _good_token(self, refused: str, timeout_ns: int) -> str:
        """A token other than the one that was refused; one fetch for all who wait."""
        if self._token != refused and self._now() < self._until:
            return self._token
        async with self._lock:
            if self._token != refused and self._now() < self._until:
                return self._token
            self.fetched += 1
            try:
                answer = await self._client.call(self._fetch, timeout_ns)
            except OutboundError as error:
                raise NeverSentError(f"no access token: {error}") from error
            try:
                body = orjson.loads(answer.body)
                token, lifetime = str(body["access_token"]), float(body["expires_in"])
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                raise NeverSentError(f"no access token: HTTP {answer.status}") from None
            self._token = token
            self._until = self._now() + max(lifetime - EARLY_S, lifetime / 2)
            return token


def _with(call: Call, token: str) -> Call:
    return call._replace(headers=(("authorization", f"Bearer {token}"), *call.headers))
