"""The gateway answers with what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter
from mocks.reply import Reply

PAGE = b"<html>\r\n<head><title>Request could not be served</title></head>\r\n<body></body>\r\n</html>\r\n"
"""What stands in place of the answer when it is a page."""


class MalformedBody(Fault):
    """Answers keep their status, and their body cannot be read: JSON that ends in its middle, or a page of
    HTML that is called JSON. The length in the headers is right: nothing is wrong with the connection.
    Everything is executed, and what is kept under an idempotency key is the right answer.

    Stands for: a body that was cut at a buffer's end within the gateway; a content delivery network that
    answers 200 with its own page.

    Hits are the answers that had a body.
    """

    name = "malformed_body"
    late = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "shape": Parameter("text", "cut", "cut: the first half of the body; page: HTML", ("cut", "page"))
    }

    def answering(self, call: Call, reply: Reply) -> Reply:
        if not reply.body or not self.on:
            return reply
        call.hit_by(self)
        return reply._replace(
            body=PAGE if self.params["shape"] == "page" else reply.body[: len(reply.body) // 2]
        )
