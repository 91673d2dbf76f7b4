"""GoCardless' webhooks: the body, its signature, and the rules of delivery."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import orjson

LARGEST_BATCH = 250
"""How many events one webhook carries at most (second-hand)."""

REDELIVERY_S = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Seconds between attempts. Second-hand: that there are up to 8 more, at growing intervals; the intervals
themselves are assumed."""


def signature(secret: str, body: bytes) -> str:
    """The ``Webhook-Signature`` of a raw body: hex HMAC-SHA256 under the endpoint's secret, as
    ``gocardless_pro.webhooks`` verifies it."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def batches(events: Sequence[dict[str, Any]], webhook_id: str) -> Iterator[bytes]:
    """The bodies of the webhooks that carry these events, ``LARGEST_BATCH`` to each."""
    for start in range(0, len(events), LARGEST_BATCH):
        batch = list(events[start : start + LARGEST_BATCH])
        yield orjson.dumps({"events": batch, "meta": {"webhook_id": webhook_id}})
