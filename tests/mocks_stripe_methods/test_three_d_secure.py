"""Payers who have to be authenticated: through Stripe's own SDK and the payer's browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.mocks.running import Running
from tests.mocks_stripe_methods.sdk import moved, pay, refusal, told

RETURN = "https://shop.example.test/return?order=1#top"
ALWAYS = "pm_card_authenticationRequired"


def kinds(running: Running, name: str) -> list[str]:
    return [kind for kind, _ in told(running, name)]


def visit(intent: Any, outcome: str = "") -> dict[str, list[str]]:
    """The payer's visit of the page; what returns to the shop in the query."""
    answer = httpx.get(
        intent.next_action.redirect_to_url.url, params={"outcome": outcome} if outcome else None
    )
    assert answer.status_code == 302
    location = urlsplit(answer.headers["location"])
    assert location.netloc == "shop.example.test" and location.fragment == "top"
    return parse_qs(location.query)


def test_a_payer_who_is_authenticated(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "ok", ALWAYS, return_url=RETURN)
    assert (intent.status, intent.latest_charge, intent.amount_received) == ("requires_action", None, 0)
    assert intent.next_action.type == "redirect_to_url"
    assert intent.next_action.redirect_to_url.return_url == RETURN
    assert moved(running, "ok") == []
    assert running.requests[-1].result == "processing"
    assert visit(intent) == {
        "order": ["1"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [intent.client_secret],
        "redirect_status": ["succeeded"],
    }
    assert (running.requests[-1].order_id, running.requests[-1].result) == ("ok", "succeeded")
    assert moved(running, "ok") == [("capture", 1290)]
    after = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (after.status, after.next_action, after.amount_received) == ("succeeded", None, 1290)
    charge: Any = after.latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    # A second visit changes nothing, whatever it says.
    assert visit(intent, "failed")["redirect_status"] == ["succeeded"]
    assert moved(running, "ok") == [("capture", 1290)]
    events = told(running, intent.id)
    assert [kind for kind, _ in events] == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert [body["status"] for _, body in events if body["object"] == "payment_intent"] == [
        "requires_payment_method",
        "requires_action",
        "succeeded",
    ]
    assert events[0][1]["next_action"] is None
    assert events[1][1]["next_action"]["redirect_to_url"]["return_url"] == RETURN


def test_a_payer_who_is_not(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "no", ALWAYS, return_url=RETURN)
    assert visit(intent, "failed")["redirect_status"] == ["failed"]
    after = client.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.next_action, after.payment_method) == ("requires_payment_method", None, None)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    assert moved(running, "no") == []
    assert visit(intent)["redirect_status"] == ["failed"]
    assert moved(running, "no") == []
    assert kinds(running, intent.id)[-1] == "payment_intent.payment_failed"
    assert (
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    )
    assert moved(running, "no") == [("capture", 1290)]


def test_without_a_return_url_stripes_scripts_are_told(client: stripe.StripeClient, running: Running) -> None:
    intent = pay(client, "script", "pm_card_threeDSecure2Required", capture_method="manual")
    assert intent.next_action.type == "use_stripe_sdk"
    url = intent.next_action.use_stripe_sdk.stripe_js
    assert httpx.post(url, data={"outcome": "authenticated"}).json()["redirect_status"] == "succeeded"
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    assert moved(running, "script") == []
    client.v1.payment_intents.capture(intent.id)
    assert moved(running, "script") == [("capture", 1290)]


@pytest.mark.parametrize(
    ("number", "decline"),
    [
        ("4000002500003155", None),
        ("4000002760003184", None),
        ("4000003800000446", None),
        ("4000000000003220", None),
        ("4000008260003178", "insufficient_funds"),
        ("4000008400001629", "generic_decline"),
    ],
)
def test_numbers(client: stripe.StripeClient, running: Running, number: str, decline: str | None) -> None:
    card = {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2034}}
    intent = pay(client, number, payment_method_data=card, return_url=RETURN)
    assert intent.status == "requires_action"
    assert visit(intent)["redirect_status"] == ["failed" if decline else "succeeded"]
    after = client.v1.payment_intents.retrieve(intent.id)
    if decline is None:
        assert after.status == "succeeded"
        assert moved(running, number) == [("capture", 1290)]
    else:
        assert after.status == "requires_payment_method"
        assert after.last_payment_error is not None
        assert after.last_payment_error.decline_code == decline
        assert moved(running, number) == []
        assert kinds(running, intent.id)[-2:] == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize("name", ["pm_card_threeDSecureOptional", "pm_card_amex_threeDSecureNotSupported"])
