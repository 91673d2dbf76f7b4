"""The gateway answers with the right status and nothing else."""

from __future__ import annotations

from mocks.faults.fault import Call, Fault
from mocks.reply import Reply


class EmptyBody(Fault):
    """Answers come with their status and headers and an empty body. Everything is executed, and what is kept
    under an idempotency key is the whole answer.

    Stands for: a gateway's edge that loses the body of what stands behind it, as when a server behind it dies
    after its headers; a 200 without content breaks callers that read JSON without looking.

    Hits are the answers that had a body.
    """

    name = "empty_body"
    late = True

    def answering(self, call: Call, reply: Reply) -> Reply:
        if not reply.body or not self.on:
            return reply
        call.hit_by(self)
        return reply._replace(body=b"")
