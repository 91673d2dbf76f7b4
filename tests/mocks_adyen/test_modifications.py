"""Captures, cancellations, refunds and reversals through Adyen's own SDK, with the webhooks that follow."""

from __future__ import annotations

from typing import Any

import pytest
from Adyen.exceptions import AdyenAPIInvalidPermission, AdyenAPIUnprocessableEntity

from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import modification, moved, outcomes, told

MANUAL = {"additionalData": {"manualCapture": "true"}}
AUTHORISED = ("AUTHORISATION", "true")


def authorise(checkout: Any, order: str, **more: Any) -> str:
    message = checkout.payments_api.payments(adyen_payment(order) | MANUAL | more).message
    assert message["resultCode"] == "Authorised"
    return str(message["pspReference"])


def capture(checkout: Any, psp: str, value: int, **more: Any) -> Any:
    return checkout.modifications_api.capture_authorised_payment(modification(value, **more), psp)


def cancel(checkout: Any, psp: str) -> Any:
    return checkout.modifications_api.cancel_authorised_payment_by_psp_reference(modification(), psp)


def refund(checkout: Any, psp: str, value: int) -> Any:
    return checkout.modifications_api.refund_captured_payment(modification(value), psp)


def reverse(checkout: Any, psp: str, **more: Any) -> Any:
    return checkout.modifications_api.refund_or_cancel_payment(modification(**more), psp)


def test_capture_apart(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "apart")
    assert moved(running, "apart") == []
    answer = capture(checkout, psp, 1290, reference="capture-1")
    assert answer.status_code == 201
    assert answer.message["pspReference"] != psp
    assert {k: answer.message[k] for k in ("status", "paymentPspReference", "reference", "amount")} == {
        "status": "received",
        "paymentPspReference": psp,
        "reference": "capture-1",
        "amount": {"currency": "EUR", "value": 1290},
    }
    assert moved(running, "apart") == [("capture", 1290)]
    assert running.movements[-1].reference == psp
    assert outcomes(running, "apart") == [AUTHORISED, ("CAPTURE", "true")]
    assert told(running, "apart")[-1]["originalReference"] == psp
    assert told(running, "apart")[-1]["pspReference"] == answer.message["pspReference"]


def test_partial_capture_gives_up_the_rest(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "part")
    capture(checkout, psp, 1000)
    capture(checkout, psp, 290)
    assert running.requests[-1].result == "error"
    refund(checkout, psp, 1001)
    refund(checkout, psp, 1000)
    assert moved(running, "part") == [("capture", 1000), ("refund", 1000)]
    assert outcomes(running, "part") == [
        AUTHORISED,
        ("CAPTURE", "true"),
        ("CAPTURE", "false"),
        ("REFUND", "false"),
        ("REFUND", "true"),
    ]


def test_a_capture_beyond_the_authorisation_takes_nothing(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "beyond")
    assert capture(checkout, psp, 1291).message["status"] == "received"
    assert moved(running, "beyond") == []
    capture(checkout, psp, 1290)
    assert moved(running, "beyond") == [("capture", 1290)]
    assert outcomes(running, "beyond") == [AUTHORISED, ("CAPTURE", "false"), ("CAPTURE", "true")]


def test_a_capture_of_what_was_captured_by_itself_charges_nothing(checkout: Any, running: Running) -> None:
    psp = checkout.payments_api.payments(adyen_payment("twice")).message["pspReference"]
    capture(checkout, psp, 1290)
    assert moved(running, "twice") == [("capture", 1290)]


