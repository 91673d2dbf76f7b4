"""The gateway answers the opposite of what happened."""

from __future__ import annotations

from mocks.faults.fault import Call, Fault
from mocks.reply import Reply


class ContradictoryBody(Fault):
    """Answers to payments are HTTP 200, and their body says the opposite of what happened, in the gateway's
    own words: a payment that was captured is called declined or failed, one that was declined is called
    paid. What is kept under an idempotency key, what a read answers and what webhooks tell is the truth.

    Stands for: an answer from a stale cache or of another request, a status that was mapped wrongly after a
    change of the API's version.

    Hits are the answers that were turned round.
    """

    name = "contradictory_body"
    late = True

    def concerns(self, call: Call) -> bool:
        return call.pays and super().concerns(call)

    def answering(self, call: Call, reply: Reply) -> Reply:
        opposite = call.contradiction(reply) if self.on else None
        if opposite is None:
            return reply
        call.hit_by(self)
        return opposite
