"""All webhook endpoints of one gateway that were made by its API.

Unlike at Stripe a URL is plain HTTP on a loopback address: nothing else is ever called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from mocks.gateways.stripe.errors import invalid, missing
from mocks.gateways.stripe.events import matches, signature
from mocks.gateways.stripe.form import FormError, Parameters, listed
from mocks.gateways.stripe.objects import boolean, listing, metadata, page_of, place_in, text
from mocks.gateways.stripe.webhook_endpoint import WebhookEndpoint
from mocks.mock_clock import MockClock
from mocks.webhook_endpoint import check_url
from mocks.webhooks import Outbox

MOST = 16
"""Webhook endpoints of one account ("Register your endpoint": up to 16)."""

_TYPE = re.compile(r"\*|[a-z0-9_]+(\.[a-z0-9_]+)+")


class WebhookEndpoints:
    """Methods raise ``StripeError`` for what Stripe answers with an error."""

    def __init__(self, outbox: Outbox, clock: MockClock, new_id: Callable[[str], str]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._new_id = new_id
        self._all: list[WebhookEndpoint] = []
        self._made = 0

    def find(self, name: str, *, param: str = "webhook_endpoint", status: int = 404) -> WebhookEndpoint:
        """Raises StripeError (404) when there is none, or none any more."""
        for row in self._all:
            if row.id == name:
                return row
        raise missing("webhook endpoint", name, param=param, status=status)

    def create(self, parameters: Parameters) -> WebhookEndpoint:
        """Deliver events to one more URL, from here on and signed with a secret of its own."""
        if len(self._all) >= MOST:
            raise invalid(f"You have reached the maximum of {MOST} test webhook endpoints.")
        row = WebhookEndpoint(
            id=self._new_id("we_"),
            place=self._made,
            created=self._clock.unix(),
            url=_url_of(parameters) or "",
            secret=self._new_id("whsec_"),
            enabled_events=_events_of(parameters) or [],
            description=text(parameters, "description"),
            metadata=metadata(parameters),
            api_version=text(parameters, "api_version"),
        )
        self._made += 1
        self._all.append(row)
        self._connect(row)
        return row

    def update(self, row: WebhookEndpoint, parameters: Parameters) -> None:
        """Change the URL, the events, whether it is disabled, the description or the metadata. What waits
        for another attempt at an earlier URL is dropped."""
        url = _url_of(parameters)
        events = _events_of(parameters)
        enabled = row.delivery is not None
        if "disabled" in parameters:
            enabled = not boolean(parameters, "disabled")
        if events is not None:
            row.enabled_events = events
        if "description" in parameters:
            row.description = text(parameters, "description")
        row.metadata = {name: value for name, value in (row.metadata | metadata(parameters)).items() if value}
        if row.delivery is not None and (not enabled or url not in (None, row.url)):
            self._disconnect(row)
        row.url = url or row.url
        if enabled and row.delivery is None:
            self._connect(row)
        elif row.delivery is not None:
            row.delivery.wants = partial(matches, wanted=row.enabled_events)

    def delete(self, row: WebhookEndpoint) -> dict[str, Any]:
        """Deliver nothing more to it. Returns the API's object of what is gone."""
        self._disconnect(row)
        self._all.remove(row)
        return {"id": row.id, "object": "webhook_endpoint", "deleted": True}

    def page(self, parameters: Parameters, expand: Collection[str]) -> dict[str, Any]:
        """A list page, newest first."""
        page = page_of(
            parameters,
            self._all,
            lambda name, param: place_in(self._all, self.find(name, param=param, status=400).place),
        )
        return listing("/v1/webhook_endpoints", page, WebhookEndpoint.body)

    def _connect(self, row: WebhookEndpoint) -> None:
        row.delivery = self._outbox.add_endpoint(
            row.url,
            wants=partial(matches, wanted=row.enabled_events),
            sign=partial(signature, secret=row.secret),
        )

    def _disconnect(self, row: WebhookEndpoint) -> None:
        if row.delivery is not None:
            self._outbox.remove_endpoint(row.delivery)
            row.delivery = None


def check_new(parameters: Parameters) -> None:
    """What a new webhook endpoint needs. Raises StripeError (400)."""
    text(parameters, "url", required=True)
    if not parameters.get("enabled_events"):
        raise invalid(
            "Missing required param: enabled_events.", param="enabled_events", code="parameter_missing"
        )
    check(parameters)


def check(parameters: Parameters) -> None:
    """What can be said of a change before it is executed. Raises StripeError (400)."""
    _url_of(parameters)
    _events_of(parameters)
    metadata(parameters)
    boolean(parameters, "disabled")
    boolean(parameters, "connect")


def _url_of(parameters: Parameters) -> str | None:
    url = text(parameters, "url")
    if url is not None:
        try:
            check_url(url)
        except ValueError as error:
            raise invalid(f"Invalid URL: {error}.", param="url", code="url_invalid") from error
    return url


def _events_of(parameters: Parameters) -> list[str] | None:
    if "enabled_events" not in parameters:
        return None
    try:
        names = [str(name) for name in listed(parameters["enabled_events"])]
    except FormError as error:
        raise invalid("Invalid array", param="enabled_events") from error
    for name in names:
        if not _TYPE.fullmatch(name):
            raise invalid(f"Invalid enabled_events: {name[:60]} is no type of event.", param="enabled_events")
    if not names:
        raise invalid("Invalid array: at least one type of event is needed.", param="enabled_events")
    return names