def test_cards_that_need_no_authentication(client: stripe.StripeClient, name: str) -> None:
    assert pay(client, name, name).status == "succeeded"


def test_off_session_there_is_nobody_to_authenticate(client: stripe.StripeClient, running: Running) -> None:
    customer = client.v1.customers.create({}).id
    method = client.v1.payment_methods.attach(ALWAYS, {"customer": customer}).id
    error = refusal(lambda: pay(client, "off", method, customer=customer, off_session=True), stripe.CardError)
    assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_required")
    assert error["payment_method"]["id"] == method and "charge" not in error
    intent = error["payment_intent"]
    assert (intent["status"], intent["latest_charge"]) == ("requires_payment_method", None)
    # The way out that Stripe documents: the same PaymentIntent, within a session.
    again = client.v1.payment_intents.confirm(intent["id"], {"payment_method": method, "return_url": RETURN})
    assert again.status == "requires_action"
    visit(again)
    assert moved(running, "off") == [("capture", 1290)]


def test_a_card_that_was_set_up_pays_off_session(client: stripe.StripeClient, running: Running) -> None:
    name = "pm_card_authenticationRequiredOnSetup"
    customer = client.v1.customers.create({}).id
    attached = client.v1.payment_methods.attach(name, {"customer": customer}).id
    refusal(lambda: pay(client, "set", attached, customer=customer, off_session=True), stripe.CardError)
    first = pay(client, "set", name, customer=customer, setup_future_usage="off_session", return_url=RETURN)
    visit(first)
    later = pay(client, "set", first.payment_method, customer=customer, off_session=True)
    assert later.status == "succeeded"
    assert moved(running, "set") == [("capture", 1290)] * 2
    # Within a session its holder is asked each time.
    assert pay(client, "set", first.payment_method, customer=customer).status == "requires_action"
    ready = "pm_card_authenticationRequiredSetupForOffSession"
    assert pay(client, "ready", ready, off_session=True).status == "succeeded"
    assert pay(client, "ready", ready).status == "requires_action"


def test_error_on_requires_action(client: stripe.StripeClient, running: Running) -> None:
    error = refusal(lambda: pay(client, "error", ALWAYS, error_on_requires_action=True), stripe.CardError)
    assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_not_handled")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert moved(running, "error") == []


def test_a_canceled_or_replaced_attempt_cannot_be_authenticated(
    client: stripe.StripeClient, running: Running
) -> None:
    canceled = pay(client, "gone", ALWAYS, return_url=RETURN)
    assert client.v1.payment_intents.cancel(canceled.id).next_action is None
    assert visit(canceled)["redirect_status"] == ["failed"]
    replaced = pay(client, "gone", ALWAYS, return_url=RETURN)
    second = client.v1.payment_intents.confirm(replaced.id, {"return_url": RETURN})
    assert second.next_action is not None and second.next_action.redirect_to_url is not None
    assert second.next_action.redirect_to_url.url != replaced.next_action.redirect_to_url.url
    assert visit(replaced)["redirect_status"] == ["failed"]
    assert moved(running, "gone") == []
    visit(second)
    assert moved(running, "gone") == [("capture", 1290)]


def test_what_is_no_page(client: stripe.StripeClient, running: Running) -> None:
    assert httpx.get(f"{running.url}/3d_secure/authenticate/src_none").status_code == 404
    assert httpx.get(f"{running.url}/v1/charges").status_code == 401
    intent = pay(client, "page", ALWAYS, return_url=RETURN)
    url = intent.next_action.redirect_to_url.url
    assert httpx.get(url, params={"outcome": "maybe"}).status_code == 400
    assert httpx.get(url, params={"result": "failed"}).status_code == 400
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_a_return_url_cannot_write_headers(client: stripe.StripeClient) -> None:
    url = "https://shop.example.test/\r\nSet-Cookie: a=b"
    intent = pay(client, "split", ALWAYS, return_url=url)
    answer = httpx.get(intent.next_action.redirect_to_url.url)
    assert answer.status_code == 302 and "set-cookie" not in answer.headers
    assert "%0D%0ASet-Cookie" in answer.headers["location"]


def test_a_replayed_key_asks_for_the_same_authentication(
    client: stripe.StripeClient, running: Running
) -> None:
    parameters: Any = {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": ALWAYS}
    parameters |= {"return_url": RETURN, "metadata": {"order_id": "key"}}
    first, second = (
        client.v1.payment_intents.create(parameters, {"idempotency_key": "authenticate"}) for _ in range(2)
    )
    assert first.id == second.id
    assert visit(first) == visit(second)
    assert moved(running, "key") == [("capture", 1290)]
