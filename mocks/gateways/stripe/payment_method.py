"""The card that a request names. Its number is looked at here, once, and kept nowhere but for its last four
digits."""

from __future__ import annotations

from collections.abc import Callable

from mocks.gateways.stripe import cards
from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, text
from mocks.gateways.stripe.payment_intent import Card


def card_of(parameters: Parameters, new_id: Callable[[str], str]) -> Card | None:
    """The card by ``payment_method`` or ``payment_method_data``; None when neither is there.

    Raises:
        StripeError: 400 for what is no card of a test, 402 for an expiry date that cannot be.
    """
    name = text(parameters, "payment_method")
    if name is not None:
        card = cards.by_name(name)
        if card is None:
            raise invalid("No such PaymentMethod.", param="payment_method", code="resource_missing")
        return Card(new_id("pm_"), card)
    data = parameters.get("payment_method_data")
    if data is None:
        return None
    if isinstance(data, str) or text(data, "type", required=True) != "card":
        raise invalid("This mock takes cards only.", param="payment_method_data[type]")
    details = data.get("card")
    if not isinstance(details, dict):
        raise invalid(
            "Missing required param: payment_method_data[card].",
            param="payment_method_data[card]",
            code="parameter_missing",
        )
    number = text(details, "number", required=True) or ""
    month, year = (
        integer(details, "exp_month", required=True),
        integer(details, "exp_year", required=True),
    )
    if month is None or not 1 <= month <= 12:
        raise StripeError(
            402, "card_error", "Your card's expiration month is invalid.", code="invalid_expiry_month"
        )
    if year is None or year < 0:
        raise StripeError(
            402, "card_error", "Your card's expiration year is invalid.", code="invalid_expiry_year"
        )
    return Card(new_id("pm_"), cards.by_number(number.replace(" ", "")))
