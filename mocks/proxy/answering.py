"""Answering requests: with what the origin said, as the faults will have it, or in the proxy's own name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mocks.proxy.forwarding import later
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.proxy.behind import Behind
    from mocks.proxy.call import ProxyCall
    from mocks.proxy.records import Records
    from mocks.transmission import Transmission

KEEP_LIMIT = 8 << 20
"""Bytes of an answer that are kept for a fault to act on it; a larger one goes on as it comes, unchanged."""

TOLD = "Paydrill-Proxy"
"""The header of every answer that the proxy makes up without having been told to by a fault."""


class Answering:
    """What goes from one proxy to its clients.

    Args:
        behind: The gateway that stands behind it.
        records: What is written down of its requests.
        end: Called with a request that is about to be answered: it is no longer on its way.
    """

    def __init__(self, behind: Behind, records: Records, end: Callable[[ProxyCall], None]) -> None:
        self._behind = behind
        self._records = records
        self._end = end

    def keep(self, call: ProxyCall, data: bytes) -> None:
        """Bytes of an answer that a fault may act on."""
        assert call.kept is not None
        call.kept.append(data)
        call.kept_size += len(data)
        if call.kept_size > KEEP_LIMIT:
            call.downstream.unqueue(call)
            for piece in call.kept:
                call.downstream.pass_on(piece)
            call.kept = None

    def answered(self, call: ProxyCall) -> None:
        """The origin's answer is whole."""
        answer = call.answer
        assert answer is not None
        if call.kept is None:
            if call.copy is not None:
                self._behind.reply(call, answer, b"".join(call.copy))
            self._records.note(call, None)
            self._end(call)
            self._records.end(call, answer.status, time.monotonic_ns())
            call.downstream.passed_on(call, stays=answer.stays)
            return
        call.reply = self._behind.reply(call, answer, b"".join(call.kept))
        self._records.note(call, call.reply)
        taken_ns = time.monotonic_ns() - call.forwarded_ns
        later(call, call.added_ns(taken_ns) - call.delayed_ns, self.answer)

    def answer(self, call: ProxyCall) -> None:
        """Send the answer that there is, as the faults will have it."""
        reply = original = call.reply
        assert reply is not None
        for fault in call.faults:
            reply = fault.answering(call, reply)
        if not call.received:
            call.downstream.last(call)
        for fault in call.faults:
            if fault.sending(call, reply):
                return
        self._end(call)
        exchange = call.exchange
        if call.answer is not None and reply is original:
            assert call.kept is not None
            exchange.keep_alive = exchange.keep_alive and call.answer.stays
            sent = exchange.answer_raw(b"".join(call.kept))
        else:
            sent = exchange.answer(
                reply.status, reply.body, content_type=reply.content_type, headers=reply.headers
            )
        self._records.end(call, reply.status if sent else 0, time.monotonic_ns() if sent else None)
        call.downstream.settled(call)

    def transmit(
        self, call: ProxyCall, reply: Reply, transmission: Transmission, *, keep_alive: bool
    ) -> None:
        """Send an answer in another way than whole and at once. The journal has the time of its last byte;
        of an answer that never is out whole it says that there was none."""
        self._end(call)
        transmission.on_answered = lambda at_ns: self._records.end(
            call, 0 if at_ns is None else reply.status, at_ns
        )
        if not keep_alive:
            call.exchange.keep_alive = False
        if not call.exchange.answer(
            reply.status,
            reply.body,
            content_type=reply.content_type,
            headers=reply.headers,
            by=transmission,
        ):
            transmission.lose()
        call.downstream.settled(call)

    def say(self, call: ProxyCall, status: int, told: str, why: str) -> None:
        """Answer in the proxy's own name: nothing was passed on."""
        self._end(call)
        call.downstream.queue(call)
        if not call.received:
            call.downstream.last(call)
        call.reply = Reply(status, f"{why}\n".encode(), "error")
        sent = call.exchange.answer(
            status, call.reply.body, content_type="text/plain", headers=((TOLD, told),)
        )
        self._records.end(call, status if sent else 0, time.monotonic_ns() if sent else None)
        call.downstream.settled(call)
