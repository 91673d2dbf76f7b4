"""Payments that are declined, fail late, or are booked otherwise than they are told."""

from __future__ import annotations

import base64

import pytest

from tests.mocks.running import adyen_call, adyen_payment, stripe_call, stripe_payment
from tests.payment_faults.faulty import (
    GOCARDLESS,
    Faulty,
    gocardless_mandate,
    gocardless_payment,
    paypal_order,
    paypal_token,
    plan,
)

PAY = "/v1/payment_intents"
DAY = 86_400


def test_a_decline_storm_in_each_gateways_words(
    stripe: Faulty, adyen: Faulty, paypal: Faulty, gocardless: Faulty
) -> None:
    storm = plan("decline_storm")
    with stripe.on(storm) as fault:
        status, _, body = stripe_call(stripe.connection(), "POST", PAY, stripe_payment(), key="k")
        assert (status, body["error"]["decline_code"]) == (402, "generic_decline")
        assert body["error"]["payment_intent"]["status"] == "requires_payment_method"
        assert fault.hits == 1
    with adyen.on(storm) as fault:
        status, _, body = adyen_call(adyen.connection(), "/v72/payments", adyen_payment())
        assert (status, body["resultCode"], body["refusalReasonCode"]) == (200, "Refused", "2")
        assert fault.hits == 1
    bearer = {**paypal_token(paypal), "PayPal-Request-Id": "k", "Prefer": "return=representation"}
    with paypal.on(storm) as fault:
        status, _, body = paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)
        (capture,) = body["purchase_units"][0]["payments"]["captures"]
        assert (status, body["status"], capture["status"]) == (201, "COMPLETED", "DECLINED")
        assert fault.hits == 1
    assert stripe.movements == adyen.movements == paypal.movements == []
    assert {one.requests[-1].result for one in (stripe, adyen, paypal)} == {"declined"}
    payment = gocardless_payment(gocardless_mandate(gocardless))
    with gocardless.on(storm) as fault:
        made = gocardless.json("POST", "/payments", payment, GOCARDLESS)[2]["payments"]
        assert made["status"] == "pending_submission" and fault.hits == 1
    gocardless.advance(2)
    read = gocardless.json("GET", f"/payments/{made['id']}", None, GOCARDLESS)[2]["payments"]
    assert read["status"] == "failed"


def test_a_decline_storm_of_a_card_range_is_over_when_it_is_over(stripe: Faulty) -> None:
    def status(card: str) -> int:
        return stripe_call(stripe.connection(), "POST", PAY, stripe_payment(card=card))[0]

    with stripe.on(plan("decline_storm", match={"card": "5555 55"})) as fault:
        assert [status("pm_card_mastercard"), status("pm_card_visa")] == [402, 200]
        assert fault.hits == 1
    assert status("pm_card_mastercard") == 200
    assert stripe.money() == [("capture", 1290)] * 2


def test_a_read_in_a_decline_storm_is_no_hit(stripe: Faulty) -> None:
    with stripe.on(plan("decline_storm")) as fault:
        assert stripe_call(stripe.connection(), "GET", PAY)[0] == 200
        unconfirmed = {**stripe_payment(), "confirm": "false"}
        assert stripe_call(stripe.connection(), "POST", PAY, unconfirmed)[0] == 200
        assert fault.hits == 0 and {request.fault for request in stripe.requests} == {""}


def test_token_outage_logs_everybody_out(paypal: Faulty) -> None:
    bearer = paypal_token(paypal)
    order = paypal_order("o1")
    with paypal.on(plan("token_outage", params={"status": 503})) as fault:
        refused = paypal.json("POST", "/v2/checkout/orders", order, {**bearer, "PayPal-Request-Id": "k"})
        assert refused[0] == 401 and fault.hits == 0
        basic = f"Basic {base64.b64encode(b'client:secret').decode()}"
        form = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
        status, _, body = paypal.json("POST", "/v1/oauth2/token", "grant_type=client_credentials", form)
        assert status == 503 and "access_token" not in body and fault.hits == 1
    assert paypal.movements == []
    again = {**paypal_token(paypal), "PayPal-Request-Id": "k"}
    assert paypal.json("POST", "/v2/checkout/orders", order, again)[0] == 201


