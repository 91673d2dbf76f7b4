"""What a proxy reads from a gateway's answers is what the gateway's own journal says."""

from __future__ import annotations

import gzip
from types import SimpleNamespace
from typing import Any

import pytest
from paypalserversdk.exceptions.error_exception import ErrorException  # type: ignore[import-untyped,unused-ignore]

from mocks.exchange import Exchange
from mocks.proxy.outcome import Outcome, outcome_of
from tests.mocks.running import Running, adyen_call, adyen_payment
from tests.mocks.serving import Serving
from tests.mocks_gocardless import sdk as gocardless
from tests.mocks_paypal.client import Client
from tests.proxy.proxying import Proxying, call, plan

DECIDED = ("succeeded", "declined", "processing")


def decided(of: Any) -> list[tuple[str, str, str, int]]:
    """What was decided, in the order of the requests."""
    return [
        (row.endpoint, row.result, row.order_id, row.status) for row in of.requests if row.result in DECIDED
    ]


def same(proxying: Proxying, mock: Running, least: int) -> None:
    assert decided(proxying) == decided(mock)
    assert len(decided(mock)) >= least
    errors = [[row.endpoint for row in of.requests if row.result == "error"] for of in (proxying, mock)]
    assert errors[0] == errors[1]


def test_adyen() -> None:
    with Running("adyen") as mock, Proxying(mock.url, as_="adyen") as proxying:
        connection = proxying.connection()
        _, _, paid = adyen_call(connection, "/v72/payments", adyen_payment("o1"))
        for order, name in (("o2", "DECLINED"), ("o3", "CARD_EXPIRED"), ("o4", "ERROR")):
            adyen_call(connection, "/v72/payments", adyen_payment(order, holderName=name))
        refund = {"merchantAccount": "PaydrillECOM", "amount": {"currency": "EUR", "value": 1290}}
        adyen_call(connection, f"/v72/payments/{paid['pspReference']}/refunds", refund | {"reference": "o1"})
        adyen_call(connection, "/v72/payments", b"nonsense")
        same(proxying, mock, 4)


def test_paypal() -> None:
    with Running("paypal") as mock, Proxying(mock.url, as_="paypal") as proxying:
        # Its links lead to the gateway itself, as they would in life.
        stand_in: Any = SimpleNamespace(url=proxying.url, port=mock.port, connection=mock.connection)
        client = Client(stand_in)
        try:
            full = {"prefer": "return=representation"}
            client.orders.capture_order({"id": client.approved("o1", **full), **full})
            declined = client.approved("o2", **full)
            with pytest.raises(ErrorException):
                client.orders.capture_order(
                    {
                        "id": declined,
                        "paypal_mock_response": '{"mock_application_codes":"INSTRUMENT_DECLINED"}',
                    }
                )
        finally:
            client.close()
        mine = [row[:2] for row in decided(proxying)]
        true = [row[:2] for row in decided(mock) if row[0] != "orders.approve"]
        assert mine == true and [result for _, result in true].count("succeeded") == 1
        assert ("orders.capture", "declined") in mine
        assert [row[2] for row in decided(proxying)][:2] == ["o1", "o1"]


def test_gocardless() -> None:
    with Running("gocardless") as mock, Proxying(mock.url, as_="gocardless") as proxying:
        stand_in: Any = SimpleNamespace(url=proxying.url)
        sdk = gocardless.client(stand_in)
        made = gocardless.mandate(sdk)
        paid = gocardless.pay(sdk, made.id, "o1")
        assert paid.status == "pending_submission"
        same(proxying, mock, 1)


@pytest.mark.parametrize(
    ("gateway", "status", "body", "outcome"),
    [
        ("stripe", 200, b'{"object": "payment_intent", "status": "succeeded"}', Outcome("succeeded")),
        ("stripe", 200, b'{"object": "payment_intent", "status": "requires_action"}', Outcome("processing")),
        ("stripe", 200, b'{"object": "customer"}', Outcome()),
        ("stripe", 402, b'{"error": {"type": "card_error"}}', Outcome("declined")),
        ("stripe", 500, b"<html>", Outcome("error")),
        ("stripe", 200, b"<html>", Outcome()),
        ("stripe", 200, b"[]", Outcome()),
        (
            "stripe",
            200,
            b'{"object": "refund", "metadata": {"order_id": "o1"}}',
            Outcome("succeeded", "o1"),
        ),
        ("adyen", 200, b'{"resultCode": "RedirectShopper"}', Outcome("processing")),
        ("adyen", 200, b'{"resultCode": "Cancelled"}', Outcome("declined")),
        ("adyen", 422, b'{"errorCode": "130"}', Outcome("error")),
        ("paypal", 201, b'{"id": "1", "status": "COMPLETED"}', Outcome("succeeded")),
        ("paypal", 201, b'{"id": "1", "status": "CREATED"}', Outcome("processing")),
        ("paypal", 200, b'{"access_token": "x"}', Outcome()),
        (
            "paypal",
            201,
            b'{"id": "1", "status": "COMPLETED", "purchase_units": [{"reference_id": "default", '
            b'"invoice_id": "i", "payments": {"captures": [{"status": "DECLINED"}]}}]}',
            Outcome("declined", "i"),
        ),
        ("paypal", 422, b'{"details": [{"issue": "ORDER_NOT_APPROVED"}]}', Outcome("error")),
        ("gocardless", 201, b'{"customers": {"id": "CU1"}}', Outcome()),
    ],
)
def test_answers(gateway: str, status: int, body: bytes, outcome: Outcome) -> None:
    assert outcome_of(gateway, status, body) == outcome


def test_a_compressed_answer_is_read_and_passed_on_as_it_is() -> None:
    plain = b'{"object": "payment_intent", "status": "succeeded", "metadata": {"order_id": "o1"}}'
    packed = gzip.compress(plain)

    def answer(exchange: Exchange) -> None:
        exchange.answer(200, packed, headers=(("Content-Encoding", "gzip"),))

    with Serving(answer) as serving, Proxying(f"http://127.0.0.1:{serving.port}", as_="stripe") as proxying:
        connection = proxying.connection()
        schedule = proxying.service.schedule
        assert schedule is not None
        for touched in (False, True):
            if touched:
                proxying.thread.call(lambda: schedule.add(plan("latency", params={"add": 1000})))
            status, headers, body = call(connection, "POST", "/v1/payment_intents", b"a=1")
            assert (status, headers["content-encoding"], body) == (200, "gzip", packed)
            assert (proxying.requests[-1].result, proxying.requests[-1].order_id) == ("succeeded", "o1")
            assert proxying.requests[-1].fault == ("latency" if touched else "")