def test_a_replayed_capture_is_one(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "replayed")
    api = checkout.modifications_api
    answers = [
        api.capture_authorised_payment(modification(500), psp, idempotency_key="c-1").message
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert moved(running, "replayed") == [("capture", 500)]
    assert outcomes(running, "replayed") == [AUTHORISED, ("CAPTURE", "true")]
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        api.capture_authorised_payment(modification(501), psp, idempotency_key="c-1")
    assert caught.value.error_code == "704"


def test_delayed_capture(checkout: Any, running: Running) -> None:
    message = checkout.payments_api.payments(adyen_payment("delayed") | {"captureDelayHours": 2}).message
    early = checkout.payments_api.payments(adyen_payment("early") | {"captureDelayHours": 2}).message
    gone = checkout.payments_api.payments(adyen_payment("gone") | {"captureDelayHours": 2}).message
    capture(checkout, early["pspReference"], 1000)
    cancel(checkout, gone["pspReference"])
    running.thread.call(lambda: running.gateway.mock_clock.advance(7000))
    assert moved(running, "delayed") == []
    running.thread.call(lambda: running.gateway.mock_clock.advance(300))
    assert moved(running, "delayed") == [("capture", 1290)]
    assert moved(running, "early") == [("capture", 1000)]
    assert moved(running, "gone") == []
    refund(checkout, message["pspReference"], 1290)
    assert moved(running, "delayed")[-1] == ("refund", 1290)


@pytest.mark.parametrize("hours", [-1, 673, "1", True])
def test_wrong_delays(checkout: Any, hours: object) -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity):
        checkout.payments_api.payments(adyen_payment("hours") | {"captureDelayHours": hours})


def test_cancel(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "cancel")
    answer = cancel(checkout, psp)
    assert answer.status_code == 201 and answer.message["status"] == "received"
    assert "amount" not in answer.message
    capture(checkout, psp, 1290)
    cancel(checkout, psp)
    refund(checkout, psp, 1290)
    assert moved(running, "cancel") == []
    assert outcomes(running, "cancel") == [
        AUTHORISED,
        ("CANCELLATION", "true"),
        ("CAPTURE", "false"),
        ("CANCELLATION", "false"),
        ("REFUND", "false"),
    ]
    assert told(running, "cancel")[-1]["reason"] == "Transaction hasn't been captured, refund not possible"


def test_a_captured_payment_is_not_cancelled(checkout: Any, running: Running) -> None:
    psp = checkout.payments_api.payments(adyen_payment("late")).message["pspReference"]
    cancel(checkout, psp)
    refund(checkout, psp, 1290)
    assert moved(running, "late") == [("capture", 1290), ("refund", 1290)]
    assert outcomes(running, "late") == [AUTHORISED, ("CANCELLATION", "false"), ("REFUND", "true")]


def test_cancel_by_own_reference(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "own")
    api = checkout.modifications_api
    answer = api.cancel_authorised_payment(modification(paymentReference="own", reference="c"))
    assert answer.status_code == 201
    assert answer.message["paymentReference"] == "own" and answer.message["reference"] == "c"
    capture(checkout, psp, 1290)
    assert moved(running, "own") == []
    assert outcomes(running, "own") == [AUTHORISED, ("TECHNICAL_CANCEL", "true"), ("CAPTURE", "false")]
    assert api.cancel_authorised_payment(modification(paymentReference="nobody's")).message["status"] == (
        "received"
    )
    assert running.requests[-1].result == "error"
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        api.cancel_authorised_payment(modification())
    assert caught.value.error_code == "14_002"


def test_the_newest_payment_of_a_reference_is_cancelled(checkout: Any, running: Running) -> None:
    older, newer = (authorise(checkout, "again", amount={"currency": "EUR", "value": v}) for v in (1, 2))
    capture(checkout, older, 1)
    checkout.modifications_api.cancel_authorised_payment(modification(paymentReference="again"))
    assert running.requests[-1].result == "succeeded"
    checkout.modifications_api.cancel_authorised_payment(modification(paymentReference="again"))
    assert running.requests[-1].result == "error"
    capture(checkout, newer, 2)
    assert moved(running, "again") == [("capture", 1)]


def test_only_its_own_merchant_cancels_by_reference(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "foreign")
    body = {"merchantAccount": "Another", "paymentReference": "foreign"}
    checkout.modifications_api.cancel_authorised_payment(body)
    capture(checkout, psp, 1290)
    assert moved(running, "foreign") == [("capture", 1290)]


