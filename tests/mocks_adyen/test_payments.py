"""The Adyen mock through Adyen's own SDK."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from Adyen.exceptions import (
    AdyenAPIInvalidPermission,
    AdyenAPIUnprocessableEntity,
)

from mocks.gateways.adyen.cards import HOLDER_NAMES
from tests.mocks.running import Running, adyen_call, adyen_payment
from tests.mocks_adyen.sdk import moved, sdk


def refund(checkout: Any, psp: str, value: int, **more: Any) -> Any:
    body = {"merchantAccount": "PaydrillECOM", "amount": {"currency": "EUR", "value": value}, **more}
    return checkout.modifications_api.refund_captured_payment(body, psp)


def test_payment_is_authorised_and_captured(checkout: Any, running: Running) -> None:
    result = checkout.payments_api.payments(adyen_payment("pay"))
    assert result.status_code == 200
    message = result.message
    assert message["resultCode"] == "Authorised" and message["merchantReference"] == "pay"
    assert re.fullmatch(r"[A-Z0-9]{16}", message["pspReference"])
    assert message["amount"] == {"currency": "EUR", "value": 1290}
    assert moved(running, "pay") == [("capture", 1290)]
    movement = next(m for m in running.movements if m.order_id == "pay")
    assert (movement.gateway, movement.reference) == ("adyen", message["pspReference"])
    request = running.requests[-1]
    assert (request.endpoint, request.result, request.order_id) == ("payments", "succeeded", "pay")


@pytest.mark.parametrize(
    ("holder", "result_code", "reason", "code"),
    [
        ("DECLINED", "Refused", "Refused", "2"),
        ("ERROR", "Error", "Acquirer Error", "4"),
        ("CARD_EXPIRED", "Refused", "Expired Card", "6"),
        ("NOT_ENOUGH_BALANCE", "Refused", "Not enough balance", "12"),
        ("CVC_DECLINED", "Refused", "CVC Declined", "24"),
        ("FRAUD_CANCELLED", "Cancelled", "FRAUD-CANCELLED", "22"),
    ],
)
def test_refusals_are_http_200(
    checkout: Any, running: Running, holder: str, result_code: str, reason: str, code: str
) -> None:
    by_name = checkout.payments_api.payments(adyen_payment(holder, holderName=holder))
    body = adyen_payment(holder) | {"additionalData": {"RequestedTestAcquirerResponseCode": int(code)}}
    by_code = checkout.payments_api.payments(body)
    for result in (by_name, by_code):
        assert result.status_code == 200
        assert result.message["resultCode"] == result_code
        assert result.message["refusalReason"] == reason
        assert result.message["refusalReasonCode"] == code
    assert moved(running, holder) == []
    assert running.requests[-1].result == ("error" if result_code == "Error" else "declined")


def test_every_trigger_but_one_refuses(checkout: Any, running: Running) -> None:
    approved = []
    for holder in HOLDER_NAMES:
        result = checkout.payments_api.payments(adyen_payment("triggers", holderName=holder))
        if result.message["resultCode"] == "Authorised":
            approved.append(holder)
    assert approved == ["APPROVED"]
    assert moved(running, "triggers") == [("capture", 1290)]


def test_card_numbers(checkout: Any) -> None:
    plain = adyen_payment("plain", number="5555444433331111")
    del plain["paymentMethod"]["encryptedCardNumber"]
    assert checkout.payments_api.payments(plain).message["paymentMethod"]["brand"] == "mc"
    unpublished = adyen_payment("u", encryptedCardNumber="test_4012888888881881")
    assert checkout.payments_api.payments(unpublished).message["refusalReason"] == "Invalid Card Number"
    for number in ("test_4111111111111112", "test_", "test_abc", "test_²²²²²²²²²²", "adyenjs_0_1_25$x"):
        with pytest.raises(AdyenAPIUnprocessableEntity):
            checkout.payments_api.payments(adyen_payment("bad", encryptedCardNumber=number))


def test_refund_whole_in_parts_and_too_much(checkout: Any, running: Running) -> None:
    psp = checkout.payments_api.payments(adyen_payment("refund")).message["pspReference"]
    first = refund(checkout, psp, 1000, reference="back-1")
    assert first.status_code == 201
    assert first.message["status"] == "received"
    assert first.message["paymentPspReference"] == psp
    assert first.message["reference"] == "back-1"
    assert moved(running, "refund") == [("capture", 1290), ("refund", 1000)]
    too_much = refund(checkout, psp, 291)
    assert too_much.message["status"] == "received"
    assert running.requests[-1].result == "error"
    assert moved(running, "refund") == [("capture", 1290), ("refund", 1000)]
    refund(checkout, psp, 290)
    assert moved(running, "refund")[-1] == ("refund", 290)
    assert running.movements[-1].parent == psp
    assert running.requests[-1].order_id == "refund"


def test_refund_of_nothing_known(checkout: Any, running: Running) -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        refund(checkout, "NONE000000000000", 100)
    assert caught.value.error_code == "167"
    psp = checkout.payments_api.payments(adyen_payment("other")).message["pspReference"]
    dollars = {"merchantAccount": "PaydrillECOM", "amount": {"currency": "USD", "value": 1}}
    with pytest.raises(AdyenAPIUnprocessableEntity):
        checkout.modifications_api.refund_captured_payment(dollars, psp)
    with pytest.raises(AdyenAPIInvalidPermission):
        refund(checkout, psp, 1, merchantAccount="Another")
    assert moved(running, "other") == [("capture", 1290)]


def test_replay_of_a_key_gives_the_outcome(checkout: Any, running: Running) -> None:
    first = checkout.payments_api.payments(adyen_payment("replay"), idempotency_key="a-replay")
    again = checkout.payments_api.payments(adyen_payment("replay"), idempotency_key="a-replay")
    assert again.message == first.message
    assert moved(running, "replay") == [("capture", 1290)]
    assert [r.replayed for r in running.requests if r.idempotency_key == "a-replay"] == [False, True]
    declined = adyen_payment("replay-declined", holderName="DECLINED")
    results = [checkout.payments_api.payments(declined, idempotency_key="a-d").message for _ in range(2)]
    assert results[0] == results[1]


def test_same_key_with_another_body(checkout: Any, running: Running) -> None:
    checkout.payments_api.payments(adyen_payment("mismatch"), idempotency_key="a-mismatch")
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments(adyen_payment("mismatch", 1291), idempotency_key="a-mismatch")
    assert caught.value.error_code == "704"
    assert "Transient-Error" not in caught.value.headers
    assert moved(running, "mismatch") == [("capture", 1290)]


def test_key_in_use_is_transient() -> None:
    # Answers take 5 s, refusals a tenth of that: the second is refused long before the first is answered.
    with Running("adyen", p50_ms=5000) as running:
        first = running.connection()
        first.request("POST", "/v72/payments", body=_json("in-use"), headers=_headers("a-in-use"))
        running.until(lambda: len(running.gateway.keys) == 1, "the first request has its key")
        with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
            sdk(running).payments_api.payments(adyen_payment("in-use"), idempotency_key="a-in-use")
        assert caught.value.error_code == "704"
        assert caught.value.headers["Transient-Error"] == "true"
        first.close()


def test_the_key_is_echoed(running: Running) -> None:
    connection = running.connection()
    for _ in range(2):
        status, headers, _body = adyen_call(connection, "/v71/payments", adyen_payment("e"), key="a-echo")
        assert status == 200 and headers["idempotency-key"] == "a-echo"
    status, headers, body = adyen_call(connection, "/v71/payments", adyen_payment("e"), key="k" * 65)
    assert status == 422 and body["errorType"] == "validation"
    connection.close()


def test_any_version_of_the_path_is_the_same_endpoint(running: Running) -> None:
    connection = running.connection()
    first = adyen_call(connection, "/v71/payments", adyen_payment("version"), key="a-version")
    again = adyen_call(connection, "/v72/payments", adyen_payment("version"), key="a-version")
    assert first[2]["pspReference"] == again[2]["pspReference"]
    connection.close()


def test_wrong_requests(checkout: Any, running: Running) -> None:
    for change, error, code in (
        ({"merchantAccount": ""}, AdyenAPIInvalidPermission, "901"),
        ({"amount": None}, AdyenAPIUnprocessableEntity, "100"),
        ({"amount": {"currency": "EUR", "value": -1}}, AdyenAPIUnprocessableEntity, "137"),
        ({"amount": {"currency": "EUR", "value": 12.9}}, AdyenAPIUnprocessableEntity, "137"),
        ({"amount": {"currency": "EURO", "value": 1}}, AdyenAPIUnprocessableEntity, "138"),
        ({"reference": ""}, AdyenAPIUnprocessableEntity, "130"),
        ({"paymentMethod": None}, AdyenAPIUnprocessableEntity, "14_006"),
        ({"paymentMethod": {"type": "ideal"}}, AdyenAPIUnprocessableEntity, "14_006"),
    ):
        with pytest.raises(error) as caught:
            checkout.payments_api.payments(adyen_payment("wrong") | change)
        assert caught.value.error_code == code
        assert caught.value.message["status"] == caught.value.status_code
    assert moved(running, "wrong") == []
    connection = running.connection()
    for body in (b"{", b"[]", b"\xff"):
        assert adyen_call(connection, "/v72/payments", body)[0] == 400
    connection.close()


def test_no_key_is_401_and_no_path_404(running: Running) -> None:
    connection = running.connection()
    status, _, body = adyen_call(connection, "/v72/payments", adyen_payment(), headers={"X-API-Key": ""})
    assert (status, body["errorCode"], body["errorType"]) == (401, "000", "security")
    assert adyen_call(connection, "/v72/paymentMethods", {})[0] == 404
    connection.close()


def _json(order: str) -> bytes:
    return json.dumps(adyen_payment(order)).encode()


def _headers(key: str) -> dict[str, str]:
    return {"X-API-Key": "key", "Content-Type": "application/json", "Idempotency-Key": key}
