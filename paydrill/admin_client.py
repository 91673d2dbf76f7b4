"""The admin interface of a running mock or proxy, from the other side.

It stands on the standard library alone, so that what runs in an environment without paydrill's own
requirements (a Chaos Toolkit, say) can use it, too. ``docs/admin-api.yaml`` describes the interface.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from mocks.loopback import is_loopback

FIRST_PORT = 12100
PORTS = range(FIRST_PORT, FIRST_PORT + 10)
"""Where running mocks and proxies are looked for: the usual port and the ones after it. Stripe's own mock
has 12110, so the range ends below."""

TOKEN_VARIABLE = "PAYDRILL_ADMIN_TOKEN"  # noqa: S105
"""The environment variable that holds the token of admin interfaces that demand one."""

TIMEOUT_S = 5.0
_LARGEST = 64 * 1024 * 1024

Body = dict[str, Any]


class AdminError(Exception):
    """The admin interface refused; the text is its own.

    Attributes:
        status: The HTTP status.
        field: The part of the request that is wrong, where it names one.
    """

    def __init__(self, message: str, status: int, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.field = field


class UnreachableError(Exception):
    """Nothing answers there, or not as an admin interface does."""


@dataclass(frozen=True, slots=True)
class AdminClient:
    """One admin interface.

    Args:
        url: Its base URL, e.g. ``http://127.0.0.1:12100``.
        token: What it demands when it isn't on loopback; empty for none.

    Raises:
        ValueError: The URL is none, or names another host and there is no token.
    """

    url: str
    token: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"{self.url}: {error}") from None
        if parts.scheme != "http" or not host or parts.path.strip("/") or parts.query:
            raise ValueError(f"{self.url} is no admin URL; write it like http://127.0.0.1:{FIRST_PORT}")
        if not is_loopback(host) and not self.token:
            raise ValueError(f"{host} is not this machine; its admin interface wants a token")

    def faults(self) -> Body:
        """``GET /faults``: ``on`` (whose they are) and ``faults``. Raises AdminError, UnreachableError."""
        answer = self._ask("GET", "/faults")
        if not isinstance(answer.get("on"), str) or not isinstance(answer.get("faults"), list):
            raise UnreachableError(f"what answers on {self.url} is no mock or proxy of paydrill")
        return answer

    def add(self, fault: Mapping[str, Any]) -> Body:
        """``POST /faults``; returns the fault as it is listed. Raises AdminError, UnreachableError."""
        return self._ask("POST", "/faults", fault)

    def clear(self, id: str | None = None) -> list[str]:
        """``DELETE /faults`` or ``DELETE /faults/{id}``; returns the ids of those that were ended. Raises
        AdminError, UnreachableError."""
        path = "/faults" if id is None else f"/faults/{quote(id, safe='')}"
        return list(self._ask("DELETE", path)["cleared"])

    def movements(self) -> Iterator[Body]:
        """The movements of the ledger, oldest first. Raises AdminError, UnreachableError."""
        after = 0
        while True:
            page = self._ask("GET", f"/movements?after={after}&limit=1000")
            yield from page["movements"]
            if page["next"] == after:
                return
            after = page["next"]

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Body:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        status, answer = request(self.url, method, path, body, headers)
        if status >= 400:
            raise AdminError(
                str(answer.get("error", f"answered {status}")), status, str(answer.get("field", ""))
            )
        return answer


def request(
    url: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, Body]:
    """One request with a JSON body, past all proxies that the environment names.

    Returns:
        The status, and the JSON object that was answered (empty when it was none).

    Raises:
        UnreachableError: There was no whole answer in time.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    sent = dict(headers or {})
    if body is not None:
        sent["content-type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(dict(body)), sent)
        response = connection.getresponse()
        text = response.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        why = (
            "nothing listens"
            if isinstance(error, ConnectionRefusedError)
            else str(error) or type(error).__name__
        )
        raise UnreachableError(f"{url} cannot be reached: {why}") from error
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return response.status, answer if isinstance(answer, dict) else {}


def running(ports: Iterable[int] = PORTS, token: str = "") -> list[tuple[AdminClient, Body]]:
    """The admin interfaces on this machine's ports, in the ports' order, each with what ``faults`` says."""
    clients = [AdminClient(f"http://127.0.0.1:{port}", token) for port in ports]
    with ThreadPoolExecutor(max_workers=max(1, len(clients))) as pool:
        found = pool.map(_faults, clients)
        return [(client, listed) for client, listed in zip(clients, found, strict=True) if listed is not None]


def _faults(client: AdminClient) -> Body | None:
    try:
        return client.faults()
    except (AdminError, UnreachableError):
        return None
