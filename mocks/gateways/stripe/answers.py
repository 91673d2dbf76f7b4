"""How an execution becomes an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from mocks.gateways.call import Call, Prepared
from mocks.gateways.stripe.errors import StripeError
from mocks.gateways.stripe.form import Parameters
from mocks.reply import Reply

Endpoint = Callable[[Call, Parameters, str, frozenset[str]], Prepared]
"""One endpoint: the call, its parameters, the object that the path names, and what is to be expanded."""


def guarded(execute: Callable[[int], Reply]) -> Callable[[int], Reply]:
    """Turns the errors of an execution into the answers that they are."""

    def guard(at_ns: int) -> Reply:
        try:
            return execute(at_ns)
        except StripeError as error:
            return error.reply()

    return guard


def ok(body: dict[str, Any], result: str = "") -> Reply:
    """A 200 with this object."""
    return Reply(200, orjson.dumps(body), result)
