"""The Adyen mock's answers, held against Adyen's published document of Checkout v72.

``pytest -s`` prints which properties were checked; ``properties_checked.json`` has them, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mocks.gateways.adyen.cards import HOLDER_NAMES
from tests.mocks.running import Running, adyen_payment
from tests.openapi.schema import Facts
from tests.openapi.watched import Watched, unchecked

DEVIATIONS = {
    r"amountUpdates 201 \.reference: is missing": "The document requires what its own request may leave out; what "
    "was not sent is not repeated.",
}

ACCOUNT = {"merchantAccount": "PaydrillECOM"}
MANUAL = {"additionalData": {"manualCapture": "true"}}
AMOUNT = {"currency": "EUR", "value": 500}


@pytest.fixture(scope="module")
def adyen() -> Iterator[Watched]:
    with Running("adyen") as running:
        headers = {"X-API-Key": "key", "Content-Type": "application/json"}
        yield Watched(running, [Facts.read("adyen")], headers, prefix="/v72", deviations=DEVIATIONS)


def pay(adyen: Watched, order: str, *, more: dict[str, Any] | None = None, **method: Any) -> Any:
    return adyen.send("POST", "/payments", adyen_payment(order, **method) | (more or {}), status=200)


def test_payments_and_what_becomes_of_them(adyen: Watched) -> None:
    assert pay(adyen, "paid")["resultCode"] == "Authorised"
    held = pay(adyen, "held", more=MANUAL)["pspReference"]
    for kind, body in (
        ("captures", {"amount": AMOUNT, "reference": "c"}),
        ("refunds", {"amount": AMOUNT, "reference": "r"}),
        ("reversals", {}),
    ):
        assert (
            adyen.send("POST", f"/payments/{held}/{kind}", ACCOUNT | body, status=201)["status"] == "received"
        )
    canceled = pay(adyen, "canceled", more=MANUAL)["pspReference"]
    adyen.send("POST", f"/payments/{canceled}/cancels", ACCOUNT | {"reference": "x"}, status=201)
    adyen.send("POST", "/cancels", ACCOUNT | {"paymentReference": "canceled"}, status=201)
    raised = pay(
        adyen, "raised", more={"additionalData": {"authorisationType": "PreAuth", "manualCapture": "true"}}
    )
    update = ACCOUNT | {"amount": {"currency": "EUR", "value": 1500}, "industryUsage": "delayedCharge"}
    adyen.send("POST", f"/payments/{raised['pspReference']}/amountUpdates", update, status=201)


def test_every_refusal(adyen: Watched) -> None:
    results = {pay(adyen, f"refused-{name}", holderName=name)["resultCode"] for name in HOLDER_NAMES}
    assert results == {"Authorised", "Refused", "Error", "Cancelled"}
    raw = pay(adyen, "raw", holderName="BLOCK_CARD : 41 : Lost card")
    assert raw["additionalData"]["refusalReasonRaw"] == "41 : Lost card"


def test_3d_secure(adyen: Watched) -> None:
    card = {"encryptedCardNumber": "test_4212345678901237"}
    asked = pay(adyen, "3ds", more={"returnUrl": "https://shop.example.test/"}, **card)
    assert asked["action"]["type"] == "redirect"
    native = {"authenticationData": {"threeDSRequestData": {"nativeThreeDS": "preferred"}}}
    asked = pay(adyen, "native", more=native | {"returnUrl": "https://shop.example.test/"}, **card)
    assert asked["action"]["type"] == "threeDS2"
    fingerprint = {"details": {"threeds2.fingerprint": "eyJ0aHJlZURTQ29tcEluZCI6IlkifQ=="}}
    data = {"paymentData": asked["action"]["paymentData"]}
    challenge = adyen.send("POST", "/payments/details", data | fingerprint, status=200)
    assert challenge["resultCode"] == "ChallengeShopper"
    data = {"paymentData": challenge["action"]["paymentData"]}
    result = {"details": {"threeds2.challengeResult": "eyJ0cmFuc1N0YXR1cyI6IlkifQ=="}}
    assert adyen.send("POST", "/payments/details", data | result, status=200)["resultCode"] == "Authorised"


def test_errors(adyen: Watched) -> None:
    body = adyen_payment("wrong")
    adyen.send("POST", "/payments", b"{", status=400)
    adyen.send("POST", "/payments", body, status=401, x_api_key="")
    adyen.send("POST", "/payments", body | {"amount": {"currency": "XXX", "value": 1}}, status=422)
    adyen.send("POST", "/payments", {**ACCOUNT}, status=422)
    adyen.send("POST", "/payments/details", {"details": {"threeDSResult": "!"}}, status=422)
    adyen.send("POST", "/payments/0000000000000000/captures", ACCOUNT | {"amount": AMOUNT}, status=422)


def test_says_which_properties_were_checked(adyen: Watched) -> None:
    (facts,) = adyen.facts
    print(f"\n{facts.table()}")
    assert unchecked("adyen", facts) == {}
    assert {
        "PaymentResponse",
        "PaymentDetailsResponse",
        "ServiceError",
        "Amount",
        "PaymentCaptureResponse",
    } <= set(facts.checked)
    assert adyen.used == set(DEVIATIONS), "every deviation is one that still exists"
