"""SEPA direct debits: received at once, decided a day later."""

from __future__ import annotations

from typing import Any

import pytest
from Adyen.exceptions import AdyenAPIUnprocessableEntity
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.adyen.bank_account import is_iban
from mocks.gateways.adyen.payments import DEBIT_S
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import advance, modification, moved, outcomes, told

IBAN = "NL13TEST0123456789"


def debit(order: str, **account: object) -> dict[str, Any]:
    method = {"type": "sepadirectdebit", "ownerName": "A. Klaassen", "iban": IBAN, **account}
    return adyen_payment(order) | {"paymentMethod": method}


def test_the_money_comes_a_day_later(checkout: Any, running: Running) -> None:
    answer = checkout.payments_api.payments(debit("debit")).message
    assert answer["resultCode"] == "Received"
    assert answer["paymentMethod"] == {"type": "sepadirectdebit"}
    assert answer["additionalData"]["sepadirectdebit.mandateId"] == answer["pspReference"]
    assert running.requests[-1].result == "processing"
    advance(running, DEBIT_S - 60)
    assert moved(running, "debit") == [] and outcomes(running, "debit") == []
    advance(running, 61)
    assert moved(running, "debit") == [("capture", 1290)]
    (authorisation,) = told(running, "debit")
    assert (authorisation["eventCode"], authorisation["success"]) == ("AUTHORISATION", "true")
    assert authorisation["paymentMethod"] == "sepadirectdebit"
    checkout.modifications_api.refund_captured_payment(modification(1290), answer["pspReference"])
    assert moved(running, "debit")[-1] == ("refund", 1290)


def test_a_debit_can_be_refused_later(checkout: Any, running: Running) -> None:
    answer = checkout.payments_api.payments(debit("refused", ownerName="NOT_ENOUGH_BALANCE")).message
    assert answer["resultCode"] == "Received" and "refusalReason" not in answer
    advance(running, DEBIT_S + 1)
    assert moved(running, "refused") == []
    assert outcomes(running, "refused") == [("AUTHORISATION", "false")]
    assert told(running, "refused")[0]["reason"] == "Not enough balance"


def test_a_debit_is_captured_apart(checkout: Any, running: Running) -> None:
    manual = debit("apart") | {"additionalData": {"manualCapture": "true"}}
    psp = checkout.payments_api.payments(manual).message["pspReference"]
    checkout.modifications_api.capture_authorised_payment(modification(1290), psp)
    assert outcomes(running, "apart") == [("CAPTURE", "false")]
    advance(running, DEBIT_S + 1)
    assert moved(running, "apart") == []
    checkout.modifications_api.capture_authorised_payment(modification(1290), psp)
    assert moved(running, "apart") == [("capture", 1290)]


def test_a_debit_is_charged_back_and_cannot_be_defended(checkout: Any, running: Running) -> None:
    checkout.payments_api.payments(debit("charged-back", ownerName="chargeback:MS03"))
    advance(running, DEBIT_S + 1)
    assert moved(running, "charged-back") == [("capture", 1290), ("dispute", 1290)]
    chargeback = told(running, "charged-back")[-1]
    assert chargeback["eventCode"] == "CHARGEBACK"
    assert chargeback["additionalData"]["chargebackReasonCode"] == "MS03"
    assert chargeback["additionalData"]["defendable"] == "false"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iban": None}, "161"),
        ({"iban": "NL13TEST0123456788"}, "161"),
        ({"iban": 13}, "161"),
        ({"ownerName": ""}, "14_002"),
        ({"ownerName": None}, "14_002"),
    ],
)
def test_wrong_accounts(checkout: Any, running: Running, change: dict[str, Any], code: str) -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments(debit("wrong", **change))
    assert caught.value.error_code == code


def test_only_euro_is_debited(checkout: Any) -> None:
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        checkout.payments_api.payments(debit("usd") | {"amount": {"currency": "USD", "value": 1}})
    assert caught.value.error_code == "138"


@pytest.mark.parametrize("iban", ["NL98ABNA0410108103".replace("98", "00"), "", "DE", "DE87²", "X" * 40])
def test_what_is_no_iban(iban: str) -> None:
    assert not is_iban(iban)


def test_what_is_an_iban() -> None:
    for iban in (IBAN, "DE89 3704 0044 0532 0130 00", "gb82west12345698765432"):
        assert is_iban(iban)


@given(st.sampled_from([2, 3, *range(8, len(IBAN))]), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_noticed(place: int, digit: str) -> None:
    wrong = IBAN[:place] + digit + IBAN[place + 1 :]
    assert is_iban(wrong) == (wrong == IBAN)


@given(st.text(max_size=34))
def test_any_text_is_an_iban_or_none(text: str) -> None:
    assert is_iban(text) in (True, False)
