"""GoCardless' HTTP interface: routes, authentication, version, idempotency, headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from mocks.draws import UPPER_ALPHANUMERIC, Draws
from mocks.faults.matcher import Traits
from mocks.gateways.call import Call, Prepared
from mocks.gateways.gateway import Gateway, known
from mocks.gateways.gocardless import customers, events, mandates, payments, payouts, refunds, simulators
from mocks.gateways.gocardless.collection import query
from mocks.gateways.gocardless.contradiction import contradiction_of
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.customers import Customers
from mocks.gateways.gocardless.errors import (
    GoCardlessError,
    idempotent_creation_conflict,
    server_error,
    usage,
)
from mocks.gateways.gocardless.events import Events
from mocks.gateways.gocardless.fates import SOON_S
from mocks.gateways.gocardless.fields import document
from mocks.gateways.gocardless.forgery import forger
from mocks.gateways.gocardless.mandates import Mandates
from mocks.gateways.gocardless.payment import KNOWN as PAYMENT_KNOWN
from mocks.gateways.gocardless.payment import Payment, read_charge_day, read_payment
from mocks.gateways.gocardless.payments import Payments
from mocks.gateways.gocardless.payouts import Payouts
from mocks.gateways.gocardless.rate_limit import LIMIT_HEADER, LIMITS, used_up
from mocks.gateways.gocardless.rate_limit import headers as limit_headers
from mocks.gateways.gocardless.refunds import Refunds
from mocks.gateways.gocardless.routes import endpoint, is_known, named
from mocks.gateways.gocardless.settlement import Settlement
from mocks.gateways.gocardless.simulators import Simulators
from mocks.gateways.gocardless.traits import PAYMENT_ENDPOINTS, traits_of
from mocks.gateways.gocardless.webhooks import REDELIVERY_S, signature
from mocks.http import Request
from mocks.idempotency import Keys
from mocks.latency import Latency
from mocks.reply import Reply
from mocks.webhooks import Rules

VERSION = "2015-07-06"
LONGEST_KEY = 128
"""Characters of an idempotency key, at most (second-hand)."""

WEBHOOK_SECRET = "paydrill-gocardless-webhook-secret"  # noqa: S105 (a mock has no secrets)
"""What webhooks are signed with."""

Answer = Callable[[int], tuple[int, dict[str, Any], str]]
"""The moment of execution -> status, body and the journal's result."""


