"""Refunds. Adyen answers ``received`` and tells the outcome by webhook; the ledger shows it at once here."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from mocks.gateways.adyen.errors import invalid, merchant_refused
from mocks.gateways.adyen.payments import Amount, Body, Payment, amount_of, merchant_of
from mocks.ledger import Ledger, OverRefundError
from mocks.reply import Reply


class Refunds:
    """The refunds of one gateway."""

    def __init__(self, ledger: Ledger, new_reference: Callable[[], str]) -> None:
        self._ledger = ledger
        self._new_reference = new_reference

    def make(self, payment: Payment, amount: Amount, body: Body, at_ns: int) -> Reply:
        """Give money back.

        A refund of more than is left is answered ``received`` all the same, since the real one checks it
        later; no money moves, and the journal's result is ``error``.
        """
        if amount.currency != payment.request.amount.currency:
            raise invalid("138", "Unsupported currency specified")
        if merchant_of(body) != payment.request.merchant:
            raise merchant_refused()
        reference = self._new_reference()
        result = "succeeded"
        try:
            self._ledger.refund(reference, payment.psp_reference, amount.value, at_ns)
        except OverRefundError:
            result = "error"
        answer: Body = {
            "merchantAccount": payment.request.merchant,
            "paymentPspReference": payment.psp_reference,
            "pspReference": reference,
            "status": "received",
            "amount": amount.body(),
        }
        if isinstance(body.get("reference"), str):
            answer["reference"] = body["reference"]
        return Reply(201, orjson.dumps(answer), result)


def check(body: Body) -> Amount:
    """What can be said of a refund before it is executed. Raises AdyenError (403, 422)."""
    merchant_of(body)
    return amount_of(body)
