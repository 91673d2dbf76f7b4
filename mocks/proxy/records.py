"""What is written down of the requests that came to a proxy, and what is told of those that it passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.clock import Clock
from journal.records import GatewayRequest
from journal.writer import Writer
from mocks.outbound import Answer
from mocks.reply import Reply
from mocks.sandboxes.sandbox import Forwarded

if TYPE_CHECKING:
    from mocks.proxy.behind import Behind
    from mocks.proxy.call import ProxyCall
    from mocks.sandboxes.sandbox import Notes


class Records:
    """The journal of one proxy, and its notes.

    Args:
        name: What the journal calls it.
        behind: The gateway that stands behind it.

    Attributes:
        notes: Told of the requests that it wants and of their answers; None: nobody is.
    """

    def __init__(self, name: str, behind: Behind) -> None:
        self.notes: Notes | None = None
        self._name = name
        self._behind = behind
        self._clock = Clock(0)
        self._writer: Writer | None = None

    def begin(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins: what ends from here on is written down."""
        self._clock = clock
        self._writer = writer

    @property
    def kept(self) -> bool:
        """Whether anything is written down."""
        return self._writer is not None

    def end(self, call: ProxyCall, status: int, answered_ns: int | None) -> None:
        """A request was answered, or lost: None."""
        if self._writer is None:
            return
        clock = self._clock
        self._writer.write(
            GatewayRequest(
                gateway=self._name,
                endpoint=call.endpoint or self._behind.endpoint(call.head),
                received_ns=clock.at(call.received_ns),
                answered_ns=None if answered_ns is None else clock.at(answered_ns),
                status=status,
                result=call.reply.result if call.reply is not None else call.result,
                fault=call.fault,
                idempotency_key=call.idempotency_key,
                order_id=call.order_id,
                replayed=call.replayed,
            )
        )

    def wants(self, call: ProxyCall) -> bool:
        """Whether a request is to be noted with its answer."""
        return self.notes is not None and self.notes.wants(
            call.http_method, call.head.target.decode("latin-1")
        )

    def note(self, call: ProxyCall, reply: Reply | None) -> None:
        """Tell what became of a request that was passed on, once; None: its answer was not to be had."""
        if not call.noted or not call.forwarded:
            return
        call.noted = False
        assert self.notes is not None
        request = call.exchange.request
        answer = None
        if reply is not None:
            headers = {name.lower(): value for name, value in reply.headers}
            answer = Answer(reply.status, headers, reply.body)
        target = call.head.target.decode("latin-1")
        self.notes.take(Forwarded(request.method, target, request.headers, request.body, answer))
