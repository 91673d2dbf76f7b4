"""A payment succeeds, and is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter, within
from mocks.reply import Reply


class LateFailure(Fault):
    """Payments are answered as always, and their money is fetched back later: a card payment is charged back
    (a dispute at Stripe and Adyen, a reversal at PayPal), a bank debit fails late. Webhooks tell of it, and
    the ledger has it as a dispute. It happens though the fault may have stopped by then.

    Stands for: chargebacks after fraud, debits that the payer's bank returns: the reason why paid is not
    final.

    Hits are the payments that will be taken back.
    """

    name = "late_failure"
    late = True
    inside = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "after": Parameter(
            "duration", 2_000_000_000, "from the payment to its failure, by the gateway's clock"
        )
    }

    def concerns(self, call: Call) -> bool:
        return call.pays and super().concerns(call)

    def executed(self, call: Call, reply: Reply) -> Reply:
        if call.moved(reply) and within(call).fail_later(reply, float(self.params["after"]) / 1e9):
            call.hit_by(self)
        return reply
