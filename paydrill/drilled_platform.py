"""What the conductor asks the drilled platform after the load: is anything unresolved, and its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from journal.records import PlatformEntry

_PAGE = 1000
_MOST_PAGES = 10_000


class PlatformError(Exception):
    """The platform did not answer, or not with what was asked for."""


class DrilledPlatform:
    """A client of the platform's own records.

    Args:
        url: The platform's base URL.
    """

    def __init__(self, url: str) -> None:
        # Of the environment, only the authorities to trust (SSL_CERT_FILE) are taken.
        authorities = httpx.create_ssl_context()
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False, verify=authorities)

    def close(self) -> None:
        self._client.close()

    def reachable(self) -> None:
        """Raises PlatformError when ``GET /health`` gets no answer at all."""
        self._get("/health", {})

    def unresolved(self) -> int:
        """Payments whose outcome the platform does not know yet.

        Raises:
            PlatformError: It does not say.
        """
        count = self._json("/health", {}).get("unresolved")
        if not isinstance(count, int):
            raise PlatformError("its /health does not say how many payments are unresolved")
        return count

    def unsettled(self) -> int:
        """Payments that a gateway has accepted and collects; 0 for a platform that doesn't count them.

        Raises:
            PlatformError: It does not answer.
        """
        count = self._json("/health", {}).get("unsettled")
        return count if isinstance(count, int) else 0

    def ledger(self, on_page: Callable[[int], None] = lambda count: None) -> Iterator[PlatformEntry]:
        """Its ledger, entry by entry, over all pages.

        Raises:
            PlatformError: It has no such export, or the export is malformed.
        """
        cursor: str | None = None
        count = 0
        for _ in range(_MOST_PAGES):
            page = self._json("/ledger", {"limit": str(_PAGE), **({"after": cursor} if cursor else {})})
            try:
                for entry in page["entries"]:
                    yield _entry(entry)
                count += len(page["entries"])
                cursor = page["next"]
            except (KeyError, TypeError, ValueError) as error:
                raise PlatformError(f"its ledger export is malformed: {error!r}") from error
            on_page(count)
            if cursor is None:
                return
        raise PlatformError(f"its ledger export has no end after {_MOST_PAGES:,} pages")

    def _json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = self._get(path, query)
        try:
            data = answer.json()
        except ValueError as error:
            raise PlatformError(f"GET {path} did not answer with JSON") from error
        if answer.status_code != 200 or not isinstance(data, dict):
            raise PlatformError(f"GET {path} answered HTTP {answer.status_code}")
        return data

    def _get(self, path: str, query: dict[str, str]) -> httpx.Response:
        try:
            return self._client.get(path, params=query)
        except httpx.HTTPError as error:
            raise PlatformError(f"GET {path}: {error or type(error).__name__}") from error


def _entry(entry: dict[str, Any]) -> PlatformEntry:
    return PlatformEntry(
        id=str(entry["id"]),
        order_id=str(entry["order_id"]),
        amount_minor=int(entry["amount_minor"]),
        currency=str(entry["currency"]),
        status=str(entry["status"]),
        gateway=str(entry["gateway"] or ""),
        reference=str(entry["reference"] or ""),
        refunded_minor=int(entry["refunded_minor"]),
        kind=str(entry.get("kind", "payment")),
    )
