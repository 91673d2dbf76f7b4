"""A failure that is kept and answered again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter
from mocks.reply import Reply


class StoredError(Fault):
    """A payment ends in a server error that is kept under its idempotency key: whoever repeats the request
    gets the same error for as long as the key lives, after the fault has stopped, too. By default the money
    has moved before; with ``money: stayed`` nothing has. Stripe and Adyen keep errors in this way. At PayPal
    a repeated request tells what truly happened, at GoCardless it finds the payment (409) or makes it.

    Stands for: Stripe's documented rule that the first answer under a key is replayed, 500s included, met by
    a failure in the middle of a charge. Retrying never helps; only a read or a webhook does.

    Hits are the payments that ended so; replays are not counted.
    """

    name = "stored_error"
    late = True
    inside = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "money": Parameter("text", "moved", "what had happened before: moved or stayed", ("moved", "stayed")),
        "status": Parameter("status", 500, "the HTTP status, in the gateway's own shape"),
    }

    def concerns(self, call: Call) -> bool:
        return call.pays and super().concerns(call)

    def executing(self, call: Call) -> Reply | None:
        if self.params["money"] == "moved" or not self.on:
            return None
        call.hit_by(self)
        return call.error(int(self.params["status"]))

    def executed(self, call: Call, reply: Reply) -> Reply:
        if not self.on or not call.moved(reply):
            return reply
        call.hit_by(self)
        return call.error(int(self.params["status"]))
