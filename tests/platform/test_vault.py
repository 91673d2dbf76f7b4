"""The vault: published test instruments only, and every decline is the same at every gateway."""

from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from mocks.outbound import Answer, Call
from mocks.platform.connectors import CONNECTORS
from mocks.platform.connectors.adyen import Adyen
from mocks.platform.connectors.stripe import Stripe
from mocks.platform.payment import Payment
from mocks.platform.vault import INSTRUMENTS
from mocks.platform.verdict import Kind


def payment(token: str, id: str = "pay_1") -> Payment:
    return Payment(id, "order", 100, "EUR", INSTRUMENTS[token].method, token)


MADE = ("R1", "R2", "R3")
KEYS = ("idempotency-key", "paypal-request-id")


def test_an_instrument_declines_exactly_when_it_names_a_code() -> None:
    for token, instrument in INSTRUMENTS.items():
        assert instrument.token == token
        assert (instrument.outcome == "declined") == ("declined" in token)
        assert bool(instrument.decline_code) == ("declined" in token or "without_funds" in token)


def test_every_instrument_goes_through_the_gateways_of_its_method_and_every_method_has_both_ends() -> None:
    for method in {instrument.method for instrument in INSTRUMENTS.values()}:
        ends = [bool(one.decline_code) for one in INSTRUMENTS.values() if one.method == method]
        assert set(ends) == {False, True}, method
        assert any(method in connector.methods for connector in CONNECTORS.values())
    for instrument in INSTRUMENTS.values():
        assert bool(instrument.stripe) == (instrument.method in CONNECTORS["stripe"].methods)
        assert (instrument.adyen is not None) == (instrument.method in CONNECTORS["adyen"].methods)


@pytest.mark.parametrize(
    ("name", "token"),
    [
        (name, token)
        for name in CONNECTORS
        for token in INSTRUMENTS
        if INSTRUMENTS[token].method in CONNECTORS[name].methods
    ],
)
def test_a_charge_is_the_same_bytes_every_time_under_short_keys_of_its_own(name: str, token: str) -> None:
    def calls(id: str) -> list[Call]:
        connector = CONNECTORS[name]()
        made: tuple[str, ...] = MADE
        found = []
        for n in range(len(MADE) + 1):
            step = connector.step(payment(token, id), made[:n])
            if step is None:
                made = made[:n]
                break
            found.append(step.call)
        return [*found, connector.charge(payment(token, id), made)]

    assert calls("pay_1") == calls("pay_1")
    keys = [value for call in calls("pay_1") for key, value in call.headers if key in KEYS]
    assert len(keys) == len(set(keys)) == len([call for call in calls("pay_1") if call.method == "POST"])
    assert max(map(len, keys)) <= 64  # Adyen's limit
    others = [value for call in calls("pay_2") for key, value in call.headers if key in KEYS]
    assert not set(keys) & set(others)


@pytest.mark.parametrize(
    ("code", "raw", "expected"),
    [
        ("2", "", "generic_decline"),
        ("12", "", "insufficient_funds"),
        ("6", "", "expired_card"),
        ("24", "", "incorrect_cvc"),
        ("4", "", "processing_error"),
        ("5", "41 : Lost card", "lost_card"),
        ("5", "43 : Stolen card", "stolen_card"),
        ("5", "", "generic_decline"),
        ("31", "", "generic_decline"),
    ],
)
def test_adyens_refusals_in_stripes_words(code: str, raw: str, expected: str) -> None:
    body = {
        "pspReference": "P1",
        "resultCode": "Error" if code == "4" else "Refused",
        "refusalReasonCode": code,
        "additionalData": {"refusalReasonRaw": raw},
    }
    verdict = Adyen().charged(Answer(200, {}, orjson.dumps(body)))
    assert (verdict.kind, verdict.decline_code) == (Kind.DECLINED, expected)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"id": "pi", "status": "succeeded"}, Kind.TAKEN),
        (200, {"id": "pi", "status": "processing"}, Kind.BUSY),
        (200, {"id": "pi", "status": "canceled"}, Kind.UNKNOWN),
        (200, [], Kind.UNKNOWN),
        (402, {"error": {"code": "expired_card"}}, Kind.DECLINED),
        (400, {"error": {"type": "invalid_request_error"}}, Kind.NOT_TAKEN),
        (400, {"error": {"type": "idempotency_error"}}, Kind.UNKNOWN),
        (401, {}, Kind.NOT_TAKEN),
        (409, {}, Kind.BUSY),
        (429, {}, Kind.THROTTLED),
        (500, {}, Kind.UNKNOWN),
        (302, {}, Kind.UNKNOWN),
    ],
)
def test_what_stripes_answers_mean(status: int, body: object, kind: Kind) -> None:
    assert Stripe().charged(Answer(status, {}, orjson.dumps(body))).kind is kind


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (200, {}, {"resultCode": "Authorised", "pspReference": "P"}, Kind.TAKEN),
        (200, {}, {"resultCode": "Received"}, Kind.UNKNOWN),
        (200, {}, {}, Kind.UNKNOWN),
        (422, {}, {"errorCode": "702"}, Kind.NOT_TAKEN),
        (422, {}, {"errorCode": "704"}, Kind.BUSY),
        (422, {"transient-error": "true"}, {"errorCode": "x"}, Kind.BUSY),
        (401, {}, {}, Kind.NOT_TAKEN),
        (429, {"retry-after": "3"}, {}, Kind.THROTTLED),
        (503, {}, {}, Kind.UNKNOWN),
    ],
)
def test_what_adyens_answers_mean(status: int, headers: dict[str, str], body: object, kind: Kind) -> None:
    verdict = Adyen().charged(Answer(status, headers, orjson.dumps(body)))
    assert verdict.kind is kind
    assert verdict.wait_ns == (3_000_000_000 if kind is Kind.THROTTLED else 0)


def test_importing_the_instruments_is_cheap() -> None:
    script = (
        "import sys; import mocks.platform.vault; "
        "dear = ('uvloop', 'pyarrow', 'httptools', 'sqlite3', 'asyncio'); "
        "print([name for name in dear if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
