"""A webhook endpoint: a URL that events are delivered to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mocks.webhook_endpoint import Endpoint


@dataclass(slots=True)
class WebhookEndpoint:
    """``place`` counts all that were made; ``delivery`` is its end of the outbox, None while it is disabled;
    ``told`` is whether its secret has been shown."""

    id: str
    place: int
    created: int
    url: str
    secret: str
    enabled_events: list[str]
    description: str | None
    metadata: dict[str, str]
    api_version: str | None = None
    delivery: Endpoint | None = None
    told: bool = False

    def body(self, expand: Collection[str] = ()) -> dict[str, Any]:
        """The API's object; the secret is told the first time only, in the answer that creates it."""
        body = {
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": None,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": False,
            "metadata": self.metadata,
            "status": "disabled" if self.delivery is None else "enabled",
            "url": self.url,
        }
        if not self.told:
            self.told = True
            body["secret"] = self.secret
        return body
