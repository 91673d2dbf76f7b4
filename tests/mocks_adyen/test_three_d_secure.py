"""3-D Secure, pending payments and wallets through Adyen's own SDK and a shopper's browser."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from Adyen.exceptions import AdyenAPIUnprocessableEntity

from mocks.gateways.adyen.application import Adyen
from mocks.gateways.adyen.cards import NOT_AUTHENTICATED
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import moved, outcomes

REDIRECTED = "test_4212345678901237"
RETURN = "https://shop.example.test/return?order=1#top"


def secured(order: str, **more: Any) -> dict[str, Any]:
    return adyen_payment(order, encryptedCardNumber=REDIRECTED) | {"returnUrl": RETURN} | more


def native(order: str, **method: Any) -> dict[str, Any]:
    body = adyen_payment(order, encryptedCardNumber="test_4035501428146300", **method)
    return body | {"authenticationData": {"threeDSRequestData": {"nativeThreeDS": "preferred"}}}


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def visit(url: str, outcome: str = "") -> str:
    """The shopper's visit; what returns to the shop."""
    answer = httpx.get(url + (f"&outcome={outcome}" if outcome else ""))
    assert answer.status_code == 302
    location = urlsplit(answer.headers["location"])
    assert location.netloc == "shop.example.test" and location.fragment == "top"
    query = parse_qs(location.query)
    assert query["order"] == ["1"]
    return query["redirectResult"][0]


def details(checkout: Any, **more: Any) -> Any:
    return checkout.payments_api.payments_details(more).message


def test_redirect(checkout: Any, running: Running) -> None:
    asked = checkout.payments_api.payments(secured("redirect")).message
    assert asked["resultCode"] == "RedirectShopper"
    action = asked["action"]
    assert (action["type"], action["method"], action["paymentMethodType"]) == ("redirect", "GET", "scheme")
    assert action["url"].startswith(running.url)
    assert moved(running, "redirect") == [] and outcomes(running, "redirect") == []
    result = visit(action["url"])
    assert moved(running, "redirect") == []
    answer = details(checkout, details={"redirectResult": result})
    assert answer["resultCode"] == "Authorised"
    assert answer["pspReference"] == asked["pspReference"]
    assert answer["merchantReference"] == "redirect"
    assert moved(running, "redirect") == [("capture", 1290)]
    request = running.requests[-1]
    assert (request.endpoint, request.result, request.order_id) == (
        "payments.details",
        "succeeded",
        "redirect",
    )
    assert details(checkout, details={"redirectResult": result}) == answer
    again = visit(action["url"], "failed")
    assert details(checkout, details={"redirectResult": again}) == answer
    assert moved(running, "redirect") == [("capture", 1290)]
    assert outcomes(running, "redirect") == [("AUTHORISATION", "true")]


@pytest.mark.parametrize(
    ("outcome", "result_code", "code"), [("failed", "Refused", "11"), ("canceled", "Cancelled", "16")]
)
def test_shopper_fails(checkout: Any, running: Running, outcome: str, result_code: str, code: str) -> None:
    asked = checkout.payments_api.payments(secured(outcome)).message
    answer = details(checkout, details={"redirectResult": visit(asked["action"]["url"], outcome)})
    assert (answer["resultCode"], answer["refusalReasonCode"]) == (result_code, code)
    assert moved(running, outcome) == []
    assert outcomes(running, outcome) == [("AUTHORISATION", "false")]


def test_a_card_can_be_refused_after_its_shopper_was_authenticated(checkout: Any, running: Running) -> None:
    body = secured("then-refused")
    body["paymentMethod"]["holderName"] = "NOT_ENOUGH_BALANCE"
    asked = checkout.payments_api.payments(body).message
    answer = details(checkout, details={"redirectResult": visit(asked["action"]["url"])})
    assert (answer["resultCode"], answer["refusalReasonCode"]) == ("Refused", "12")
    assert moved(running, "then-refused") == []


def test_manual_capture_after_a_redirect(checkout: Any, running: Running) -> None:
    asked = checkout.payments_api.payments(
        secured("3ds-manual", additionalData={"manualCapture": "true"})
    ).message
    details(checkout, details={"redirectResult": visit(asked["action"]["url"])})
    assert moved(running, "3ds-manual") == []
    body = {"merchantAccount": "PaydrillECOM", "amount": {"currency": "EUR", "value": 1290}}
    checkout.modifications_api.capture_authorised_payment(body, asked["pspReference"])
    assert moved(running, "3ds-manual") == [("capture", 1290)]


def test_no_authentication_when_it_is_not_wanted(checkout: Any, running: Running) -> None:
    body = secured("never", authenticationData={"attemptAuthentication": "never"})
    assert checkout.payments_api.payments(body).message["resultCode"] == "Authorised"
    assert moved(running, "never") == [("capture", 1290)]


def test_native_flow_by_steps(checkout: Any, running: Running) -> None:
    asked = checkout.payments_api.payments(native("native")).message
    assert asked["resultCode"] == "IdentifyShopper"
    assert (asked["action"]["type"], asked["action"]["subtype"]) == ("threeDS2", "fingerprint")
    data = asked["action"]["paymentData"]
    fingerprint = encoded({"threeDSCompInd": "Y"})
    challenge = details(checkout, paymentData=data, details={"threeds2.fingerprint": fingerprint})
    assert challenge["resultCode"] == "ChallengeShopper"
    assert challenge["action"]["subtype"] == "challenge"
    data = challenge["action"]["paymentData"]
    assert moved(running, "native") == []
    done = {"threeds2.challengeResult": encoded({"transStatus": "Y"})}
    answer = details(checkout, paymentData=data, details=done)
    assert answer["resultCode"] == "Authorised" and len(answer["pspReference"]) == 16
    assert moved(running, "native") == [("capture", 1290)]
    assert running.requests[-1].order_id == "native"


