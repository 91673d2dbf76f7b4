"""The URLs that are registered for webhooks (Webhooks Management v1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.events import TYPES
from mocks.gateways.paypal.fields import Body, text
from mocks.gateways.paypal.signing import Signer
from mocks.webhook_endpoint import Endpoint
from mocks.webhooks import Outbox

MOST = 10
"""How many URLs an application may register."""

ALL = "*"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered URL. ``types`` are names of events; ``*`` stands for all."""

    id: str
    endpoint: Endpoint
    types: tuple[str, ...]

    def body(self, base: str) -> Body:
        """The API's object; ``base`` is the URL of the mock."""
        href = f"{base}/v1/notifications/webhooks/{self.id}"
        return {
            "id": self.id,
            "url": self.endpoint.url,
            "event_types": [{"name": name, "status": "ENABLED"} for name in self.types],
            "links": [
                {"href": href, "rel": "self", "method": "GET"},
                {"href": href, "rel": "update", "method": "PATCH"},
                {"href": href, "rel": "delete", "method": "DELETE"},
            ],
        }


class Webhooks:
    """All registered URLs of one gateway.

    Unlike at PayPal a URL is plain HTTP on a loopback address: nothing else is ever called.

    Args:
        outbox: Delivers the events.
        signer: Signs each delivery with the id of its webhook.
        new_id: Makes the next id.
    """

    def __init__(self, outbox: Outbox, signer: Signer, new_id: Callable[[], str]) -> None:
        self._outbox = outbox
        self._signer = signer
        self._new_id = new_id
        self._all: dict[str, Webhook] = {}

    @property
    def all(self) -> list[Webhook]:
        """The registered ones, oldest first."""
        return list(self._all.values())

    def find(self, name: str) -> Webhook:
        """Raises PayPalError (404) when there is none."""
        if name not in self._all:
            raise PayPalError("INVALID_RESOURCE_ID")
        return self._all[name]

    def create(self, url: str, types: tuple[str, ...]) -> Webhook:
        """Register a URL. Raises PayPalError (400) for a URL that is known, or that the mock never calls."""
        self._free(url)
        if len(self._all) >= MOST:
            raise PayPalError("WEBHOOK_NUMBER_LIMIT_EXCEEDED")
        name = self._new_id()
        self._all[name] = self._listening(name, url, types)
        self._signer.prepare()
        return self._all[name]

    def update(self, name: str, url: str, types: tuple[str, ...]) -> Webhook:
        """Exchange the URL and the types; what waits for the old URL is dropped. Raises PayPalError like
        ``create``, or 404 when there is none."""
        old = self.find(name)
        if url != old.endpoint.url:
            self._free(url)
        self._all[name] = self._listening(name, url, types)
        self._outbox.remove_endpoint(old.endpoint)
        return self._all[name]

    def delete(self, name: str) -> None:
        """Raises PayPalError (404) when there is none."""
        self._outbox.remove_endpoint(self.find(name).endpoint)
        del self._all[name]

    def _free(self, url: str) -> None:
        if any(row.endpoint.url == url for row in self._all.values()):
            raise PayPalError("WEBHOOK_URL_ALREADY_EXISTS", "/url")

    def _listening(self, name: str, url: str, types: tuple[str, ...]) -> Webhook:
        try:
            endpoint = self._outbox.add_endpoint(
                url,
                wants=None if ALL in types else frozenset(types).__contains__,
                sign=lambda body, at: self._signer.headers(body, at, name),
            )
        except ValueError as error:
            raise PayPalError("NOT_A_LOOPBACK_URL", "/url") from error
        return Webhook(name, endpoint, types)


def event_types(body: Body) -> tuple[str, ...]:
    """Read ``event_types`` of a request. Raises PayPalError (400, 422)."""
    rows = body.get("event_types")
    if rows is None:
        raise PayPalError("MISSING_REQUIRED_PARAMETER", "/event_types")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", "/event_types")
    if not rows:
        raise PayPalError("INVALID_ARRAY_MIN_ITEMS", "/event_types")
    names = [
        text(row, "name", f"/event_types/{place}", longest=50, required=True)
        for place, row in enumerate(rows)
    ]
    for place, name in enumerate(names):
        if name != ALL and name not in TYPES:
            raise PayPalError("INVALID_PARAMETER_VALUE", f"/event_types/{place}/name")
    return tuple(names)
