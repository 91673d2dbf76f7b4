"""Changes to an order before it is paid: a subset of JSON Patch (RFC 6902)."""

from __future__ import annotations

import re
from dataclasses import replace

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import text
from mocks.gateways.paypal.order import INTENTS, Order, amount_of

_UNIT = re.compile(r"/purchase_units/@reference_id=='(?P<reference>[^']*)'/(?P<field>\w+)\Z")
_TEXTS = ("custom_id", "invoice_id", "description")
_LONGEST = 127


def patch(order: Order, operations: object) -> None:
    """Apply all operations, or none if one of them will not do.

    Taken are ``add`` and ``replace`` of ``/intent`` and, within a purchase unit, of ``amount``,
    ``custom_id``, ``invoice_id`` and ``description``, and ``remove`` of the latter three.

    Raises:
        PayPalError: 400 or 422.
    """
    if order.paid:
        raise PayPalError("ORDER_ALREADY_COMPLETED")
    if not isinstance(operations, list) or not operations:
        raise PayPalError("INVALID_PARAMETER_SYNTAX")
    intent = order.request.intent
    changes: list[tuple[int, str, object]] = []
    for place, operation in enumerate(operations):
        if not isinstance(operation, dict):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", f"/{place}")
        kind = text(operation, "op", f"/{place}", longest=20, required=True)
        path = text(operation, "path", f"/{place}", longest=1000, required=True)
        if kind not in ("add", "replace", "remove"):
            raise PayPalError("INVALID_PARAMETER_VALUE", f"/{place}/op")
        if not path.startswith("/"):
            raise PayPalError("INVALID_JSON_POINTER_FORMAT", f"/{place}/path")
        if path == "/intent":
            if kind == "remove" or operation.get("value") not in INTENTS:
                raise PayPalError("INVALID_PATCH_OPERATION", path)
            intent = operation["value"]
        else:
            changes.append(_change(order, kind, path, operation))
    if intent == "AUTHORIZE" and len(order.units) > 1:
        raise PayPalError("UNSUPPORTED_INTENT", "/intent")
    # The units are made anew: an event that tells of the order as it was holds the old ones.
    units = [replace(unit) for unit in order.units]
    for place, name, value in changes:
        if name == "amount":
            assert isinstance(value, tuple)
            units[place].amount, units[place].breakdown = value
        else:
            setattr(units[place], name, value)
    order.request = replace(order.request, intent=intent, units=units)


def _change(order: Order, kind: str, path: str, operation: dict[str, object]) -> tuple[int, str, object]:
    """The place of the unit, the field and its new value."""
    match = _UNIT.match(path)
    if match is None or match["field"] not in ("amount", *_TEXTS):
        raise PayPalError("FIELD_NOT_PATCHABLE", path)
    names = [unit.reference_id for unit in order.units]
    if match["reference"] not in names:
        raise PayPalError("INVALID_PATCH_OPERATION", path)
    place = names.index(match["reference"])
    if match["field"] == "amount":
        if kind == "remove":
            raise PayPalError("INVALID_PATCH_OPERATION", path)
        amount, breakdown = amount_of(operation.get("value"), path)
        if any(
            amount.currency != other.amount.currency
            for other in order.units[:place] + order.units[place + 1 :]
        ):
            raise PayPalError("MULTI_CURRENCY_ORDER", path)
        return place, "amount", (amount, breakdown)
    if kind == "remove":
        return place, match["field"], ""
    return place, match["field"], text(operation, "value", path, longest=_LONGEST, required=True)
