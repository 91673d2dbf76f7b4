"""A payment that Adyen has a result for, or will have."""

from __future__ import annotations

from typing import Literal

from mocks.gateways.adyen.request import PaymentRequest

Status = Literal["pending", "authorised", "captured", "cancelled", "refused"]


class Payment:
    """One payment.

    Attributes:
        psp_reference: Adyen's own id of it.
        request: What was asked for.
        status: ``authorised`` while more of it can be captured, ``captured`` when no more can. ``refused``
            stands for a capture that the card scheme rejected, too.
        authorised: What may be captured in all. Starts as the amount asked for.
        captures: The ledger's references of its captures, oldest first.
    """

    __slots__ = ("authorised", "captures", "psp_reference", "request", "status")

    def __init__(self, psp_reference: str, request: PaymentRequest, status: Status) -> None:
        self.psp_reference = psp_reference
        self.request = request
        self.status = status
        self.authorised = request.amount
        self.captures: tuple[str, ...] = ()
