"""An order: what a request must hold, and the order's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, part, text, url
from mocks.gateways.paypal.money import Money, money
from mocks.gateways.paypal.payment import Authorization, Capture, Origin, Refund
from mocks.gateways.paypal.source import Source, source_of

INTENTS = ("CAPTURE", "AUTHORIZE")
MOST_UNITS = 10

_ADDED = ("item_total", "tax_total", "shipping", "handling", "insurance")
_TAKEN = ("shipping_discount", "discount")


@dataclass(slots=True)
class Unit:
    """One purchase unit. ``breakdown`` is the amount's, as it was sent."""

    reference_id: str
    amount: Money
    breakdown: Body
    custom_id: str
    invoice_id: str
    description: str
    authorizations: list[Authorization] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def drill_order_id(self) -> str:
        """What the journal and the ledger call the order: ``custom_id``, else ``reference_id`` unless it is
        PayPal's own "default", else ``invoice_id``, else nothing."""
        reference = self.reference_id if self.reference_id != "default" else ""
        return self.custom_id or reference or self.invoice_id

    def body(self) -> Body:
        """The API's object without its payments."""
        amount: Body = self.amount.body()
        if self.breakdown:
            amount["breakdown"] = self.breakdown
        body: Body = {"reference_id": self.reference_id, "amount": amount}
        for name in ("custom_id", "invoice_id", "description"):
            if getattr(self, name):
                body[name] = getattr(self, name)
        return body

    def payments(self, base: str) -> Body:
        """``{"payments": ...}``, or nothing as long as nobody has paid."""
        kinds: dict[str, Sequence[Authorization | Capture | Refund]] = {
            "authorizations": self.authorizations,
            "captures": self.captures,
            "refunds": self.refunds,
        }
        made = {kind: [_within(row.body(base)) for row in rows] for kind, rows in kinds.items() if rows}
        return {"payments": made} if made else {}

    def first_payments(self, base: str) -> Body:
        """``{"payments": ...}`` as it was when the order was captured or authorized."""
        if self.authorizations:
            held = self.authorizations[0]
            rows = [_within(held.body_when(base, held.first_status, held.made))]
            return {"payments": {"authorizations": rows}}
        capture = self.captures[0]
        row = _within(capture.body_when(base, capture.first_status, capture.made))
        return {"payments": {"captures": [row]}}


def _within(body: Body) -> Body:
    """An authorization, capture or refund as an order shows it: without the order's own id."""
    return {name: value for name, value in body.items() if name != "supplementary_data"}


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order that is asked for; a patch makes another one. ``payer_name`` may be a trigger.

    ``return_url`` and ``cancel_url`` are where the payer's page leads to.
    """

    intent: str
    units: list[Unit]
    source: Source | None
    payer_name: str
    return_url: str
    cancel_url: str

    @property
    def at_once(self) -> bool:
        """It is paid as it is created."""
        return self.source is not None and self.source.ready


@dataclass(slots=True)
class Order:
    """An order. ``made`` is the time of creation, RFC 3339; ``status`` is PayPal's."""

    id: str
    request: OrderRequest
    made: str
    payer_id: str
    approved: bool = False
    updated: str = ""

    @property
    def units(self) -> list[Unit]:
        return self.request.units

    @property
    def paid(self) -> bool:
        """It has been captured or authorized, even if that was declined."""
        return any(unit.captures or unit.authorizations for unit in self.units)

    @property
    def status(self) -> str:
        held = [held for unit in self.units for held in unit.authorizations]
        if held and all(one.voided and not one.captured for one in held):
            return "VOIDED"
        if self.paid:
            return "COMPLETED"
        if self.approved:
            return "APPROVED"
        source = self.request.source
        return "PAYER_ACTION_REQUIRED" if source is not None and source.awaits_payer else "CREATED"

    def origin(self, unit: Unit) -> Origin:
        first = self.units[0]
        return Origin(self.id, unit.drill_order_id or first.drill_order_id, unit.custom_id, unit.invoice_id)

    def approve_url(self, base: str) -> str:
        """Where the payer approves."""
        return f"{base}/checkoutnow?token={self.id}"

    def body(self, base: str, full: bool = True) -> Body:
        """The API's object; ``base`` is the URL of the mock.

        Not full (``Prefer: return=minimal``): id, status and links; once the order has been paid also the
        payment source and the payments, which real minimal answers to a capture hold (second-hand).
        """
        payments = [unit.payments(base) for unit in self.units] if self.paid else None
        return self._body(base, self.request, self.status, self.updated, payments, full)

    def body_approved(self, base: str, request: OrderRequest, updated: str) -> Body:
        """The API's object as it was when the payer approved this request."""
        return self._body(base, request, "APPROVED", updated, None, True)

    def body_completed(self, base: str, updated: str) -> Body:
        """The API's object as it was when it was captured or authorized."""
        payments = [unit.first_payments(base) for unit in self.units]
        return self._body(base, self.request, "COMPLETED", updated, payments, True)

    def _body(
        self,
        base: str,
        request: OrderRequest,
        status: str,
        updated: str,
        payments: list[Body] | None,
        full: bool,
    ) -> Body:
        """``payments`` are those of each unit, None as long as nobody has paid."""
        body: Body = {"id": self.id, "status": status}
        made = payments if payments is not None else [{} for _ in request.units]
        if full:
            body |= {
                "intent": request.intent,
                "purchase_units": [unit.body() | row for unit, row in zip(request.units, made, strict=True)],
                "create_time": self.made,
            }
            if updated:
                body["update_time"] = updated
        elif payments is not None:
            body["purchase_units"] = [
                {"reference_id": unit.reference_id} | row
                for unit, row in zip(request.units, made, strict=True)
            ]
        approved = status in ("APPROVED", "COMPLETED", "VOIDED")
        source = request.source
        if full or payments is not None or (source is not None and source.card is not None):
            if source is None and approved:
                source = Source("paypal")
            if source is not None:
                body["payment_source"] = source.body(self._payer(request) if approved else {})
                if approved and source.kind == "paypal":
                    body["payer"] = self._payer(request, payer_id="payer_id")
        body["links"] = self._links(base, request, status)
        return body

    def _payer(self, request: OrderRequest, payer_id: str = "account_id") -> Body:
        name = {"given_name": request.payer_name or "Test", "surname": "Payer"}
        return {"name": name, "email_address": "payer@example.test", payer_id: self.payer_id}

    def _links(self, base: str, request: OrderRequest, status: str) -> list[Body]:
        href = f"{base}/v2/checkout/orders/{self.id}"
        links = [{"href": href, "rel": "self", "method": "GET"}]
        if status in ("COMPLETED", "VOIDED"):
            return links
        if status != "APPROVED":
            rel = "payer-action" if status == "PAYER_ACTION_REQUIRED" else "approve"
            links.append({"href": self.approve_url(base), "rel": rel, "method": "GET"})
        action = request.intent.lower()
        links.append({"href": href, "rel": "update", "method": "PATCH"})
        links.append({"href": f"{href}/{action}", "rel": action, "method": "POST"})
        return links


