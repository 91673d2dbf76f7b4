"""The endpoints of disputes (Disputes v1)."""

from __future__ import annotations

import base64
import binascii

from mocks.gateways.call import Call
from mocks.gateways.paypal.answer import Action, Done, Endpoint, base_url
from mocks.gateways.paypal.dispute import STATES, Dispute
from mocks.gateways.paypal.disputes import Disputes
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, part, text
from mocks.gateways.paypal.money import money
from mocks.gateways.paypal.query import moment, number, query_of, without

LARGEST_PAGE = 50

KNOWN_STATES = {*STATES.values(), "OPEN_INQUIRIES", "APPEALABLE"}
"""What ``dispute_state`` may ask for; disputes are never in the last two here."""


class DisputeCalls:
    """What each endpoint of disputes does."""

    def __init__(self, disputes: Disputes) -> None:
        self._disputes = disputes
        self.endpoints: dict[str, Endpoint] = {
            "disputes.list": self._list,
            "disputes.retrieve": self._retrieve,
            "disputes.provide_evidence": self._provide_evidence,
            "disputes.accept_claim": self._accept_claim,
            "disputes.adjudicate": self._adjudicate,
            "disputes.require_evidence": self._require_evidence,
        }

    def find(self, call: Call, name: str) -> Dispute:
        """The dispute that a call is about; the journal is told. Raises PayPalError (404)."""
        row = self._disputes.find(name)
        call.order_id = row.capture.origin.drill_order_id
        return row

    def _list(self, call: Call, body: Body, name: str) -> Action:
        query = query_of(call.exchange.request)
        size = number(query, "page_size", 10, largest=LARGEST_PAGE)
        start = _place(query.get("next_page_token", ""))
        states = set(query["dispute_state"].split(",")) if "dispute_state" in query else KNOWN_STATES
        if states - KNOWN_STATES:
            raise PayPalError("INVALID_PARAMETER_VALUE", "dispute_state")
        capture, since = query.get("disputed_transaction_id"), moment(query, "start_time") or 0.0

        def chosen(row: Dispute) -> bool:
            return row.state in states and capture in (None, row.capture.id) and row.made >= since

        def action(at_ns: int) -> Done:
            base = base_url(call)
            rows = [row for row in self._disputes if chosen(row)]
            rows.reverse()
            page = rows[start : start + size]
            href = base + without(call.exchange.request, "next_page_token")
            links = [{"href": href.rstrip("?&"), "rel": "self", "method": "GET"}]
            if len(rows) > start + size:
                token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
                links.append({"href": f"{href}next_page_token={token}", "rel": "next", "method": "GET"})
            items = [row.summary(base) for row in page]
            return Done(200, 200, lambda full: {"items": items, "links": links})

        return action

    def _retrieve(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            row = self.find(call, name)
            return Done(200, 200, lambda full: row.body(base_url(call)))

        return action

    def _provide_evidence(self, call: Call, body: Body, name: str) -> Action:
        evidences = body.get("evidences", [])
        if not isinstance(evidences, list) or not all(isinstance(row, dict) for row in evidences):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", "/evidences")
        for place, row in enumerate(evidences):
            where = f"/evidences/{place}"
            text(row, "evidence_type", where, longest=255)
            text(row, "notes", where, longest=2000)
            part(row, "evidence_info", where)
        given = tuple({**row, "source": "SUBMITTED_BY_SELLER"} for row in evidences)

        def action(at_ns: int) -> Done:
            row = self.find(call, name)
            self._disputes.provide_evidence(row, given, at_ns)
            return _done(call, row)

        return action

    def _accept_claim(self, call: Call, body: Body, name: str) -> Action:
        text(body, "note", "", longest=2000)
        kind = text(body, "accept_claim_type", "", longest=255)
        if kind not in ("", "REFUND", "PARTIAL_REFUND"):
            raise PayPalError("INVALID_PARAMETER_VALUE", "/accept_claim_type")
        given = body.get("refund_amount")
        amount = money(given, "/refund_amount") if given is not None else None

        def action(at_ns: int) -> Done:
            row = self.find(call, name)
            self._disputes.accept(row, amount, at_ns)
            return _done(call, row)

        return action

    def _adjudicate(self, call: Call, body: Body, name: str) -> Action:
        outcome = _one_of(body, "adjudication_outcome", ("BUYER_FAVOR", "SELLER_FAVOR"))

        def action(at_ns: int) -> Done:
            row = self.find(call, name)
            self._disputes.adjudicate(row, for_seller=outcome == "SELLER_FAVOR", at_ns=at_ns)
            return _done(call, row)

        return action

    def _require_evidence(self, call: Call, body: Body, name: str) -> Action:
        asked = _one_of(body, "action", ("BUYER_EVIDENCE", "SELLER_EVIDENCE"))

        def action(at_ns: int) -> Done:
            row = self.find(call, name)
            self._disputes.require_evidence(row, of_seller=asked == "SELLER_EVIDENCE")
            return _done(call, row)

        return action


def _done(call: Call, row: Dispute) -> Done:
    links = [{"href": row.href(base_url(call)), "rel": "self", "method": "GET"}]
    return Done(200, 200, lambda full: {"links": links}, "succeeded")


def _one_of(body: Body, name: str, values: tuple[str, ...]) -> str:
    value = text(body, name, "", longest=255, required=True)
    if value not in values:
        raise PayPalError("INVALID_PARAMETER_VALUE", f"/{name}")
    return value


def _place(token: str) -> int:
    """How many rows to pass over; the token is the mock's own."""
    try:
        place = int(base64.b64decode(token, b"-_", validate=True) or b"0")
    except (binascii.Error, ValueError) as error:
        raise PayPalError("INVALID_PARAMETER_VALUE", "next_page_token") from error
    if place < 0:
        raise PayPalError("INVALID_PARAMETER_VALUE", "next_page_token")
    return place
