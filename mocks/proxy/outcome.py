"""What a gateway's answer says that it decided, in the journal's words, read from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson


class Outcome(NamedTuple):
    """``result`` is ``succeeded``, ``declined``, ``processing``, ``error``, or empty for what decides
    nothing; ``order_id`` is the merchant's own, empty when the answer doesn't tell."""

    result: str = ""
    order_id: str = ""


def outcome_of(gateway: str, status: int, body: bytes) -> Outcome:
    """The outcome of a write.

    Args:
        gateway: A name of ``GATEWAYS``.
        status: The answer's.
        body: The answer's.
    """
    try:
        told = orjson.loads(body)
        outcome = _READERS[gateway](status, told)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        outcome = Outcome()
    if status >= 400 and not outcome.result:
        return outcome._replace(result="error")
    return outcome


def _stripe(status: int, told: dict[str, Any]) -> Outcome:
    """A decline is HTTP 402, with the PaymentIntent in its error."""
    if "error" in told:
        intent = told["error"].get("payment_intent") or {}
        return Outcome("declined" if status == 402 else "", _order_in(intent))
    if told["object"] == "payment_intent":
        return Outcome("succeeded" if told["status"] == "succeeded" else "processing", _order_in(told))
    if told["object"] == "refund":
        return Outcome("succeeded", _order_in(told))
    return Outcome()


def _adyen(status: int, told: dict[str, Any]) -> Outcome:
    """A decline is HTTP 200 with a ``resultCode``; a modification is ``received``, and decided later."""
    order = str(told.get("merchantReference") or told.get("reference") or "")
    if "resultCode" in told:
        code = told["resultCode"]
        known = {"Authorised": "succeeded", "Refused": "declined", "Cancelled": "declined", "Error": "error"}
        return Outcome(known.get(code, "processing"), order)
    return Outcome("succeeded" if told.get("status") == "received" else "", order)


def _paypal(status: int, told: dict[str, Any]) -> Outcome:
    """A decline is HTTP 422, or an order whose capture is DECLINED. A minimal answer holds no captures: of a
    completed order it is taken that they were."""
    if status == 422:
        issues = {detail.get("issue") for detail in told.get("details", ())}
        return Outcome("declined" if "INSTRUMENT_DECLINED" in issues else "")
    units = told.get("purchase_units") or ()
    captures = [capture for unit in units for capture in unit.get("payments", {}).get("captures", ())]
    order = next((_paypal_order(one) for one in (*units, *captures, told) if _paypal_order(one)), "")
    if not {"id", "status"} <= set(told):
        return Outcome()
    statuses = {capture["status"] for capture in captures} or {told["status"]}
    if "DECLINED" in statuses:
        return Outcome("declined", order)
    return Outcome("succeeded" if statuses <= {"COMPLETED", "PARTIALLY_REFUNDED"} else "processing", order)


def _gocardless(status: int, told: dict[str, Any]) -> Outcome:
    """Nothing is decided at once: a debit fails or is paid later."""
    for kind in ("payments", "refunds"):
        if isinstance(told.get(kind), dict):
            return Outcome("processing", _order_in(told[kind]))
    return Outcome()


def _order_in(holder: dict[str, Any]) -> str:
    return str((holder.get("metadata") or {}).get("order_id", ""))


def _paypal_order(holder: dict[str, Any]) -> str:
    reference = holder.get("reference_id", "")
    reference = reference if reference != "default" else ""
    return str(holder.get("custom_id") or reference or holder.get("invoice_id") or "")


_READERS: dict[str, Callable[[int, dict[str, Any]], Outcome]] = {
    "stripe": _stripe,
    "paypal": _paypal,
    "adyen": _adyen,
    "gocardless": _gocardless,
}
