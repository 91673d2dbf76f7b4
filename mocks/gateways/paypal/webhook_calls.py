"""The endpoints of webhooks: registration, the list of events, and the check of a signature."""

from __future__ import annotations

import orjson

from mocks.gateways.call import Call
from mocks.gateways.paypal.answer import Action, Done, Endpoint, base_url
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.events import LARGEST_PAGE, TYPES, Events
from mocks.gateways.paypal.fields import Body, text
from mocks.gateways.paypal.query import moment, number, query_of, without
from mocks.gateways.paypal.signing import Signer, Transmission
from mocks.gateways.paypal.webhook import Webhooks, event_types
from mocks.reply import Reply
from mocks.webhooks import Event, Outbox

_FIELDS = ("transmission_id", "transmission_time", "webhook_id", "transmission_sig", "cert_url", "auth_algo")


class WebhookCalls:
    """What each endpoint of webhooks does."""

    def __init__(self, webhooks: Webhooks, events: Events, outbox: Outbox, signer: Signer) -> None:
        self._webhooks = webhooks
        self._events = events
        self._outbox = outbox
        self._signer = signer
        self.endpoints: dict[str, Endpoint] = {
            "webhooks.create": self._create,
            "webhooks.list": self._list,
            "webhooks.retrieve": self._retrieve,
            "webhooks.update": self._update,
            "webhooks.delete": self._delete,
            "webhooks.event_types": self._event_types,
            "webhooks.verify": self._verify,
            "webhook_events.list": self._events_list,
            "webhook_events.retrieve": self._event,
            "webhook_events.resend": self._resend,
        }

    def certificate(self, name: str) -> Reply:
        """The certificate of the signatures, in PEM; no token is needed. Raises PayPalError (404)."""
        pem = self._signer.certificate(name)
        if pem is None:
            raise PayPalError("", status=404)
        return Reply(200, pem, content_type="application/x-pem-file")

    def _create(self, call: Call, body: Body, name: str) -> Action:
        url, types = text(body, "url", "", longest=2048, required=True), event_types(body)

        def action(at_ns: int) -> Done:
            row = self._webhooks.create(url, types)
            return Done(201, 201, lambda full: row.body(base_url(call)))

        return action

    def _list(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            rows = [row.body(base_url(call)) for row in self._webhooks.all]
            return Done(200, 200, lambda full: {"webhooks": rows})

        return action

    def _retrieve(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            row = self._webhooks.find(name)
            return Done(200, 200, lambda full: row.body(base_url(call)))

        return action

    def _update(self, call: Call, body: Body, name: str) -> Action:
        operations = body.get("patches")
        if not isinstance(operations, list) or not all(isinstance(row, dict) for row in operations):
            raise PayPalError("INVALID_PARAMETER_SYNTAX")
        url = ""
        types: tuple[str, ...] = ()
        for place, operation in enumerate(operations):
            path = text(operation, "path", f"/{place}", longest=100, required=True)
            if operation.get("op") != "replace" or path not in ("/url", "/event_types"):
                raise PayPalError("INVALID_PATCH_OPERATION", f"/{place}")
            if path == "/url":
                url = text(operation, "value", f"/{place}", longest=2048, required=True)
            else:
                types = event_types({"event_types": operation.get("value")})

        def action(at_ns: int) -> Done:
            old = self._webhooks.find(name)
            row = self._webhooks.update(name, url or old.endpoint.url, types or old.types)
            return Done(200, 200, lambda full: row.body(base_url(call)))

        return action

    def _delete(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            self._webhooks.delete(name)
            return Done(204, 204, lambda full: None)

        return action

    def _event_types(self, call: Call, body: Body, name: str) -> Action:
        types = [
            {"name": kind, "description": row.summary, "status": "ENABLED"} for kind, row in TYPES.items()
        ]
        return lambda at_ns: Done(200, 200, lambda full: {"event_types": types})

    def _verify(self, call: Call, body: Body, name: str) -> Action:
        values = [text(body, field, "", longest=2048, required=True) for field in _FIELDS]
        event = body.get("webhook_event")
        if event is None:
            raise PayPalError("MISSING_REQUIRED_PARAMETER", "/webhook_event")
        if not isinstance(event, dict):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", "/webhook_event")
        # The bytes that were signed had been written in just this way: what a client may change by parsing
        # and writing (white space, escapes) is changed back; an order of keys that it changed is not.
        data = orjson.dumps(event)

        def action(at_ns: int) -> Done:
            status = "SUCCESS" if self._signer.good(Transmission(*values), data) else "FAILURE"
            return Done(200, 200, lambda full: {"verification_status": status})

        return action

    def _events_list(self, call: Call, body: Body, name: str) -> Action:
        query = query_of(call.exchange.request)
        size = number(query, "page_size", 10, largest=LARGEST_PAGE)
        start, end = moment(query, "start_time"), moment(query, "end_time")
        kind, transaction = query.get("event_type"), query.get("transaction_id")

        def chosen(event: Event) -> bool:
            if kind is not None and event.kind != kind:
                return False
            if (start is not None and event.created < start) or (end is not None and event.created > end):
                return False
            if transaction is None:
                return True
            return bool(orjson.loads(event.payload())["resource"].get("id") == transaction)

        def action(at_ns: int) -> Done:
            page, more = self._events.page(size, chosen, query.get("start_id", ""))
            href = base_url(call) + without(call.exchange.request, "start_id")
            links = [{"href": href.rstrip("?&"), "rel": "self", "method": "GET"}]
            if more:
                links.append({"href": f"{href}start_id={page[-1].id}", "rel": "next", "method": "GET"})
            rows = [orjson.Fragment(event.payload()) for event in page]
            return Done(200, 200, lambda full: {"events": rows, "count": len(rows), "links": links})

        return action

    def _event(self, call: Call, body: Body, name: str) -> Action:
        def action(at_ns: int) -> Done:
            data = orjson.loads(self._events.find(name).payload())
            return Done(200, 200, lambda full: data)

        return action

    def _resend(self, call: Call, body: Body, name: str) -> Action:
        names = body.get("webhook_ids", [])
        if not isinstance(names, list) or not all(isinstance(row, str) for row in names):
            raise PayPalError("INVALID_PARAMETER_SYNTAX", "/webhook_ids")

        def action(at_ns: int) -> Done:
            event = self._events.find(name)
            endpoints = [self._webhooks.find(row).endpoint for row in names] or self._outbox.endpoints
            for endpoint in endpoints:
                self._outbox.send(event, endpoint)
            data = orjson.loads(event.payload())
            return Done(202, 202, lambda full: data)

        return action
