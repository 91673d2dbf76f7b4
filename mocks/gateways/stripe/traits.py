"""What a request to Stripe says of a payment, for the scope of a fault."""

from __future__ import annotations

from mocks.faults.matcher import CARD_DIGITS, Traits
from mocks.gateways.stripe import cards, sepa_debit
from mocks.gateways.stripe.form import Node, Parameters, parse

PAYMENT_ENDPOINTS = ("payment_intents.create", "payment_intents.confirm", "payment_intents.capture")
"""The endpoints that make money move."""


def traits_of(body: bytes) -> Traits:
    """Currency, card and payment method, as far as the parameters of a request name them. Raises ValueError
    when they cannot be read."""
    parameters = parse(body.decode("latin-1"))
    currency = _text(parameters.get("currency")).upper()
    name = _text(parameters.get("payment_method"))
    if name:
        return _of_name(currency, name)
    data = parameters.get("payment_method_data")
    if not isinstance(data, dict):
        return Traits(currency)
    if data.get("type") == "sepa_debit":
        return Traits(currency, "", "bank_debit")
    card = data.get("card")
    if not isinstance(card, dict):
        return Traits(currency)
    token = _text(card.get("token"))
    if token.startswith("tok_"):
        return _of_name(currency, f"pm_card_{token[4:]}")
    return Traits(currency, _text(card.get("number")).replace(" ", "")[:CARD_DIGITS], "card")


def of_instrument(
    parameters_say: Traits, currency: str, instrument: cards.Card | sepa_debit.Account | None
) -> Traits:
    """The same, where the request is silent by what the gateway knows of the payment."""
    method = "" if instrument is None else getattr(instrument, "wallet", "") or _KINDS[instrument.kind]
    return Traits(
        parameters_say.currency or currency.upper(),
        parameters_say.card,
        parameters_say.payment_method or method,
    )


_KINDS = {"card": "card", "sepa_debit": "bank_debit"}


def _of_name(currency: str, name: str) -> Traits:
    if sepa_debit.by_name(name) is not None:
        return Traits(currency, "", "bank_debit")
    card = cards.by_name(name)
    if card is None:  # one that was made before: which, only the gateway knows
        return Traits(currency)
    return Traits(currency, cards.number_of(name)[:CARD_DIGITS], card.wallet or "card")


def _text(node: Node | Parameters | None) -> str:
    return node if isinstance(node, str) else ""
