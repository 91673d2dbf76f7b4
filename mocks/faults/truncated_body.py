"""Answers break off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mocks.faults.fault import Parameter, Value
from mocks.faults.transmission_fault import TransmissionFault
from mocks.transmission import Act, Step


class TruncatedBody(TransmissionFault):
    """The answer's head promises more than comes: after a part of the body the connection is closed, or
    reset. An answer without a body lacks the end of its head. The request has been executed: the money has
    moved, and its caller cannot read how.

    Stands for: a backend that dies while it answers, a proxy whose buffer or time for an answer is used up;
    it finds callers that parse what they have, and those that retry with a new idempotency key.

    Hits are the answers cut off. The connection ends with them, and what its client had sent behind the
    request is lost: executed, if it had been read, and never answered.
    """

    name = "truncated_body"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "keep": Parameter("share", 0.5, "share of the body that is sent, below 100%"),
        "end": Parameter(
            "text", "close", "how the connection ends: close (FIN) or reset (RST)", ("close", "reset")
        ),
    }

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if float(params["keep"]) >= 1:
            raise ValueError("fault truncated_body: keep must be below 100%, or nothing is cut off")

    def steps(self, number: int, head: bytes, body: bytes) -> Iterator[Step]:
        # Of an empty body nothing can be missing: without its last line, the head is not complete.
        yield head if body else head[:-2]
        yield body[: int(len(body) * float(self.params["keep"]))]
        yield Act.RESET if self.params["end"] == "reset" else Act.CLOSE
