"""What goes over the wire: the properties of the published document, and whatever a client may send."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.adyen.application import Adyen
from mocks.gateways.adyen.errors import AdyenError
from mocks.gateways.adyen.modifications import payment_reference_of
from mocks.gateways.adyen.request import payment_request
from mocks.inprocess import gateways
from mocks.latency import Latency
from tests.mocks.running import Running, adyen_call, adyen_payment
from tests.mocks_adyen.sdk import modification

# The properties that Adyen's published document (CheckoutService-v72) has for each answer, and of them
# those that it requires. It allows no others.
RESULT_CODES = {
    "AuthenticationFinished",
    "AuthenticationNotRequired",
    "Authorised",
    "Cancelled",
    "ChallengeShopper",
    "Error",
    "IdentifyShopper",
    "PartiallyAuthorised",
    "Pending",
    "PresentToShopper",
    "Received",
    "RedirectShopper",
    "Refused",
    "Success",
}
PAYMENT = {
    "action",
    "additionalData",
    "amount",
    "donationToken",
    "fraudResult",
    "merchantReference",
    "order",
    "paymentMethod",
    "paymentValidations",
    "pspReference",
    "refusalReason",
    "refusalReasonCode",
    "resultCode",
    "threeDS2ResponseData",
    "threeDS2Result",
    "threeDSPaymentData",
}
REDIRECT = {"data", "method", "paymentMethodType", "type", "url"}
THREE_DS2 = {"authorisationToken", "paymentData", "paymentMethodType", "subtype", "token", "type", "url"}
ERROR = {"additionalData", "errorCode", "errorType", "message", "pspReference", "status"}
MODIFIED = {"merchantAccount", "paymentPspReference", "pspReference", "status"}


def secured(native: bool) -> dict[str, Any]:
    request = {"nativeThreeDS": "preferred" if native else "disabled"}
    return adyen_payment("secured", encryptedCardNumber="test_4212345678901237") | {
        "returnUrl": "https://shop.example.test",
        "authenticationData": {"threeDSRequestData": request},
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (adyen_payment(), "Authorised"),
        (adyen_payment(holderName="BLOCK_CARD : 41 : Lost card"), "Refused"),
        (adyen_payment(holderName="ERROR"), "Error"),
        (adyen_payment(holderName="PENDING"), "Pending"),
        (
            adyen_payment()
            | {"paymentMethod": {"type": "applepay", "applePayToken": "test_4111111111111111"}},
            "Authorised",
        ),
        (secured(native=False), "RedirectShopper"),
        (secured(native=True), "IdentifyShopper"),
    ],
)
def test_payments_have_the_published_properties(running: Running, body: dict[str, Any], code: str) -> None:
    connection = running.connection()
    status, _, answer = adyen_call(connection, "/v72/payments", body)
    connection.close()
    assert status == 200
    assert answer.keys() <= PAYMENT
    assert answer["resultCode"] == code and code in RESULT_CODES
    action = answer.get("action")
    if action is not None:
        assert action.keys() <= (REDIRECT if action["type"] == "redirect" else THREE_DS2)
    assert all(isinstance(value, str) for value in answer.get("additionalData", {}).values())


def test_modifications_have_the_published_properties(running: Running) -> None:
    connection = running.connection()
    manual = adyen_payment("wire") | {"additionalData": {"manualCapture": "true"}}
    psp = adyen_call(connection, "/v72/payments", manual)[2]["pspReference"]
    for path, body, required in (
        (f"/payments/{psp}/captures", modification(1), {*MODIFIED, "amount"}),
        (f"/payments/{psp}/refunds", modification(1), {*MODIFIED, "amount"}),
        (f"/payments/{psp}/cancels", modification(), MODIFIED),
        (f"/payments/{psp}/reversals", modification(), MODIFIED),
        (
            "/cancels",
            modification(paymentReference="wire"),
            {"merchantAccount", "paymentReference", "pspReference", "status"},
        ),
    ):
        for sent in (body, body | {"reference": "mine"}):
            status, _, answer = adyen_call(connection, "/v72" + path, sent)
            assert status == 201 and answer["status"] == "received"
            assert answer.keys() == ({*required, "reference"} if "reference" in sent else required)
    connection.close()


def test_errors_have_the_published_properties(running: Running) -> None:
    connection = running.connection()
    for path, body, status in (
        ("/v72/payments", b"{", 400),
        ("/v72/payments", {}, 403),
        ("/v72/payments/details", {}, 422),
        ("/v72/payments/X/captures", modification(1), 422),
        ("/v72/cancels", modification(), 422),
        ("/v72/cancels", {}, 403),
        ("/v72/nothing", {}, 404),
    ):
        answered, _, answer = adyen_call(connection, path, body)
        assert answered == status == answer["status"]
        assert answer.keys() <= ERROR and answer["errorType"] in ("validation", "security")
    connection.close()


def test_get_is_no_way_to_pay(running: Running) -> None:
    for path in ("/v72/payments", "/v72/payments/details", "/v72/cancels"):
        assert httpx.get(running.url + path, headers={"X-API-Key": "k"}).status_code == 404


def test_the_redirect_works_in_process() -> None:
    with gateways("adyen") as mocked, httpx.Client(headers={"X-API-Key": "k"}) as client:
        url = "https://checkout-test.adyen.com/v72/payments"
        action = client.post(url, json=secured(native=False)).json()["action"]
        back = client.get(action["url"])
        result = httpx.URL(back.headers["location"]).params["redirectResult"]
        answer = client.post(url + "/details", json={"details": {"redirectResult": result}}).json()
        assert answer["resultCode"] == "Authorised"
        assert [m.order_id for m in mocked.adyen.ledger] == ["secured"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = (
    "merchantAccount",
    "reference",
    "amount",
    "paymentMethod",
    "additionalData",
    "authenticationData",
    "captureDelayHours",
    "returnUrl",
    "details",
    "paymentData",
    "paymentReference",
)
_CARD = ("type", "number", "encryptedCardNumber", "holderName", "applePayToken", "googlePayToken")
_DETAILS = ("redirectResult", "threeDSResult", "threeds2.fingerprint", "threeds2.challengeResult")


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(_FIELDS), _JSON),
    st.none() | st.dictionaries(st.sampled_from(_CARD), _JSON),
    st.none() | st.dictionaries(st.sampled_from(_DETAILS), _JSON | st.just("e30=")),
)
def test_any_json_is_taken_or_refused_as_adyen_refuses(
    change: dict[str, Any], card: dict[str, Any] | None, details: dict[str, Any] | None
) -> None:
    body: dict[str, Any] = adyen_payment() | change
    if card is not None:
        body["paymentMethod"] = adyen_payment()["paymentMethod"] | card
    if details is not None:
        body["details"] = details
    gateway = Adyen("adyen", Latency(0, 0), 1)
    with contextlib.suppress(AdyenError):
        gateway.payments.make("P", payment_request(body), 0)
    with contextlib.suppress(AdyenError):
        payment_reference_of(body)
    waiting = adyen_payment(encryptedCardNumber="test_4035501428146300")
    waiting["authenticationData"] = {"threeDSRequestData": {"nativeThreeDS": "preferred"}}
    asked = json.loads(gateway.authentications.begin("Q", payment_request(waiting), "http://h:1").body)
    for sent in (body, body | {"paymentData": asked["action"]["paymentData"]}):
        try:
            found = gateway.authentications.find(sent)
            gateway.authentications.finish(found, sent, 0)
        except AdyenError as error:
            assert error.status == 422
