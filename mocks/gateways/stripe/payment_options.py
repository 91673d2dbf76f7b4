"""What a payment's request may say besides its amount: types of PaymentMethods, future use, a mandate."""

from __future__ import annotations

from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.form import FormError, Parameters, listed
from mocks.gateways.stripe.objects import text
from mocks.gateways.stripe.payment_intent import DEFAULT_TYPES, PaymentIntent
from mocks.gateways.stripe.payment_method import TYPES
from mocks.gateways.stripe.sepa_debit import CURRENCY as SEPA_CURRENCY

_ONLY_CARDS: Parameters = {"0": "card"}
"""What ``payment_method_types[]=card`` is read as: what most payments name."""


def check_type(intent: PaymentIntent, kind: str) -> None:
    """Raises StripeError (400) when the PaymentIntent cannot be paid by this type."""
    if intent.types and kind not in intent.types:
        raise invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(intent.types)}.",
            param="payment_method",
            code="payment_intent_incompatible_payment_method",
        )
    if kind == "sepa_debit" and intent.currency != SEPA_CURRENCY:
        raise _currency_mismatch(intent.currency, kind)


def _currency_mismatch(currency: str, kind: str) -> StripeError:
    return invalid(
        f"The currency provided ({currency}) is invalid for {kind}, which expects eur.",
        param="currency",
        code="payment_method_currency_mismatch",
    )


def types_of(parameters: Parameters) -> tuple[str, ...]:
    """``payment_method_types``. Raises StripeError (400) for what is no such type, or not for the currency.

    A type that Stripe has and this mock does not is refused as on an account that has not turned it on.
    """
    if parameters["payment_method_types"] == _ONLY_CARDS:
        return DEFAULT_TYPES
    try:
        names = [str(name) for name in listed(parameters["payment_method_types"])]
    except FormError as error:
        raise invalid("Invalid array", param="payment_method_types") from error
    for name in names:
        if name not in TYPES:
            raise invalid(
                f'The payment method type "{name[:60]}" is invalid. Please ensure the provided type is '
                "activated in your dashboard.",
                param="payment_method_types",
            )
    currency = (text(parameters, "currency") or "").lower()
    if "sepa_debit" in names and currency != SEPA_CURRENCY:
        raise _currency_mismatch(currency, "sepa_debit")
    return DEFAULT_TYPES if names == ["card"] else tuple(names)


def future_usage_of(parameters: Parameters) -> str | None:
    """``setup_future_usage``. Raises StripeError (400)."""
    usage = text(parameters, "setup_future_usage")
    if usage not in (None, "on_session", "off_session"):
        raise invalid(
            "Invalid setup_future_usage: must be one of on_session or off_session", param="setup_future_usage"
        )
    return usage


def check_mandate(parameters: Parameters) -> None:
    """``mandate_data``: that its customer has accepted. Raises StripeError (400)."""
    data = parameters["mandate_data"]
    acceptance = data.get("customer_acceptance") if isinstance(data, dict) else None
    kind = acceptance.get("type") if isinstance(acceptance, dict) else None
    param = "mandate_data[customer_acceptance][type]"
    if kind is None:
        raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
    if kind not in ("online", "offline"):
        raise invalid("Invalid type: must be one of online or offline", param=param)
    if kind == "offline":
        return
    online = acceptance.get("online") if isinstance(acceptance, dict) else None
    for name in ("ip_address", "user_agent"):
        if not isinstance(online, dict) or not online.get(name):
            param = f"mandate_data[customer_acceptance][online][{name}]"
            raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