def order_request(body: Body, month: str) -> OrderRequest:
    """Validate a request for an order. ``month`` is the present one, ``YYYY-MM``. Raises PayPalError (400,
    422)."""
    intent = text(body, "intent", "", longest=255, required=True)
    if intent not in INTENTS:
        raise PayPalError("INVALID_PARAMETER_VALUE", "/intent")
    units = _units(body.get("purchase_units"))
    if intent == "AUTHORIZE" and len(units) > 1:
        raise PayPalError("UNSUPPORTED_INTENT", "/intent")
    source = source_of(body, month)
    name = part(part(body, "payer", ""), "name", "/payer")
    payer_name = text(name, "given_name", "/payer/name", longest=140)
    context, context_at = part(body, "application_context", ""), "/application_context"
    return_url, cancel_url = url(context, "return_url", context_at), url(context, "cancel_url", context_at)
    request = OrderRequest(intent, units, None, payer_name, return_url, cancel_url)
    return with_source(request, source) if source is not None else request


def with_source(request: OrderRequest, source: Source) -> OrderRequest:
    """The same, paid with this; what the source does not tell stays."""
    return replace(
        request,
        source=source,
        payer_name=source.name or request.payer_name,
        return_url=source.return_url or request.return_url,
        cancel_url=source.cancel_url or request.cancel_url,
    )


def _units(node: object) -> list[Unit]:
    if node is None:
        raise PayPalError("MISSING_REQUIRED_PARAMETER", "/purchase_units")
    if not isinstance(node, list):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", "/purchase_units")
    if not node:
        raise PayPalError("INVALID_ARRAY_MIN_ITEMS", "/purchase_units")
    if len(node) > MOST_UNITS:
        raise PayPalError("INVALID_ARRAY_MAX_ITEMS", "/purchase_units")
    units = [_unit(row, f"/purchase_units/{place}") for place, row in enumerate(node)]
    if len({unit.amount.currency for unit in units}) > 1:
        raise PayPalError("MULTI_CURRENCY_ORDER", "/purchase_units")
    if len(units) > 1:
        if not all(row.get("reference_id") for row in node):
            raise PayPalError("REFERENCE_ID_REQUIRED", "/purchase_units")
        if len({unit.reference_id for unit in units}) < len(units):
            raise PayPalError("DUPLICATE_REFERENCE_ID", "/purchase_units")
    return units


def _unit(node: object, where: str) -> Unit:
    if not isinstance(node, dict):
        raise PayPalError("INVALID_PARAMETER_SYNTAX", where)
    amount, breakdown = amount_of(node.get("amount"), f"{where}/amount")
    return Unit(
        text(node, "reference_id", where, longest=256) or "default",
        amount,
        breakdown,
        text(node, "custom_id", where, longest=127),
        text(node, "invoice_id", where, longest=127),
        text(node, "description", where, longest=127),
    )


def amount_of(node: object, where: str) -> tuple[Money, Body]:
    """An amount and its breakdown, which has to add up. Raises PayPalError."""
    amount = money(node, where)
    assert isinstance(node, dict)
    breakdown = part(node, "breakdown", where)
    if breakdown:
        total = 0
        for name in (*_ADDED, *_TAKEN):
            if breakdown.get(name) is not None:
                row = money(breakdown[name], f"{where}/breakdown/{name}", zero=True)
                if row.currency != amount.currency:
                    raise PayPalError("MULTI_CURRENCY_ORDER", f"{where}/breakdown/{name}")
                total += row.minor if name in _ADDED else -row.minor
        if total != amount.minor:
            raise PayPalError("AMOUNT_MISMATCH", f"{where}/value")
    return amount, {name: breakdown[name] for name in (*_ADDED, *_TAKEN) if name in breakdown}
