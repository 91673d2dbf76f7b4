"""What is known of the gateway that stands behind a proxy: its endpoints, errors and bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mocks.faults.matcher import NOTHING, Traits
from mocks.http import Request
from mocks.latency import Latency
from mocks.proxy.answer import reply_of
from mocks.proxy.head import RequestHead, ResponseHead, fields
from mocks.proxy.outcome import outcome_of
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.gateways.call import Call
    from mocks.gateways.gateway import Gateway
    from mocks.gateways.kind import GatewayType
    from mocks.proxy.call import ProxyCall

REPLAYED = "idempotent-replayed"
"""The header by which Stripe says that an answer is the one to an earlier request under the same key."""


class Behind:
    """One gateway, or something of which nothing is known.

    Args:
        name: What the journal calls the proxy.
        seed: Of the run.
        kind: Which gateway it is; None: nobody knows.

    Attributes:
        gateway: The kind's name; empty when it is not known.
        kind: A gateway of this kind; None when it is not known.
    """

    def __init__(self, name: str, seed: int, kind: GatewayType | None) -> None:
        self.gateway = "" if kind is None else kind.name
        # It serves nothing; it is asked what its requests and answers look like.
        self.kind: Gateway | None = None if kind is None else kind.make(name, Latency(0, 0), seed)

    def endpoint(self, head: RequestHead) -> str:
        """The name of a request's endpoint; ``POST /path`` where the gateway is not known."""
        method = head.method.decode("ascii")
        path = head.target.decode("latin-1").partition("?")[0]
        if self.kind is None:
            return f"{method} {path}"
        return self.kind.endpoint(Request(method, path, "", {}, b"", 0))

    def traits(self, call: ProxyCall) -> Traits:
        """What the body says of a payment; nothing where the gateway is not known."""
        if self.kind is None:
            return NOTHING
        try:
            return self.kind.traits(cast("Call", call))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            return NOTHING

    def idempotency_key(self, head: RequestHead) -> str:
        """As sent, empty without one."""
        wanted = "idempotency-key" if self.kind is None else self.kind.idempotency_header
        return next((value for name, value in fields(head.raw) if name.lower() == wanted), "")

    def error(self, status: int) -> Reply:
        """An error in the gateway's own shape; without one, in a load balancer's."""
        if self.kind is not None:
            return self.kind.error(status)
        return Reply(status, b"", result="error", content_type="text/plain")

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell of a used-up rate limit, of a gateway that is known."""
        return () if self.kind is None else self.kind.limit_headers(requests, resets_at)

    def reply(self, call: ProxyCall, answer: ResponseHead, raw: bytes) -> Reply:
        """The origin's answer as faults and the journal see it; the call is told what it says."""
        reply = reply_of(answer, raw)
        if self.kind is not None and call.writes:
            call.result, call.order_id = outcome_of(self.gateway, reply.status, reply.body)
            call.replayed = any(name.lower() == REPLAYED and value == "true" for name, value in reply.headers)
        return reply._replace(result=call.result)
