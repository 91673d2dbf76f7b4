"""Several partial captures of one payment, and what can be done to it in between."""

from __future__ import annotations

from typing import Any

import pytest
from Adyen.exceptions import AdyenAPIUnprocessableEntity
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.application import Adyen
from mocks.gateways.adyen.modifications import SEVERAL_CAPTURES
from mocks.gateways.adyen.request import payment_request
from mocks.latency import Latency
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import moved, outcomes, told

ACCOUNT = f"Paydrill{SEVERAL_CAPTURES}"
MANUAL = {"merchantAccount": ACCOUNT, "additionalData": {"manualCapture": "true"}}


def authorise(checkout: Any, order: str, **method: Any) -> str:
    return str(
        checkout.payments_api.payments(adyen_payment(order, **method) | MANUAL).message["pspReference"]
    )


def body(value: int | None = None) -> dict[str, Any]:
    amount = {} if value is None else {"amount": {"currency": "EUR", "value": value}}
    return {"merchantAccount": ACCOUNT, **amount}


def capture(checkout: Any, psp: str, value: int) -> str:
    answer = checkout.modifications_api.capture_authorised_payment(body(value), psp).message
    assert answer["status"] == "received"
    return str(answer["pspReference"])


def test_each_capture_is_booked_under_its_own_reference(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "parts")
    references = [capture(checkout, psp, value) for value in (500, 400)]
    booked = [(m.reference, m.amount_minor) for m in running.movements if m.order_id == "parts"]
    assert booked == list(zip(references, (500, 400), strict=True))
    assert psp not in references
    assert {item["originalReference"] for item in told(running, "parts")[1:]} == {psp}


def test_no_capture_goes_beyond_what_is_open(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "beyond")
    capture(checkout, psp, 1000)
    capture(checkout, psp, 291)
    assert running.requests[-1].result == "error"
    refused = told(running, "beyond")[-1]
    assert (refused["eventCode"], refused["success"]) == ("CAPTURE", "false")
    assert refused["reason"] == "Insufficient balance on payment"
    capture(checkout, psp, 290)
    capture(checkout, psp, 1)
    assert moved(running, "beyond") == [("capture", 1000), ("capture", 290)]
    assert [success for _, success in outcomes(running, "beyond")] == [
        "true",
        "true",
        "false",
        "true",
        "false",
    ]


def test_the_rest_can_be_cancelled(checkout: Any, running: Running) -> None:
    api = checkout.modifications_api
    psp = authorise(checkout, "rest")
    capture(checkout, psp, 1000)
    api.cancel_authorised_payment_by_psp_reference(body(), psp)
    capture(checkout, psp, 1)
    api.cancel_authorised_payment_by_psp_reference(body(), psp)
    api.refund_captured_payment(body(1000), psp)
    assert moved(running, "rest") == [("capture", 1000), ("refund", 1000)]
    assert isinstance(running.gateway, Adyen)
    assert running.gateway.payments.find(psp).status == "captured"
    assert outcomes(running, "rest")[2:] == [
        ("CANCELLATION", "true"),
        ("CAPTURE", "false"),
        ("CANCELLATION", "false"),
        ("REFUND", "true"),
    ]


def test_a_refund_spreads_over_captures(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "spread")
    first, second = (capture(checkout, psp, value) for value in (500, 400))
    refund = checkout.modifications_api.refund_captured_payment
    reference = refund(body(700), psp).message["pspReference"]
    refund(body(201), psp)
    refund(body(200), psp)
    refunds = [m for m in running.movements if m.order_id == "spread" and m.kind == "refund"]
    assert [(m.parent, m.amount_minor) for m in refunds] == [(first, 500), (second, 200), (second, 200)]
    assert [m.reference for m in refunds[:2]] == [reference, f"{reference}-2"]
    assert outcomes(running, "spread")[3:] == [("REFUND", "true"), ("REFUND", "false"), ("REFUND", "true")]
    assert told(running, "spread")[3]["amount"]["value"] == 700


def test_a_refund_over_captures_that_fails_comes_back_whole(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "bounced", holderName="refund failed")
    for value in (500, 400):
        capture(checkout, psp, value)
    for _ in range(2):
        checkout.modifications_api.refund_captured_payment(body(700), psp)
    assert (
        moved(running, "bounced")[2:]
        == [
            ("refund", 500),
            ("refund", 200),
            ("refund", -500),
            ("refund", -200),
        ]
        * 2
    )


def test_the_amount_is_updated_until_something_is_captured(checkout: Any, running: Running) -> None:
    update = checkout.modifications_api.update_authorised_amount
    psp = authorise(checkout, "updated")
    answer = update(body(2000), psp)
    assert answer.status_code == 201
    assert answer.message["amount"] == {"currency": "EUR", "value": 2000}
    assert answer.message["paymentPspReference"] == psp
    capture(checkout, psp, 1999)
    update(body(3000), psp)
    capture(checkout, psp, 2)
    assert moved(running, "updated") == [("capture", 1999)]
    assert outcomes(running, "updated")[1:] == [
        ("AUTHORISATION_ADJUSTMENT", "true"),
        ("CAPTURE", "true"),
        ("AUTHORISATION_ADJUSTMENT", "false"),
        ("CAPTURE", "false"),
    ]
    for wrong, code in ((body(), "100"), (body(-1), "137")):
        with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
            update(wrong, psp)
        assert caught.value.error_code == code
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        update(body(1), "NONE000000000000")
    assert caught.value.error_code == "167"


def test_a_reversal_refunds_what_was_captured(checkout: Any, running: Running) -> None:
    psp = authorise(checkout, "reversed")
    for value in (500, 400):
        capture(checkout, psp, value)
    checkout.modifications_api.refund_or_cancel_payment(body(), psp)
    assert moved(running, "reversed")[2:] == [("refund", 500), ("refund", 400)]
    assert told(running, "reversed")[-1]["amount"]["value"] == 900


_STEPS = st.lists(
    st.tuples(st.sampled_from(["capture", "refund", "update", "cancel", "reverse"]), st.integers(1, 1200)),
    max_size=14,
)


@settings(deadline=None, max_examples=60)
@given(_STEPS)
def test_whatever_is_asked_money_stays_within_what_is_authorised(steps: list[tuple[str, int]]) -> None:
    gateway = Adyen("adyen", Latency(0, 0), 1)
    gateway.payments.make("P", payment_request(adyen_payment("o", 1000) | MANUAL), 0)
    payment, modifications = gateway.payments.find("P"), gateway.modifications
    for what, value in steps:
        amount = Amount("EUR", value)
        if what == "capture":
            modifications.capture(payment, amount, body(), 0)
        elif what == "refund":
            modifications.refund(payment, amount, body(), 0)
        elif what == "update":
            modifications.update_amount(payment, amount, body())
        elif what == "cancel":
            modifications.cancel(payment, body())
        else:
            modifications.reverse(payment, body(), 0)
        captured = {m.reference: m.amount_minor for m in gateway.ledger if m.kind == "capture"}
        refunds = [m for m in gateway.ledger if m.kind == "refund"]
        assert sum(captured.values()) <= payment.authorised.value
        for reference, taken in captured.items():
            assert sum(m.amount_minor for m in refunds if m.parent == reference) <= taken
        assert len({m.reference for m in gateway.ledger}) == len(gateway.ledger)
