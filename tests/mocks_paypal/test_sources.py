"""What an order is paid with: cards, 3-D Secure, Apple Pay and Google Pay, through PayPal's own SDK."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.gateways.paypal.cards import THREE_D_SECURE, card_of
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.triggers import PAYER_NAMES
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, issue, moved, order_request, refused

CARD = {"number": "4111111111111111", "expiry": "2035-12", "security_code": "123", "name": "John Doe"}
CHALLENGED = "4868719460707704"


def card(**more: Any) -> dict[str, Any]:
    return {"card": CARD | more}


def secured(number: str, method: str = "SCA_WHEN_REQUIRED", **more: Any) -> dict[str, Any]:
    return card(number=number, attributes={"verification": {"method": method}}, **more)


def pay(client: Client, order: str, source: dict[str, Any], **more: Any) -> Any:
    return client.create(order, payment_source=source, paypal_request_id=order, **more)


def visit(running: Running, created: Any, more: str = "") -> Any:
    """Follow the link ``payer-action`` as a browser does."""
    (href,) = [link.href for link in created.links if link.rel == "payer-action"]
    connection = running.connection()
    connection.request("GET", href.removeprefix(running.url) + more)
    response = connection.getresponse()
    response.read()
    return response


def test_a_card_pays_as_the_order_is_created(client: Client, running: Running) -> None:
    body = {"body": order_request("card", payment_source=card())}
    assert issue(client.orders.create_order, body) == (400, "PAYPAL_REQUEST_ID_REQUIRED")
    paid = pay(client, "card", card(), prefer="return=representation")
    assert paid.status == "COMPLETED"
    shown = paid.payment_source.card
    assert (shown.last_digits, shown.brand, shown.expiry, shown.name) == (
        "1111",
        "VISA",
        "2035-12",
        "John Doe",
    )
    assert paid.purchase_units[0].payments.captures[0].status == "COMPLETED"
    assert pay(client, "card", card()).id == paid.id
    assert moved(running, "card") == [("capture", 1290)]


def test_a_card_is_authorized(client: Client, running: Running) -> None:
    paid = pay(client, "card-held", card(), intent="AUTHORIZE")
    (held,) = paid.purchase_units[0].payments.authorizations
    assert held.status == "CREATED" and moved(running, "card-held") == []
    client.payments.capture_authorized_payment({"authorization_id": held.id})
    assert moved(running, "card-held") == [("capture", 1290)]


@pytest.mark.parametrize(("name", "code"), PAYER_NAMES.items())
def test_the_name_on_a_card_declines_it(client: Client, running: Running, name: str, code: str) -> None:
    paid = pay(client, f"card-{name}", card(name=name))
    (capture,) = paid.purchase_units[0].payments.captures
    assert (paid.status, capture.status) == ("COMPLETED", "DECLINED")
    assert capture.processor_response.response_code == code
    assert moved(running, f"card-{name}") == [] and running.requests[-1].result == "declined"


def test_a_mock_response_declines_a_card(client: Client, running: Running) -> None:
    header = '{"mock_application_codes": "INSTRUMENT_DECLINED"}'
    options = {
        "body": order_request("card-no", payment_source=card()),
        "paypal_request_id": "card-no",
        "paypal_mock_response": header,
    }
    assert issue(client.orders.create_order, options) == (422, "INSTRUMENT_DECLINED")
    assert moved(running, "card-no") == []


@pytest.mark.parametrize(
    ("change", "status", "what"),
    [
        ({"number": None}, 422, "CARD_NUMBER_REQUIRED"),
        ({"number": "4111111111111112"}, 422, "VALIDATION_ERROR"),
        ({"number": "4111"}, 422, "VALIDATION_ERROR"),
        ({"number": "4111 1111 1111 1111"}, 422, "VALIDATION_ERROR"),
        ({"number": "1" * 20}, 400, "INVALID_STRING_LENGTH"),
        ({"expiry": None}, 422, "CARD_EXPIRY_REQUIRED"),
        ({"expiry": "12/35"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"expiry": "2035-13"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"expiry": "2020-01"}, 422, "CARD_EXPIRED"),
        ({"security_code": "12"}, 422, "INVALID_SECURITY_CODE_LENGTH"),
        ({"security_code": 123}, 400, "INVALID_PARAMETER_SYNTAX"),
    ],
)
def test_cards_that_will_not_do(running: Running, change: dict[str, Any], status: int, what: str) -> None:
    body = order_request("bad-card", payment_source=card(**change))
    answer = call(running, "POST", "/v2/checkout/orders", body, {"PayPal-Request-Id": "bad-card"})
    assert (answer[0], answer[2]["details"][0]["issue"]) == (status, what)
    assert "4111111111111" not in str(answer) and moved(running, "bad-card") == []


def test_a_card_expires_at_the_end_of_its_month() -> None:
    assert card_of(CARD | {"expiry": "2026-11"}, "", "2026-11").expiry == "2026-11"
    with pytest.raises(PayPalError, match="CARD_EXPIRED"):
        card_of(CARD | {"expiry": "2026-11"}, "", "2026-12")


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        ("371449635398431", "AMEX"),
        ("5555555555554444", "MASTERCARD"),
        ("2223003122003222", "MASTERCARD"),
        ("6011111111111117", "DISCOVER"),
        ("3530111333300000", "JCB"),
        ("4012888888881881", "VISA"),
    ],
)
def test_brands(number: str, brand: str) -> None:
    shown = card_of(CARD | {"number": number}, "", "2026-01")
    assert (shown.brand, shown.last_digits) == (brand, number[-4:])


def test_a_cardholder_authenticates(client: Client, running: Running) -> None:
    context = {"return_url": "https://shop.example.test/ok", "cancel_url": "https://shop.example.test/no"}
    created = pay(client, "3ds", secured(CHALLENGED, experience_context=context))
    assert created.status == "PAYER_ACTION_REQUIRED" and moved(running, "3ds") == []
    error = refused(client.orders.capture_order, {"id": created.id})
    assert error.details[0].issue == "PAYER_ACTION_REQUIRED"
    assert [link.rel for link in error.links] == ["payer-action"]
    response = visit(running, created)
    assert response.status == 302 and response.headers["location"].startswith("https://shop.example.test/ok?")
    shown = client.orders.get_order({"id": created.id}).body
    assert shown.status == "APPROVED"
    result = shown.payment_source.card.authentication_result
    assert result.liability_shift == "POSSIBLE"
    assert (result.three_d_secure.enrollment_status, result.three_d_secure.authentication_status) == (
        "Y",
        "Y",
    )
    assert client.orders.capture_order({"id": created.id}).body.status == "COMPLETED"
    assert moved(running, "3ds") == [("capture", 1290)]


def test_a_cardholder_does_not_authenticate(client: Client, running: Running) -> None:
    created = pay(client, "3ds-no", secured(CHALLENGED))
    assert visit(running, created, "&cancel=1").status == 200
    result = client.orders.get_order({"id": created.id}).body.payment_source.card.authentication_result
    assert (result.liability_shift, result.three_d_secure.authentication_status) == ("NO", "N")
    assert moved(running, "3ds-no") == []


@pytest.mark.parametrize("number", THREE_D_SECURE)
def test_the_test_cards_of_3d_secure(client: Client, running: Running, number: str) -> None:
    expected = THREE_D_SECURE[number]
    created = pay(client, number, secured(number))
    assert (created.status == "PAYER_ACTION_REQUIRED") == expected.challenge
    if expected.challenge:
        visit(running, created)
    shown = call(running, "GET", f"/v2/checkout/orders/{created.id}")[2]["payment_source"]["card"]
    assert shown["authentication_result"] == expected.body()
    assert (moved(running, number) == []) == expected.challenge


def test_any_card_is_challenged_when_that_is_asked_for(client: Client) -> None:
    assert pay(client, "always", secured(CARD["number"], "SCA_ALWAYS")).status == "PAYER_ACTION_REQUIRED"
    assert pay(client, "when", secured(CARD["number"])).status == "COMPLETED"
    assert pay(client, "never", card(number=CHALLENGED)).status == "COMPLETED"


@pytest.mark.parametrize("kind", ["apple_pay", "google_pay"])
def test_the_wallets_of_phones(client: Client, running: Running, kind: str) -> None:
    created = client.create(kind)
    source = {kind: {"name": "John Doe"}}
    confirm = client.orders.confirm_order
    assert confirm({"id": created.id, "body": {"payment_source": source}}).body.status == "APPROVED"
    again = {"id": created.id, "body": {"payment_source": source}}
    assert issue(confirm, again) == (422, "PAYMENT_ALREADY_APPROVED")
    paid = client.orders.capture_order({"id": created.id, "prefer": "return=representation"}).body
    assert paid.status == "COMPLETED" and moved(running, kind) == [("capture", 1290)]
    assert getattr(paid.payment_source, kind).name == "John Doe"
    assert issue(confirm, again) == (422, "ORDER_ALREADY_COMPLETED")
    at_once = (
        {"id": "x", "vault_id": "v"}
        if kind == "apple_pay"
        else {"decrypted_token": {"payment_method": "CARD"}}
    )
    body = order_request(f"{kind}-2", payment_source={kind: at_once})
    status, _, answer = call(running, "POST", "/v2/checkout/orders", body, {"PayPal-Request-Id": kind})
    assert (status, answer["status"]) == (201, "COMPLETED")
    waiting = order_request(f"{kind}-3", payment_source=source)
    assert call(running, "POST", "/v2/checkout/orders", waiting)[2]["status"] == "CREATED"
    declined = client.create(f"{kind}-no")
    confirm({"id": declined.id, "body": {"payment_source": {kind: {"name": "CCREJECT-IF"}}}})
    capture = client.orders.capture_order({"id": declined.id}).body.purchase_units[0].payments.captures[0]
    assert (capture.status, capture.processor_response.response_code) == ("DECLINED", "5120")


def test_a_source_is_confirmed_or_given_with_the_capture(client: Client, running: Running) -> None:
    created = client.create("confirm")
    body = {"payment_source": {"paypal": {"email_address": "a@example.test"}}}
    confirmed = client.orders.confirm_order({"id": created.id, "body": body}).body
    assert confirmed.status == "PAYER_ACTION_REQUIRED"
    visit(running, confirmed)
    assert client.orders.capture_order({"id": created.id}).body.status == "COMPLETED"
    late = client.create("late-card")
    options: dict[str, Any] = {"id": late.id, "body": {"payment_source": card()}}
    assert client.orders.capture_order(options).body.status == "COMPLETED"
    assert moved(running, "late-card") == [("capture", 1290)]
    challenged = client.create("late-3ds")
    options = {"id": challenged.id, "body": {"payment_source": secured(CHALLENGED)}}
    assert issue(client.orders.capture_order, options) == (422, "PAYER_ACTION_REQUIRED")
    shown = client.orders.get_order({"id": challenged.id}).body
    assert shown.status == "PAYER_ACTION_REQUIRED" and moved(running, "late-3ds") == []
    visit(running, shown)
    assert client.orders.capture_order({"id": challenged.id}).body.status == "COMPLETED"
    nothing = call(running, "POST", f"/v2/checkout/orders/{challenged.id}/confirm-payment-source", {})
    assert (nothing[0], nothing[2]["details"][0]["issue"]) == (422, "NO_PAYMENT_SOURCE_PROVIDED")


def test_one_source_at_most(running: Running) -> None:
    body = order_request("both", payment_source={"paypal": {}, **card()})
    status, _, answer = call(running, "POST", "/v2/checkout/orders", body)
    assert (status, answer["details"][0]["issue"]) == (422, "ONLY_ONE_PAYMENT_SOURCE_ALLOWED")


def test_no_card_number_is_kept(client: Client, running: Running) -> None:
    pay(client, "secret", card())
    payloads = b"".join(event.payload() for event in running.gateway.outbox)
    assert b"4111111111111111" not in payloads and b'"last_digits":"1111"' in payloads
    assert "4111111111111111" not in repr(running.writer.records)
    assert "4111111111111111" not in repr(list(running.gateway.orders))  # type: ignore[attr-defined]
