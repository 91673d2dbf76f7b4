"""The gateway declines payments that would have been paid."""

from __future__ import annotations

from mocks.faults.fault import Call, Fault, within
from mocks.reply import Reply


class DeclineStorm(Fault):
    """Payments are declined, in the gateway's own words and without a reason: Stripe's 402 with
    ``generic_decline``, a PayPal order that is COMPLETED with a capture that is DECLINED, Adyen's HTTP 200
    with ``Refused``. A bank debit, which no bank declines at once, is taken and fails by event. The decline
    is kept under the idempotency key. By ``match`` it concerns a range of cards, a currency, a method.

    Stands for: an issuer or a card scheme whose authorisations fail, a risk rule that was switched on for too
    many. Nothing is down, no probe fails, and the approval rate falls; retrying elsewhere is no cure when the
    issuer is the cause.

    Hits are the payments that were declined.
    """

    name = "decline_storm"
    late = True
    inside = True

    def concerns(self, call: Call) -> bool:
        return call.pays and super().concerns(call)

    def arrive(self, call: Call) -> None:
        within(call).decline()

    def executed(self, call: Call, reply: Reply) -> Reply:
        if reply.result == "declined" or call.moved(reply):
            call.hit_by(self)
        return reply
