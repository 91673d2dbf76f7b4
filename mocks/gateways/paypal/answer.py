"""What an execution came to, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import orjson

from mocks.gateways.call import Call
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.order import Order
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


def reply_of(done: Done, status: int, full: bool) -> Reply:
    """The answer, in full or minimal."""
    body = done.body(full)
    return Reply(status, b"" if body is None else orjson.dumps(body), done.result)


def result_of(order: Order) -> str:
    """The journal's word for what an order has come to."""
    codes = [capture.code for unit in order.units for capture in unit.captures]
    codes += [held.code for unit in order.units for held in unit.authorizations]
    if any(codes):
        return "declined"
    return "succeeded" if any(unit.captures for unit in order.units) else "processing"


def base_url(call: Call) -> str:
    """The URL of the mock as its caller knows it."""
    return f"{call.exchange.scheme}://{call.exchange.request.headers.get('host', 'localhost')}"


def wants_all(request: Request) -> bool:
    """``Prefer: return=representation``."""
    return "return=representation" in request.headers.get("prefer", "").replace(" ", "")