def test_reversal_cancels_or_refunds(checkout: Any, running: Running) -> None:
    for order, more, movements, action in (
        ("reverse-open", MANUAL, [], "cancel"),
        ("reverse-taken", {}, [("capture", 1290), ("refund", 1290)], "refund"),
    ):
        psp = checkout.payments_api.payments(adyen_payment(order) | more).message["pspReference"]
        assert reverse(checkout, psp).message["status"] == "received"
        reverse(checkout, psp)
        assert moved(running, order) == movements
        codes = [AUTHORISED, ("CANCEL_OR_REFUND", "true"), ("CANCEL_OR_REFUND", "false")]
        assert outcomes(running, order) == codes
        assert told(running, order)[1]["additionalData"]["modification.action"] == action


def test_reversal_of_a_partial_capture_is_of_what_was_captured(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "reverse-part")
    capture(checkout, psp, 700)
    reverse(checkout, psp)
    assert moved(running, "reverse-part") == [("capture", 700), ("refund", 700)]
    assert told(running, "reverse-part")[-1]["amount"] == {"currency": "EUR", "value": 700}


def test_refund_that_fails_later(checkout: Any, running: Running) -> None:
    payment = adyen_payment("refund-fails", holderName="refund failed")
    psp = checkout.payments_api.payments(payment).message["pspReference"]
    answer = refund(checkout, psp, 1290).message
    assert answer["status"] == "received"
    assert moved(running, "refund-fails") == [("capture", 1290), ("refund", 1290), ("refund", -1290)]
    assert outcomes(running, "refund-fails") == [AUTHORISED, ("REFUND", "true"), ("REFUND_FAILED", "true")]
    assert {item["pspReference"] for item in told(running, "refund-fails")[1:]} == {answer["pspReference"]}
    refund(checkout, psp, 1291)
    assert outcomes(running, "refund-fails")[3:] == [("REFUND", "false")]


def test_capture_that_fails_later(checkout: Any, running: Running) -> None:
    payment = adyen_payment("capture-fails", holderName="capture failed")
    psp = checkout.payments_api.payments(payment | MANUAL).message["pspReference"]
    capture(checkout, psp, 1290)
    refund(checkout, psp, 1290)
    assert moved(running, "capture-fails") == [("capture", 1290), ("dispute", 1290)]
    assert outcomes(running, "capture-fails") == [
        AUTHORISED,
        ("CAPTURE", "true"),
        ("CAPTURE_FAILED", "true"),
        ("REFUND", "false"),
    ]
    checkout.payments_api.payments(adyen_payment("by-itself", holderName="capture failed"))
    assert moved(running, "by-itself") == [("capture", 1290), ("dispute", 1290)]
    assert outcomes(running, "by-itself") == [AUTHORISED, ("CAPTURE_FAILED", "true")]


def test_errors_are_the_sdks_exceptions(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "errors")
    api = checkout.modifications_api
    for method in (
        api.cancel_authorised_payment_by_psp_reference,
        api.refund_or_cancel_payment,
        api.capture_authorised_payment,
        api.refund_captured_payment,
    ):
        with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
            method(modification(1), "NONE000000000000")
        assert caught.value.error_code == "167"
    for method in (
        api.cancel_authorised_payment_by_psp_reference,
        api.refund_or_cancel_payment,
        api.capture_authorised_payment,
    ):
        with pytest.raises(AdyenAPIInvalidPermission) as refused:
            method(modification(1) | {"merchantAccount": "Another"}, psp)
        assert refused.value.error_code == "901"
    for body, code in (
        (modification(), "100"),
        (modification(0), "137"),
        (modification() | {"amount": {"currency": "USD", "value": 1}}, "138"),
    ):
        with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
            api.capture_authorised_payment(body, psp)
        assert caught.value.error_code == code
    capture(checkout, psp, 1290)
    assert moved(running, "errors") == [("capture", 1290)]
