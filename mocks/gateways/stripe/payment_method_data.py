"""What a request says of a PaymentMethod. A card's number is looked at here, once, and kept nowhere but for
its last four digits; an IBAN likewise."""

from __future__ import annotations

from typing import Any

from mocks.gateways.stripe import cards, sepa_debit
from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import integer, metadata, text
from mocks.gateways.stripe.payment_method import ADDRESS, NO_BILLING, PLAIN, TYPES, Details, Instrument

KNOWN = frozenset({"type", "card", "sepa_debit", "billing_details", "metadata", "allow_redisplay"})


def read(data: Parameters, prefix: str = "") -> tuple[Instrument, Details]:
    """The instrument, and what else is said of it.

    Args:
        data: ``type``, ``card`` or ``sepa_debit``, ``billing_details``, ``metadata``.
        prefix: Of the parameters' names, ``payment_method_data`` or empty.

    Raises:
        StripeError: 400 for what is nothing of a test, 402 for an expiry date that cannot be.
    """
    kind = text(data, "type", required=True)
    if kind not in TYPES:
        raise invalid(f"Invalid type: must be one of {', '.join(TYPES)}", param=_named(prefix, "type"))
    nested = data.get(kind)
    if not isinstance(nested, dict):
        name = _named(prefix, kind)
        raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    billing = billing_of(data, prefix)
    pairs = metadata(data)
    if kind == "sepa_debit":
        iban = text(nested, "iban", required=True) or ""
        for name in ("name", "email"):
            if not billing[name]:
                param = _named(prefix, f"billing_details[{name}]")
                raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
        return sepa_debit.by_iban(iban, _named(prefix, "sepa_debit[iban]")), Details(billing, pairs)
    token = text(nested, "token")
    if token is not None:
        card = cards.by_token(token)
        if card is None:
            param = _named(prefix, "card[token]")
            raise invalid(f"No such token: '{token}'", param=param, code="resource_missing")
        return card, Details(billing, pairs)
    number = text(nested, "number", required=True) or ""
    month, year = (
        integer(nested, "exp_month", required=True),
        integer(nested, "exp_year", required=True),
    )
    check_expiry(month, year)
    return cards.by_number(number.replace(" ", "")), Details(billing, pairs, month or 0, year or 0)


def check_expiry(month: int | None, year: int | None) -> None:
    """Raises StripeError (402) for an expiry date that cannot be."""
    if month is None or not 1 <= month <= 12:
        raise StripeError(
            402, "card_error", "Your card's expiration month is invalid.", code="invalid_expiry_month"
        )
    if year is None or year < 0:
        raise StripeError(
            402, "card_error", "Your card's expiration year is invalid.", code="invalid_expiry_year"
        )


def billing_of(data: Parameters, prefix: str = "", old: dict[str, Any] = NO_BILLING) -> dict[str, Any]:
    """``billing_details`` on top of the old ones. Raises StripeError (400)."""
    node = data.get("billing_details")
    if not node:
        return old
    name = _named(prefix, "billing_details")
    if isinstance(node, str):
        raise invalid("Invalid object", param=name)
    new = dict(old)
    for field in node:
        if field not in NO_BILLING:
            field = f"{name}[{field[:60]}]"
            raise invalid(f"Received unknown parameter: {field}", param=field, code="parameter_unknown")
        new[field] = address_of(node, f"{name}[address]") if field == "address" else text(node, field)
    return new


def address_of(data: Parameters, name: str) -> dict[str, str | None] | None:
    """The ``address`` in these parameters. Raises StripeError (400)."""
    node = data.get("address")
    if not node:
        return None
    if isinstance(node, str) or not node.keys() <= set(ADDRESS):
        raise invalid("Invalid address", param=name)
    return {field: text(node, field) for field in ADDRESS}


def by_name(name: str) -> Instrument | None:
    """The instrument of a name for tests, ``pm_card_visa`` for one; None when there is none."""
    return cards.by_name(name) or sepa_debit.by_name(name)


def details_of(name: str) -> Details:
    """What goes with the instrument of a name for tests: a bank account has a holder."""
    return PLAIN if name.startswith("pm_card_") else _HOLDER


_HOLDER = Details(NO_BILLING | {"name": "Jenny Rosen", "email": "jenny.rosen@example.com"}, {})


def _named(prefix: str, name: str) -> str:
    if not prefix:
        return name
    head, bracket, rest = name.partition("[")
    return f"{prefix}[{head}]{bracket}{rest}"
