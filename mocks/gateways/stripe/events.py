"""Stripe's events: what they look like, and how their delivery is signed."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from typing import Any

import orjson

from mocks.draws import ALPHANUMERIC, Draws
from mocks.gateways.call import Call
from mocks.gateways.stripe.errors import invalid, missing
from mocks.gateways.stripe.form import FormError, Parameters, listed
from mocks.gateways.stripe.objects import boolean, listing, page_of, text
from mocks.webhooks import Event, Headers, Outbox, Rules

WEBHOOK_SECRET = "whsec_paydrill_0123456789abcdef"  # noqa: S105
"""The signing secret of every webhook endpoint of the mock. It guards nothing."""

_MINUTE, _HOUR = 60.0, 3600.0
REDELIVERY_S = (
    *(5.0, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 20 * _HOUR),
)
"""Waits between attempts. Stripe documents "up to three days with an exponential back off" in live mode; the
steps are an assumption."""

TOLERANCE_S = 300.0
"""Age from which Stripe's libraries refuse a signature (``Webhook.DEFAULT_TOLERANCE`` of stripe-py)."""


def signature(body: bytes, at: int, secret: str = WEBHOOK_SECRET) -> Headers:
    """The ``Stripe-Signature`` header: HMAC-SHA256, keyed with the secret as it is written, of the Unix time,
    a dot and the raw body (as stripe-py's ``WebhookSignature`` verifies it)."""
    digest = hmac.digest(secret.encode(), b"%d." % at + body, "sha256").hex()
    return (("stripe-signature", f"t={at},v1={digest}"),)


def rules(name: str, seed: int) -> Rules:
    """How Stripe delivers."""
    names = Draws(seed, f"{name}/events")
    return Rules(
        event_id=lambda number: "evt_" + names.text(number, 24, ALPHANUMERIC),
        sign=signature,
        redelivery_s=REDELIVERY_S,
        tolerance_s=TOLERANCE_S,
    )


class Events:
    """The events of one gateway, put into its outbox and listed from there.

    Args:
        outbox: Keeps and delivers them.
        api_version: What they are rendered in.
        request_id: The number of a call -> the ``Request-Id`` that it was answered with.

    Attributes:
        cause: The call that is being executed; None while time alone makes things happen.
    """

    def __init__(
        self,
        outbox: Outbox,
        api_version: str,
        request_id: Callable[[int], str] = lambda number: f"req_{number}",
    ) -> None:
        self.cause: Call | None = None
        self._outbox = outbox
        self._api_version = api_version
        self._request_id = request_id
        self._render = self._payload

    def happened(self, kind: str, body: Callable[..., dict[str, Any]], *arguments: Any) -> None:
        """Something happened.

        Args:
            kind: The event's type, ``payment_intent.succeeded`` for one.
            body: Makes the object as it was at this moment, however late it is called, with ``arguments``.
            arguments: What ``body`` is called with.
        """
        cause = self.cause
        if cause is None:
            self._outbox.add(kind, self._render, -1, "", body, *arguments)
        else:
            self._outbox.add(kind, self._render, cause.number, cause.idempotency_key, body, *arguments)

    def find(self, name: str) -> Event:
        """Raises StripeError (404) when there is none."""
        event = self._outbox.find(name)
        if event is None:
            raise missing("event", name, param="id")
        return event

    def body(self, event: Event, expand: Collection[str] = ()) -> Any:
        """The API's object, the same as was delivered."""
        return orjson.Fragment(event.payload())

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first; filters ``type``, ``types``, ``delivery_success`` and ``created``. A
        type may end in ``*``."""
        wanted = _types(parameters)
        rows = [event for event in self._outbox if not wanted or matches(event.kind, wanted)]
        if "delivery_success" in parameters:
            delivered = boolean(parameters, "delivery_success")
            rows = [event for event in rows if (self._outbox.pending(event) == 0) == delivered]
        page = page_of(parameters, rows, lambda name, param: self._cursor(name, param, rows))
        return listing("/v1/events", page, self.body)

    def _payload(
        self, event: Event, number: int, key: str, body: Callable[..., dict[str, Any]], *arguments: Any
    ) -> bytes:
        request_id = self._request_id(number) if number >= 0 else None
        return orjson.dumps(
            {
                "id": event.id,
                "object": "event",
                "api_version": self._api_version,
                "created": event.created,
                "data": {"object": body(*arguments)},
                "livemode": False,
                "pending_webhooks": self._outbox.pending(event),
                "request": {"id": request_id, "idempotency_key": key or None},
                "type": event.kind,
            }
        )

    def _cursor(self, name: str, param: str, rows: list[Event]) -> tuple[int, int]:
        found = self._outbox.find(name)
        if found is None:
            raise missing("event", name, param=param, status=400)
        return (
            sum(row.number < found.number for row in rows),
            sum(row.number <= found.number for row in rows),
        )


def _types(parameters: Parameters) -> list[str]:
    one = text(parameters, "type")
    if "types" not in parameters:
        return [one] if one is not None else []
    if one is not None:
        raise invalid("type and types exclude each other.", param="types")
    try:
        return [str(name) for name in listed(parameters["types"])]
    except FormError as error:
        raise invalid("Invalid array", param="types") from error


def matches(kind: str, wanted: Collection[str]) -> bool:
    """Whether an event's type is among those that are named; a name may end in ``*``."""
    return any(kind == name or (name.endswith("*") and kind.startswith(name[:-1])) for name in wanted)