def test_token_outage_where_keys_go_with_requests(stripe: Faulty) -> None:
    with stripe.on(plan("token_outage")) as fault:
        status, _, body = stripe_call(stripe.connection(), "POST", PAY, stripe_payment())
        assert status == 401 and body["error"]["type"] == "invalid_request_error"
        assert stripe.json("GET", "/health")[0] == 200 and fault.hits == 1
    assert stripe.movements == []


def test_a_late_failure_takes_the_money_back(
    stripe: Faulty, adyen: Faulty, paypal: Faulty, gocardless: Faulty
) -> None:
    late = plan("late_failure", params={"after": 3600 * 10**9})
    with stripe.on(late) as fault:
        made = stripe_call(stripe.connection(), "POST", PAY, stripe_payment())
        assert made[2]["status"] == "succeeded" and fault.hits == 1
        declined = stripe_payment(card="pm_card_chargeDeclined")
        assert stripe_call(stripe.connection(), "POST", PAY, declined)[0] == 402
        assert fault.hits == 1
    with adyen.on(late):
        assert (
            adyen_call(adyen.connection(), "/v72/payments", adyen_payment())[2]["resultCode"] == "Authorised"
        )
    bearer = {**paypal_token(paypal), "PayPal-Request-Id": "k"}
    with paypal.on(late) as fault:
        assert paypal.json("POST", "/v2/checkout/orders", paypal_order("o1"), bearer)[0] == 201
        refused = paypal_order("o2")
        refused["payment_source"]["card"]["name"] = "CCREJECT-REFUSED"
        wants_all = {**bearer, "PayPal-Request-Id": "k2"}
        assert paypal.json("POST", "/v2/checkout/orders", refused, wants_all)[0] == 201
        assert fault.hits == 1
    for one in (stripe, adyen, paypal):
        one.advance(3599)
        assert one.money() == [("capture", 1290)], one.gateway.name
        one.advance(1)
        assert one.money() == [("capture", 1290), ("dispute", 1290)], one.gateway.name
    dispute = stripe_call(stripe.connection(), "GET", "/v1/disputes")[2]["data"][0]
    assert dispute["payment_intent"] == made[2]["id"] and dispute["reason"] == "fraudulent"
    payment = gocardless_payment(gocardless_mandate(gocardless))
    with gocardless.on(late) as fault:
        debit = gocardless.json("POST", "/payments", payment, GOCARDLESS)[2]["payments"]["id"]
        assert fault.hits == 1
    gocardless.advance(3600)
    assert gocardless.json("GET", f"/payments/{debit}", None, GOCARDLESS)[2]["payments"]["status"] == "failed"


@pytest.mark.parametrize(
    ("fault", "fee", "paid"), [("fee_drift", 49, 1246), ("payout_drift", 44, 1121), ("", 44, 1246)]
)
def test_drift_is_in_the_ledger_and_not_in_what_is_told(
    stripe: Faulty, fault: str, fee: int, paid: int
) -> None:
    connection = stripe.connection()
    stripe_call(connection, "POST", PAY, stripe_payment())
    if fault:
        with stripe.on(plan(fault, params={"by": 0.1})) as drift:
            stripe.advance(4 * DAY)
            assert drift.hits == 1
    else:
        stripe.advance(4 * DAY)
    booked = {movement.kind: movement.amount_minor for movement in stripe.movements}
    assert booked == {"capture": 1290, "fee": fee, "payout": paid}
    (payout,) = stripe_call(connection, "GET", "/v1/payouts")[2]["data"]
    lines = stripe_call(connection, "GET", "/v1/balance_transactions", {"payout": payout["id"]})[2]["data"]
    assert payout["amount"] == 1246 and sum(line["fee"] for line in lines) == 44
    stripe_call(connection, "POST", PAY, stripe_payment("o2"))
    stripe.advance(8 * DAY)
    assert [m.amount_minor for m in stripe.movements if m.kind == "payout"] == [paid, 1246]
