"""A merchant's server that verifies webhooks as each gateway's own library does, and payments that cause them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple

import stripe
from Adyen.util import is_valid_hmac_notification
from cryptography.exceptions import InvalidSignature
from gocardless_pro import webhooks as gocardless_webhooks  # type: ignore[import-untyped]
from gocardless_pro.errors import InvalidSignatureError  # type: ignore[import-untyped]

from journal.records import Webhook
from mocks.exchange import Exchange
from mocks.faults import FaultPlan
from mocks.gateways.adyen.notifications import HMAC_KEY
from mocks.gateways.gocardless.application import WEBHOOK_SECRET as GOCARDLESS_SECRET
from mocks.gateways.paypal.signing import WEBHOOK_ID
from mocks.gateways.stripe.events import WEBHOOK_SECRET
from tests.mocks.running import Running, adyen_call, adyen_payment, stripe_call, stripe_payment
from tests.mocks.serving import Serving
from tests.mocks_gocardless import sdk as gocardless
from tests.mocks_paypal.client import Client as PayPalClient
from tests.mocks_paypal.receiver import verify as verify_paypal

GATEWAYS = ("stripe", "adyen", "paypal", "gocardless")


class Heard(NamedTuple):
    """One webhook as it came: ``id`` and ``kind`` of its event, and whether the library believes it."""

    id: str
    kind: str
    good: bool
    at_ns: int
    headers: dict[str, str]
    body: Any
    raw: bytes


def _stripe(headers: Mapping[str, str], body: bytes) -> bool:
    try:
        stripe.Webhook.construct_event(body, headers.get("stripe-signature", ""), WEBHOOK_SECRET)  # type: ignore[no-untyped-call,unused-ignore]
    except stripe.SignatureVerificationError:
        return False
    return True


def _adyen(headers: Mapping[str, str], body: bytes) -> bool:
    try:
        return bool(is_valid_hmac_notification(json.loads(body), HMAC_KEY))
    except KeyError:  # there is no signature
        return False


def _paypal(headers: Mapping[str, str], body: bytes) -> bool:
    try:
        verify_paypal(dict(headers), body, WEBHOOK_ID)
    except (InvalidSignature, KeyError):
        return False
    return True


def _gocardless(headers: Mapping[str, str], body: bytes) -> bool:
    try:
        gocardless_webhooks.parse(body, GOCARDLESS_SECRET, headers.get("webhook-signature", ""))
    except InvalidSignatureError:
        return False
    return True


_LIBRARIES: dict[str, Callable[[Mapping[str, str], bytes], bool]] = {
    "stripe": _stripe,
    "adyen": _adyen,
    "paypal": _paypal,
    "gocardless": _gocardless,
}


def _named(gateway: str, body: Any) -> tuple[str, str]:
    if gateway == "adyen":
        item = body["notificationItems"][0]["NotificationRequestItem"]
        return item["pspReference"], item["eventCode"]
    if gateway == "gocardless":
        event = body["events"][0]
        return event["id"], f"{event['resource_type']}.{event['action']}"
    return body["id"], body["type" if gateway == "stripe" else "event_type"]


class Receiver:
    """Answers 200 to what the library believes and 400 to what it does not, once ``open`` is set, as it is
    unless a test clears it.

    Attributes:
        heard: In the order in which they came.
    """

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.heard: list[Heard] = []
        self.open = threading.Event()
        self.open.set()
        self._waiting: list[tuple[Exchange, int]] = []
        self.serving = Serving(self._take)

    def __enter__(self) -> Receiver:
        self.serving.__enter__()
        self.url = f"http://127.0.0.1:{self.serving.port}/hooks"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.serving.__exit__(kind, error, trace)

    def let_go(self) -> None:
        """Answer what waits, and what comes from here on."""
        self.open.set()
        self.serving.thread.call(self._answer)

    @property
    def ids(self) -> list[str]:
        return [heard.id for heard in self.heard]

    def _take(self, exchange: Exchange) -> None:
        at_ns = time.monotonic_ns()
        request = exchange.request
        good = _LIBRARIES[self.gateway](request.headers, request.body)
        body = json.loads(request.body)
        self.heard.append(
            Heard(*_named(self.gateway, body), good, at_ns, request.headers, body, request.body)
        )
        self._waiting.append((exchange, 200 if good else 400))
        if self.open.is_set():
            self._answer()

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        for exchange, status in waiting:
            exchange.answer(status)


@contextmanager
def told(gateway: str, *plans: FaultPlan, **more: Any) -> Iterator[tuple[Running, Receiver]]:
    """A gateway with these faults, and the receiver of its webhooks."""
    with (
        Receiver(gateway) as receiver,
        Running(gateway, faults=plans, webhooks={"urls": [receiver.url]}, **more) as running,
    ):
        try:
            yield running, receiver
        finally:
            receiver.let_go()


def end(running: Running) -> None:
    """Clear every fault."""
    assert running.service.schedule is not None
    running.thread.call(running.service.schedule.close)


def pay(running: Running, order: str, *, good: bool = True) -> None:
    """A payment of 12.90, told of by webhooks by the time that they have all gone out; not ``good``: one that
    is declined."""
    kind = running.plan["gateway"]
    if kind == "stripe":
        card = "pm_card_visa" if good else "pm_card_chargeDeclined"
        status, _, body = stripe_call(
            running.connection(), "POST", "/v1/payment_intents", stripe_payment(order, card)
        )
        assert status == (200 if good else 402), body
    elif kind == "adyen":
        holder: dict[str, Any] = {} if good else {"holderName": "DECLINED"}
        status, _, body = adyen_call(running.connection(), "/v72/payments", adyen_payment(order, **holder))
        assert status == 200 and body["resultCode"] == ("Authorised" if good else "Refused"), body
    elif kind == "paypal":
        client = PayPalClient(running)
        try:
            payer: dict[str, Any] = {} if good else {"payer": {"name": {"given_name": "CCREJECT-REFUSED"}}}
            client.captured(order, **payer)
        finally:
            client.close()
    else:
        client = gocardless.client(running)
        payment = gocardless.pay(client, gocardless.mandate(client).id, order)
        gocardless.simulate(client, "payment_confirmed" if good else "payment_failed", payment.id)


def webhooks_now(running: Running) -> list[Webhook]:
    """What the journal says of deliveries, in its order; to be asked on the gateway's own loop."""
    return [record for record in running.writer.records if isinstance(record, Webhook)]


def webhooks(running: Running) -> list[Webhook]:
    """The same, for the test's own thread."""
    return running.thread.call(lambda: webhooks_now(running))


def settled(running: Running) -> None:
    """Wait until nothing is under way or due."""
    running.until(lambda: running.gateway.outbox.idle, "every webhook was delivered")
