"""What an execution came to, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import orjson

from mocks.gateways.call import Call
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.order import Order
from mocks.gateways.paypal.payment import Capture
from mocks.http import Request
from mocks.reply import Reply


class Done(NamedTuple):
    """What an execution came to.

    ``body`` renders the resource as it is when it is called, in full or minimal; ``replay_status`` is the
    status of a replay; ``result`` is the journal's word.
    """

    status: int
    replay_status: int
    body: Callable[[bool], Body | None]
    result: str = ""


Action = Callable[[int], Done]
"""An execution; takes the ``time.monotonic_ns()`` of its moment, raises PayPalError."""

Endpoint = Callable[[Call, Body, str], Action]
"""Validates a request, of which it gets the body (empty for a GET) and the id in its path; raises
PayPalError."""


def reply_of(done: Done, status: int, full: bool) -> Reply:
    """The answer, in full or minimal."""
    body = done.body(full)
    return Reply(status, b"" if body is None else orjson.dumps(body), done.result)


def result_of(order: Order) -> str:
    """The journal's word for what an order has come to."""
    if any(held.code for unit in order.units for held in unit.authorizations):
        return "declined"
    results = {result_of_capture(capture) for unit in order.units for capture in unit.captures}
    for result in ("declined", "processing", "succeeded"):
        if result in results:
            return result
    return "processing"


def result_of_capture(capture: Capture) -> str:
    """The journal's word for what a capture has come to."""
    if capture.status == "DECLINED":
        return "declined"
    return "processing" if capture.pending else "succeeded"


def base_url(call: Call) -> str:
    """The URL of the mock as its caller knows it."""
    return f"{call.exchange.scheme}://{call.exchange.request.headers.get('host', 'localhost')}"


def wants_all(request: Request) -> bool:
    """``Prefer: return=representation``."""
    return "return=representation" in request.headers.get("prefer", "").replace(" ", "")
