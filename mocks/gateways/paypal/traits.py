"""What a request to PayPal says of a payment, for the scope of a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from mocks.faults.matcher import CARD_DIGITS, Traits

if TYPE_CHECKING:
    from mocks.gateways.paypal.order import Order

PAYMENT_ENDPOINTS = ("orders.create", "orders.capture", "orders.authorize", "authorizations.capture")
"""The endpoints that make money move. An order whose source needs no approval is paid as it is created."""


def traits_of(body: bytes) -> Traits:
    """Currency, card and payment method, as far as the body names them: an order without a payment source is
    paid from a PayPal account. Raises ValueError, AttributeError or TypeError when it cannot be read."""
    request = orjson.loads(body) if body else {}
    units = request.get("purchase_units") or []
    amount = (units[0].get("amount") if units else request.get("amount")) or {}
    source = request.get("payment_source") or {}
    kind = next(iter(source), "paypal" if units else "")
    card = source.get("card") or {}
    number = (card.get("number") or "").replace(" ", "")[:CARD_DIGITS]
    return Traits((amount.get("currency_code") or "").upper(), number, kind)


def of_order(body_says: Traits, order: Order) -> Traits:
    """The same, where the request is silent by what its order says; the number of a card is not kept."""
    source = order.request.source
    kind = "paypal" if source is None else source.kind
    return Traits(
        body_says.currency or order.units[0].amount.currency,
        body_says.card,
        body_says.payment_method or kind,
    )