@pytest.mark.parametrize(
    ("status", "result_code"), [("Y", "Authorised"), ("A", "Authorised"), ("N", "Refused")]
)
def test_native_flow_by_the_component(checkout: Any, running: Running, status: str, result_code: str) -> None:
    order = f"component-{status}"
    action = checkout.payments_api.payments(native(order)).message["action"]
    result = encoded({"transStatus": status, "authorisationToken": action["authorisationToken"]})
    answer = details(checkout, details={"threeDSResult": result})
    assert answer["resultCode"] == result_code
    assert moved(running, order) == ([("capture", 1290)] if result_code == "Authorised" else [])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "14_002"),
        ({"details": {}}, "14_002"),
        ({"details": {"redirectResult": "nobody's"}}, "14_003"),
        ({"paymentData": "nobody's", "details": {"threeds2.fingerprint": "e30="}}, "14_003"),
        ({"details": {"threeDSResult": "!"}}, "174"),
        ({"details": {"threeDSResult": "MTI="}}, "174"),
        ({"details": {"threeDSResult": "e30="}}, "14_002"),
    ],
)
def test_wrong_details(checkout: Any, body: dict[str, Any], code: str) -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments_details(body)
    assert caught.value.error_code == code


def test_a_redirect_is_not_finished_by_the_native_flow(checkout: Any, running: Running) -> None:
    url = checkout.payments_api.payments(secured("mixed")).message["action"]["url"]
    body = {
        "paymentData": parse_qs(urlsplit(url).query)["MD"][0],
        "details": {"threeds2.challengeResult": encoded({"transStatus": "Y"})},
    }
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments_details(body)
    assert caught.value.error_code == "14_003"
    assert moved(running, "mixed") == []


def test_details_that_hold_nothing(checkout: Any) -> None:
    data = checkout.payments_api.payments(native("nothing")).message["action"]["paymentData"]
    for wrong in ({}, {"threeds2.fingerprint": "?"}, {"threeds2.challengeResult": 1}):
        with pytest.raises(AdyenAPIUnprocessableEntity):
            checkout.payments_api.payments_details({"paymentData": data, "details": wrong})


def test_a_return_url_is_needed_and_is_no_way_into_the_headers(checkout: Any, running: Running) -> None:
    body = secured("no-url")
    del body["returnUrl"]
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments(body)
    assert caught.value.error_code == "14_030"
    body = secured("header", returnUrl="https://shop.example.test/\r\nX-Forged: 1")
    url = checkout.payments_api.payments(body).message["action"]["url"]
    answer = httpx.get(url)
    assert answer.status_code == 302 and "x-forged" not in answer.headers
    assert httpx.get(running.url + "/checkoutshopper/threeDS/redirect?MD=nobody").status_code == 404
    assert httpx.get(url + "&outcome=perhaps").status_code == 422


def test_pending_is_settled_later(checkout: Any, running: Running) -> None:
    answer = checkout.payments_api.payments(adyen_payment("pending", holderName="PENDING")).message
    assert answer["resultCode"] == "Pending"
    assert running.requests[-1].result == "processing"
    body = {"merchantAccount": "PaydrillECOM", "amount": {"currency": "EUR", "value": 1290}}
    checkout.modifications_api.refund_captured_payment(body, answer["pspReference"])
    assert moved(running, "pending") == []
    running.thread.call(lambda: running.gateway.mock_clock.advance(61))
    assert moved(running, "pending") == [("capture", 1290)]
    assert outcomes(running, "pending") == [("REFUND", "false"), ("AUTHORISATION", "true")]


@pytest.mark.parametrize("refused", [True, False])
def test_a_pending_payment_is_settled_once(checkout: Any, running: Running, refused: bool) -> None:
    order = f"settled-{refused}"
    psp = checkout.payments_api.payments(adyen_payment(order, holderName="PENDING")).message["pspReference"]
    gateway = running.gateway
    assert isinstance(gateway, Adyen)
    payment = gateway.payments.find(psp)
    refusal = NOT_AUTHENTICATED if refused else None
    running.thread.call(lambda: gateway.payments.settle(payment, refusal, 0))
    running.thread.call(lambda: gateway.payments.settle(payment, None, 0))
    running.thread.call(lambda: gateway.mock_clock.advance(61))
    assert moved(running, order) == ([] if refused else [("capture", 1290)])
    assert outcomes(running, order) == [("AUTHORISATION", "false" if refused else "true")]


@pytest.mark.parametrize(
    ("kind", "field"),
    [("applepay", "applePayToken"), ("googlepay", "googlePayToken"), ("paywithgoogle", "googlePayToken")],
)
def test_wallets(checkout: Any, running: Running, kind: str, field: str) -> None:
    def pay(order: str, token: object, **more: Any) -> Any:
        body = adyen_payment(order) | {"paymentMethod": {"type": kind, field: token}} | more
        return checkout.payments_api.payments(body).message

    answer = pay(kind, "test_4111111145551142")
    assert answer["resultCode"] == "Authorised" and answer["paymentMethod"] == {"type": kind}
    assert moved(running, kind) == [("capture", 1290)]
    declined = pay(kind, "test_4111111145551142", additionalData={"RequestedTestAcquirerResponseCode": "2"})
    assert declined["resultCode"] == "Refused"
    for token in ("encrypted", "", None, "test_1"):
        with pytest.raises(AdyenAPIUnprocessableEntity):
            pay(kind, token)
    assert moved(running, kind) == [("capture", 1290)]