class GoCardless(Gateway):
    """Bank debits: customers, accounts, mandates, payments, refunds, payouts, events.

    Idempotency: the key of a resource that was created is bound to it, for 30 days. A later creation of the
    same kind under that key, whatever its attributes, answers 409 ``idempotent_creation_conflict`` with the
    identifier of the resource, which the SDKs then fetch. Of two creations in flight with one key, one
    creates and the other gets the 409: the key is taken in the moment of creation, so there is no "in use".
    What is refused takes no key. Actions (``cancel``, ``retry``, ``run``) take no notice of keys. That keys
    of different kinds of resources are apart, and that the lifetime is 30 days, is second-hand.

    Nothing settles by itself, unless ``settlement.timed`` is set or a customer's name asks for it.
    """

    key_lifetime_s = 30 * 24 * 3600
    limits = LIMITS
    payment_endpoints = frozenset(PAYMENT_ENDPOINTS)

    def __init__(self, name: str, latency: Latency, seed: int) -> None:
        super().__init__(name, latency, seed)
        self.webhook_secret = WEBHOOK_SECRET
        self._declining = False
        self.events = Events(self.outbox, self._event_ids())
        creditor = Creditor(
            self._new_id("CR"), self._new_id("BA"), self.ledger, self.mock_clock, self.events, self._new_id
        )
        self.customers = Customers(creditor)
        self.mandates = Mandates(creditor, self.customers)
        self.payouts = Payouts(creditor)
        self.payments = Payments(creditor, self.mandates, self.payouts)
        self.refunds = Refunds(creditor, self.payments)
        self.settlement = Settlement(creditor, self.mandates, self.payments, self.refunds, self.payouts)
        self.simulators = Simulators(
            self.mandates, self.payments, self.refunds, self.payouts, self.settlement
        )
        self._answers: dict[str, Callable[[Call, str], Answer]] = {
            "customers.create": self._create_customer,
            "customer_bank_accounts.create": self._create_account,
            "mandates.create": self._create_mandate,
            "customers.update": self._update_customer,
            "customers.remove": self._remove_customer,
            "customer_bank_accounts.update": self._update(self.customers.accounts),
            "customer_bank_accounts.disable": self._disable_account,
            "mandates.update": self._update(self.mandates.all),
            "mandates.reinstate": self._reinstate_mandate,
            "payments.update": self._update(self.payments.all),
            "refunds.update": self._update(self.refunds.all),
            "payouts.update": self._update(self.payouts.all),
            "mandates.cancel": self._cancel_mandate,
            "payments.create": self._create_payment,
            "payments.cancel": self._cancel_payment,
            "payments.retry": self._retry_payment,
            "refunds.create": self._create_refund,
            "scenario_simulators.run": self._run,
            "payments.get": self._get_payment,
            "refunds.get": self._get_refund,
            "customers.get": self._get_customer,
            "customer_bank_accounts.get": self._one(self.customers.accounts),
            "mandates.get": self._one(self.mandates.all),
            "events.get": self._one(self.events.all),
            "payouts.get": self._one(self.payouts.all),
            "customers.list": self._page(self.customers.page, customers.FILTERS),
            "customer_bank_accounts.list": self._page(self.customers.account_page, customers.ACCOUNT_FILTERS),
            "mandates.list": self._page(self.mandates.page, mandates.FILTERS),
            "payments.list": self._page(self.payments.page, payments.FILTERS),
            "refunds.list": self._page(self.refunds.page, refunds.FILTERS),
            "events.list": self._page(self.events.page, events.FILTERS),
            "payouts.list": self._page(self.payouts.page, payouts.FILTERS),
            "payout_items.list": self._page(self.payouts.items, ("payout",), timed=False),
        }

    def endpoint(self, request: Request) -> str:
        return endpoint(request.method, request.path)

    def moved(self, call: Call, reply: Reply) -> bool:
        return reply.result in ("succeeded", "processing")

    def contradiction(self, reply: Reply) -> Reply | None:
        return contradiction_of(reply)

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        return used_up(requests, resets_at)

    def known_key(self, call: Call) -> tuple[Keys, str] | None:
        return known(self.keys, f"{call.endpoint} {call.idempotency_key}") if call.idempotency_key else None

    def decline_payments(self, on: bool) -> None:
        self._declining = on

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        try:
            payment = self.payments.all.get(orjson.loads(reply.body)["payments"]["id"])
        except (ValueError, KeyError, GoCardlessError):
            return False
        self.mock_clock.call_later(seconds, lambda: self.payments.fall_through(payment, time.monotonic_ns()))
        return True

    def traits(self, call: Call) -> Traits:
        return traits_of(call.exchange.request.body)

    def error(self, status: int) -> Reply:
        return server_error(status)

    def settle_by_time(self) -> None:
        self.settlement.timed = True

    def headers(self, call: Call, reply: Reply) -> tuple[tuple[str, str], ...]:
        own: tuple[tuple[str, str], ...] = ()
        if not any(name == LIMIT_HEADER for name, _ in reply.headers):
            own = limit_headers(self.rate_limit)
        return (("X-Request-Id", self._request_id(call)), *own, *reply.headers)

    def webhook_rules(self) -> Rules:
        return Rules(
            event_id=events.event_id(self._event_ids()),
            sign=lambda body, at: (
                ("Webhook-Signature", signature(self.webhook_secret, body)),
                ("User-Agent", "gocardless-webhook-service/1.1"),
            ),
            redelivery_s=REDELIVERY_S,
            forge=forger(self.name, self.seed),
        )

    def prepare(self, call: Call) -> Prepared:
        request = call.exchange.request
        try:
            _authenticate(request.headers.get("authorization", ""))
            _check_version(request.headers.get("gocardless-version"))
            if self.rate_limit.refusal(call.endpoint):
                raise usage("rate_limit_exceeded", "Rate limit exceeded", 429)
            if not call.endpoint:
                if is_known(request.path):
                    raise usage("method_not_allowed", "Method not allowed", 405)
                raise usage("path_not_found", "Path not found", 404)
            if request.method in ("POST", "PUT"):
                _check_type(request)
            creates = call.endpoint.endswith(".create")
            if creates and call.idempotency_key:
                self._refuse_known(call)
            answer = self._answers[call.endpoint](call, named(request.path))
        except GoCardlessError as error:
            return error.reply(self._request_id(call))

        def execute(at_ns: int) -> Reply:
            try:
                if creates and call.idempotency_key:
                    self._refuse_known(call)
                status, body, result = answer(at_ns)
            except GoCardlessError as error:
                return error.reply(self._request_id(call))
            headers: tuple[tuple[str, str], ...] = ()
            if creates:
                ((resource, shown),) = body.items()
                headers = (("Location", f"/{resource}/{shown['id']}"),)
                if call.idempotency_key:
                    self._keep(call, shown["id"])
            return Reply(status, orjson.dumps(body) if body else b"", result, headers)

        return execute

    # Idempotency.

    def _refuse_known(self, call: Call) -> None:
        key = call.idempotency_key
        if len(key) > LONGEST_KEY:
            raise usage(
                "idempotency_key_too_long", f"An idempotency key has at most {LONGEST_KEY} characters"
            )
        use = self.keys.find(f"{call.endpoint} {key}")
        if use is not None:
            call.replayed = True
            call.order_id = use.order_id
            raise idempotent_creation_conflict(use.fingerprint)

    def _keep(self, call: Call, resource_id: str) -> None:
        # What the key is bound to is the resource, so that stands where others keep a digest.
        use = self.keys.claim(f"{call.endpoint} {call.idempotency_key}", call.endpoint, resource_id)
        use.order_id = call.order_id
        use.save(Reply(409, b""))
        use.end()

    # Creations.

    def _create_customer(self, call: Call, name: str) -> Answer:
        customer = self.customers.read(document(call.exchange.request.body, "customers", customers.KNOWN))
        return lambda at_ns: (201, self.customers.all.one(self.customers.create(customer)), "")

    def _create_account(self, call: Call, name: str) -> Answer:
        body = call.exchange.request.body
        link, account = self.customers.read_account(
            document(body, "customer_bank_accounts", customers.ACCOUNT_KNOWN)
        )
        create, all_ = self.customers.create_account, self.customers.accounts
        return lambda at_ns: (201, all_.one(create(link, account)), "")

    def _create_mandate(self, call: Call, name: str) -> Answer:
        asked = self.mandates.read(document(call.exchange.request.body, "mandates", mandates.KNOWN))

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            mandate = self.mandates.create(*asked)
            self.settlement.mandate_created(mandate)
            return 201, self.mandates.all.one(mandate), ""

        return answer

    def _create_payment(self, call: Call, name: str) -> Answer:
        asked = read_payment(document(call.exchange.request.body, "payments", PAYMENT_KNOWN))
        call.order_id = asked.metadata.get("order_id", "")

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            payment = self.payments.create(asked)
            self.settlement.payment_created(payment)
            if self._declining:
                # A bank debit is never declined at once: the bank says so later.
                self.mock_clock.call_later(SOON_S, lambda: self.payments.fail(payment))
            return 201, self.payments.all.one(payment), "processing"

        return answer

    def _create_refund(self, call: Call, name: str) -> Answer:
        asked = refunds.read(document(call.exchange.request.body, "refunds", refunds.KNOWN))

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            refund = self.refunds.create(asked, at_ns)
            self.settlement.refund_created(refund)
            call.order_id = refund.payment.order_id
            return 201, self.refunds.all.one(refund), "processing"

        return answer

    # Actions.

    def _cancel_mandate(self, call: Call, name: str) -> Answer:
        document(call.exchange.request.body, "data", ("metadata",), optional=True).metadata()

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            mandate = self.mandates.all.get(name)
            self.payments.cancel_of(mandate, self.mandates.cancel(mandate))
            return 200, self.mandates.all.one(mandate), ""

        return answer

    def _reinstate_mandate(self, call: Call, name: str) -> Answer:
        document(call.exchange.request.body, "data", ("metadata",), optional=True).metadata()

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            mandate = self.mandates.all.get(name)
            self.mandates.reinstate(mandate)
            self.settlement.mandate_created(mandate)
            return 200, self.mandates.all.one(mandate), ""

        return answer

    def _disable_account(self, call: Call, name: str) -> Answer:
        document(call.exchange.request.body, "data", (), optional=True)

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            account = self.customers.accounts.get(name)
            self.customers.disable(account)
            for mandate in self.mandates.of_account(account):
                self.payments.cancel_of(mandate, self.mandates.cancel(mandate, "bank_account_disabled"))
            return 200, self.customers.accounts.one(account), ""

        return answer

    def _remove_customer(self, call: Call, name: str) -> Answer:
        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            self.customers.remove(self.customers.get(name))
            return 204, {}, ""

        return answer

    def _cancel_payment(self, call: Call, name: str) -> Answer:
        return self._act(call, name, ("metadata",), lambda payment, day: self.payments.cancel(payment))

    def _retry_payment(self, call: Call, name: str) -> Answer:
        def retry(payment: Payment, day: int | None) -> None:
            self.payments.retry(payment, day)
            self.settlement.payment_created(payment)

        return self._act(call, name, ("metadata", "charge_date"), retry)

    def _act(
        self, call: Call, name: str, known: tuple[str, ...], act: Callable[[Payment, int | None], None]
    ) -> Answer:
        fields = document(call.exchange.request.body, "data", known, optional=True)
        fields.metadata()
        day = read_charge_day(fields)
        fields.done()

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            payment = self.payments.all.get(name)
            call.order_id = payment.order_id
            act(payment, day)
            return 200, self.payments.all.one(payment), ""

        return answer

    def _run(self, call: Call, name: str) -> Answer:
        fields = document(call.exchange.request.body, "data", simulators.KNOWN)
        resource = fields.link("resource")
        fields.done()

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            call.order_id = self.simulators.run(name, resource, at_ns)
            return 200, {"scenario_simulators": {"id": name}}, ""

        return answer

    # Updates.

    def _update_customer(self, call: Call, name: str) -> Answer:
        fields = document(call.exchange.request.body, "customers", customers.KNOWN)

        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            customer = self.customers.get(name)
            self.customers.update(customer, fields)
            return 200, self.customers.all.one(customer), ""

        return answer

    def _update(self, all_: Any) -> Callable[[Call, str], Answer]:
        """Of these, only the metadata can be changed."""

        def prepared(call: Call, name: str) -> Answer:
            fields = document(call.exchange.request.body, all_.resource, ("metadata",))
            given = "metadata" in fields
            metadata = fields.metadata()
            fields.done()

            def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
                row = all_.get(name)
                if given:
                    row.metadata = metadata
                return 200, all_.one(row), ""

            return answer

        return prepared

    # Reads.

    def _get_customer(self, call: Call, name: str) -> Answer:
        return lambda at_ns: (200, self.customers.all.one(self.customers.get(name)), "")

    def _get_payment(self, call: Call, name: str) -> Answer:
        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            payment = self.payments.all.get(name)
            call.order_id = payment.order_id
            return 200, self.payments.all.one(payment), ""

        return answer

    def _get_refund(self, call: Call, name: str) -> Answer:
        def answer(at_ns: int) -> tuple[int, dict[str, Any], str]:
            refund = self.refunds.all.get(name)
            call.order_id = refund.payment.order_id
            return 200, self.refunds.all.one(refund), ""

        return answer

    def _one(self, all_: Any) -> Callable[[Call, str], Answer]:
        return lambda call, name: lambda at_ns: (200, all_.one(all_.get(name)), "")

    def _page(
        self, page: Callable[[Any], dict[str, Any]], filters: tuple[str, ...], *, timed: bool = True
    ) -> Callable[[Call, str], Answer]:
        def prepared(call: Call, name: str) -> Answer:
            asked = query(call.exchange.request.query, filters, timed=timed)
            return lambda at_ns: (200, page(asked), "")

        return prepared

    # Names.

    def _new_id(self, prefix: str) -> str:
        # One letter longer than GoCardless' own: with 12 the n-th could repeat an earlier one.
        return prefix + self.next_id(13, UPPER_ALPHANUMERIC)

    def _event_ids(self) -> Draws:
        return Draws(self.seed, f"{self.name}/events")

    def _request_id(self, call: Call) -> str:
        return self.ids.text(call.number + (1 << 40), 20, UPPER_ALPHANUMERIC)


def _authenticate(authorization: str) -> None:
    """Any token will do but a live one, which starts with ``live_``.

    Raises:
        GoCardlessError: 401; the message never quotes a token.
    """
    if not authorization:
        raise usage("missing_authorization_header", "Missing authorization header", 401)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise usage("invalid_authorization_header", "Invalid authorization header", 401)
    if token.strip().startswith("live_"):
        message = "This is a mock: a live token has no business here, and has been refused unseen."
        raise usage("access_token_not_active", message, 401)


def _check_version(version: str | None) -> None:
    if not version:
        raise usage("missing_version_header", "Missing version header")
    if version != VERSION:
        raise usage("version_not_found", "Version not found")


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind != "application/json":
        raise usage("invalid_content_type", "The content type must be application/json", 415)
