"""Connections are reset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Parameter
from mocks.faults.transmission_fault import TransmissionFault
from mocks.reply import Reply
from mocks.transmission import Act, Step


class Reset(TransmissionFault):
    """The connection of a request is reset (RST): on its ``arrival``, before anything is executed, so that no
    money moves and its idempotency key is free; when its ``answer`` is due, so that the money has moved and
    the caller sees the same; or in the middle of the answer's ``body``, of which the caller gets the head and
    half of the rest.

    Stands for: a crashed worker, a firewall or load balancer that drops its table of connections, an idle
    time-out that hits a busy connection. From outside, ``arrival`` and ``answer`` cannot be told apart; that
    is what idempotency keys are for.

    Hits are the requests whose connection was reset. Other requests pipelined on it are lost with it:
    executed if they had been read, and never answered.
    """

    name = "reset"
    decides = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "when": Parameter(
            "text",
            "arrival",
            "arrival (not executed), answer (executed, no answer) or body (executed, half an answer)",
            ("arrival", "answer", "body"),
        )
    }

    def arrive(self, call: Call) -> None:
        if self.params["when"] == "arrival":
            call.hit_by(self)
            call.reset()

    def sending(self, call: Call, reply: Reply) -> bool:
        if self.params["when"] == "body":
            return super().sending(call, reply)
        if not self.on:
            return False
        call.hit_by(self)
        call.reset()
        return True

    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        # Without a body the middle of the answer is the middle of its head.
        answer = head + body
        yield answer[: len(head) + len(body) // 2] if body else head[: len(head) // 2]
        yield Act.RESET
