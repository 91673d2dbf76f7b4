"""Webhooks that are forged or signed too long ago: what the gateways' own libraries think of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import stripe

from mocks.faults import FAULTS
from mocks.gateways.paypal.application import TOLERANCE_S
from mocks.gateways.stripe.events import WEBHOOK_SECRET
from tests.mocks.running import Running
from tests.mocks.test_faults import plan
from tests.webhook_faults.receiver import (
    GATEWAYS,
    Heard,
    end,
    pay,
    settled,
    told,
    webhooks,
)

CLAIMS = {
    "stripe": "payment_intent.succeeded",
    "adyen": "AUTHORISATION",
    "paypal": "PAYMENT.CAPTURE.COMPLETED",
    "gocardless": "payments.confirmed",
}
FAILURES = {
    "stripe": "payment_intent.payment_failed",
    "adyen": "AUTHORISATION",
    "paypal": "PAYMENT.CAPTURE.DECLINED",
    "gocardless": "payments.failed",
}


def claim(gateway: str, heard: Heard) -> tuple[str, str, bool]:
    """The payment that a webhook is about, its order, and whether it says that it succeeded."""
    if gateway == "stripe":
        subject = heard.body["data"]["object"]
        done = subject["status"] == "succeeded" and subject["amount_received"] == 1290
        return subject["id"], subject["metadata"]["order_id"], done
    if gateway == "adyen":
        item = heard.body["notificationItems"][0]["NotificationRequestItem"]
        return item["pspReference"], item["merchantReference"], item["success"] == "true"
    if gateway == "paypal":
        capture = heard.body["resource"]
        return capture["id"], capture["custom_id"], capture["status"] == "COMPLETED"
    event = heard.body["events"][0]
    order = event["resource_metadata"]["order_id"]
    return event["links"]["payment"], order, event["action"] == "confirmed"


def signed(gateway: str, heard: Heard) -> bool:
    """Whether there is a signature at all."""
    if gateway == "adyen":
        item = heard.body["notificationItems"][0]["NotificationRequestItem"]
        return "hmacSignature" in item["additionalData"]
    names = {"stripe": "stripe-signature", "paypal": "paypal-transmission-sig"}
    return names.get(gateway, "webhook-signature") in heard.headers


@pytest.mark.parametrize("signature", ["wrong", "none"])
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_forged_webhooks_claim_what_never_happened_and_no_library_believes_them(
    gateway: str, signature: str
) -> None:
    one = plan("webhook_forged", params={"signature": signature})
    with told(gateway, one) as (running, receiver):
        pay(running, "refused", good=False)
        pay(running, "made")
        settled(running)
        outbox = running.gateway.outbox
        good = [heard for heard in receiver.heard if heard.good]
        forged = [heard for heard in receiver.heard if not heard.good]
        assert len(good) == outbox.added, "the gateway's own come as ever"
        rows = {(w.event_id, w.kind): w for w in webhooks(running) if w.fault}
        assert len(forged) == len(rows) == running.thread.call(lambda: outbox.faults[0].hits)
        assert {(w.fault, w.status, w.attempt) for w in rows.values()} == {("webhook_forged", 400, 1)}
        assert {heard.kind for heard in forged} == {CLAIMS[gateway]}
        assert {signed(gateway, heard) for heard in forged} == {signature == "wrong"}
        true = {claim(gateway, heard)[:2] for heard in good if heard.kind == CLAIMS[gateway]}
        ended = [claim(gateway, heard) for heard in good if heard.kind == FAILURES[gateway]]
        failed = next(id for id, order, done in ended if order == "refused" and not done)
        seen = set()
        for heard in forged:
            id, order, done = claim(gateway, heard)
            assert done, "it claims a success"
            assert (id, order) not in true or id == failed
            seen.add((order, id == failed))
            assert heard.id not in {own.id for own in good} or gateway == "adyen"
        assert ("refused", True) in seen, "the very payment that was declined"
        assert ("made", False) in seen, "another payment of an order that was paid"
        # Whatever the answer, it comes once.
        assert outbox.waiting == 0
        captured = [m for m in running.movements if m.kind == "capture"]
        assert len(captured) == 1


def test_a_forged_webhook_is_wrong_by_its_signature_alone() -> None:
    with told("stripe", plan("webhook_forged")) as (running, receiver):
        pay(running, "o1")
        settled(running)
        forged = next(heard for heard in receiver.heard if not heard.good)
        own = next(heard for heard in receiver.heard if heard.good and heard.kind == forged.kind)
        assert forged.body.keys() == own.body.keys()
        assert forged.body["data"]["object"].keys() == own.body["data"]["object"].keys()
        assert forged.headers.keys() == own.headers.keys()
        assert forged.headers["stripe-signature"].count("v1=") == 1


def test_adyens_forgery_has_a_signature_of_the_right_form() -> None:
    with told("adyen", plan("webhook_forged")) as (running, receiver):
        pay(running, "o1")
        settled(running)
        forged, own = (
            next(heard for heard in receiver.heard if heard.good is good) for good in (False, True)
        )
        first, second = (
            heard.body["notificationItems"][0]["NotificationRequestItem"] for heard in (forged, own)
        )
        assert first.keys() == second.keys()
        lengths = {len(item["additionalData"]["hmacSignature"]) for item in (first, second)}
        assert lengths == {44}


def test_stripes_library_refuses_what_was_signed_too_long_ago_and_takes_its_redelivery() -> None:
    with told("stripe", plan("webhook_old_timestamp")) as (running, receiver):
        pay(running, "o1")
        outbox = running.gateway.outbox
        settled(running)
        count = outbox.added
        assert len(receiver.heard) == count and not any(heard.good for heard in receiver.heard)
        for heard in receiver.heard:
            at = int(heard.headers["stripe-signature"].split(",")[0].removeprefix("t="))
            assert outbox.clock.now() - at >= 359
        assert {(w.status, w.fault) for w in webhooks(running)} == {(400, "webhook_old_timestamp")}
        assert running.thread.call(lambda: outbox.faults[0].hits) == count == outbox.waiting
        end(running)
        # Redelivered within the tolerance of a receiver whose clock is the real one.
        running.thread.call(lambda: running.gateway.mock_clock.advance(6))
        settled(running)
        assert len(receiver.heard) == 2 * count and all(heard.good for heard in receiver.heard[count:])
        assert {(w.attempt, w.fault) for w in webhooks(running)[count:]} == {(2, "")}


def test_old_signatures_are_wrong_by_their_age_alone() -> None:
    with told("stripe", plan("webhook_old_timestamp", params={"by": 1000 * 10**9})) as (running, receiver):
        pay(running, "o1")
        settled(running)
        for heard in receiver.heard:
            header = heard.headers["stripe-signature"]
            with pytest.raises(stripe.SignatureVerificationError, match="Timestamp outside"):
                stripe.Webhook.construct_event(heard.raw, header, WEBHOOK_SECRET, 1299)  # type: ignore[no-untyped-call,unused-ignore]
            event = stripe.Webhook.construct_event(heard.raw, header, WEBHOOK_SECRET, 10_000)  # type: ignore[no-untyped-call,unused-ignore]
            assert event.id == heard.id
        assert receiver.heard


def test_paypals_signature_is_good_and_its_time_lies_days_back() -> None:
    with told("paypal", plan("webhook_old_timestamp")) as (running, receiver):
        pay(running, "o1")
        settled(running)
        assert receiver.heard and all(heard.good for heard in receiver.heard), "a signature alone is no age"
        now = running.gateway.mock_clock.now()
        for heard in receiver.heard:
            at = datetime.fromisoformat(heard.headers["paypal-transmission-time"]).timestamp()
            assert now - at >= TOLERANCE_S + 59
        assert {w.fault for w in webhooks(running)} == {"webhook_old_timestamp"}


@pytest.mark.parametrize("gateway", ["adyen", "gocardless"])
def test_a_gateway_that_signs_no_time_cannot_sign_too_long_ago(gateway: str) -> None:
    with Running(gateway) as running, pytest.raises(ValueError, match="signs no time"):
        FAULTS["webhook_old_timestamp"](plan("webhook_old_timestamp"), running.gateway, 7)


def test_what_is_not_about_a_payment_is_not_forged() -> None:
    def render(event: Any) -> bytes:
        return b'{"id": "%s", "object": "event", "type": "payout.paid"}' % event.id.encode()

    with told("stripe", plan("webhook_forged")) as (running, receiver):
        outbox = running.gateway.outbox
        running.thread.call(lambda: outbox.add("payout.paid", render))
        settled(running)
        assert len(receiver.heard) == 1 and running.thread.call(lambda: outbox.faults[0].hits) == 0
