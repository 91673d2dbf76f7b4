"""Transactions and balances, through PayPal's own SDK: what they sum up to is what the ledger says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mocks.gateways.paypal.payment import rfc3339
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call
from tests.mocks_paypal.receiver import advance

TRANSACTIONS = "/v1/reporting/transactions"


def search(running: Running, **more: Any) -> list[Any]:
    """All pages of the transactions of last and this month."""
    client = Client(running)
    try:
        now = running.thread.call(running.gateway.mock_clock.now)
        asked: dict[str, Any] = {"start_date": rfc3339(now - 29 * 86_400), "end_date": rfc3339(now + 60)}
        rows: list[Any] = []
        for page in range(1, 100):
            answer = client.sdk.transaction_search.search_transactions(
                asked | {"page": page, "page_size": 2} | more
            ).body
            rows += [row.transaction_info for row in answer.transaction_details]
            if page >= answer.total_pages:
                assert len(rows) == answer.total_items
                return rows
        raise AssertionError("the pages have no end")
    finally:
        client.close()


def test_transactions_and_balances_say_what_the_ledger_says() -> None:
    with Running("paypal") as running:
        client = Client(running)
        try:
            capture = client.captured("a", "100.00")
            client.captured("b", "5000", currency="HUF")
            client.captured("no", payer={"name": {"given_name": "CCREJECT-IF"}})
            client.captured("wait", "7.00", payer={"name": {"given_name": "PENDING-REVIEW"}})
            held = client.captured(
                "disputed", "40.00", payer={"name": {"given_name": "DISPUTE-UNAUTHORISED"}}
            )
            body = {"amount": {"currency_code": "EUR", "value": "30.00"}}
            client.payments.refund_captured_payment({"capture_id": capture.id, "body": body})
            balances = {
                row.currency: row for row in client.sdk.transaction_search.search_balances({}).body.balances
            }
        finally:
            client.close()
        rows = search(running)
        assert [row.transaction_event_code for row in rows].count("T0006") == 3
        by_id = {row.transaction_id: row for row in rows}
        assert by_id[capture.id].transaction_amount.value == "100.00"
        assert (by_id[capture.id].fee_amount.value, by_id[capture.id].custom_field) == ("-3.88", "a")
        (refund,) = [row for row in rows if row.transaction_event_code == "T1107"]
        assert (refund.transaction_amount.value, refund.paypal_reference_id) == ("-30.00", capture.id)
        everything = search(running, balance_affecting_records_only="N")
        assert sorted(row.transaction_status for row in everything) == ["D", "P", "S", "S", "S", "S"]
        assert [row.transaction_id for row in search(running, transaction_currency="HUF")] != []
        assert len(search(running, transaction_id=capture.id)) == 1
        euros = balances["EUR"]
        assert (euros.total_balance.value, euros.withheld_balance.value) == ("104.33", "40.00")
        assert euros.available_balance.value == "64.33"
        before = rfc3339(running.thread.call(running.gateway.mock_clock.now) + 60)
        advance(running, 10 * 86_400 + 60)
        rows = search(running)
        assert [row.transaction_id for row in rows if row.transaction_status == "V"] == [held.id]
        assert [row.paypal_reference_id for row in rows if row.transaction_event_code == "T1106"] == [held.id]
        shown = {
            row["currency"]: row for row in call(running, "GET", "/v1/reporting/balances")[2]["balances"]
        }
        past = call(running, "GET", f"/v1/reporting/balances?currency_code=EUR&as_of_time={before}")[2]
        assert [row["total_balance"]["value"] for row in past["balances"]] == ["104.33"]
        assert shown["EUR"]["withheld_balance"]["value"] == "0.00"
        running.thread.call(lambda: running.gateway.settle(0))
        for currency in ("EUR", "HUF"):
            total = sum(
                Decimal(row.transaction_amount.value)
                + Decimal(row.fee_amount.value if hasattr(row, "fee_amount") else 0)
                for row in rows
                if row.transaction_amount.currency_code == currency
            )
            booked = sum(
                movement.amount_minor * (1 if movement.kind == "capture" else -1)
                for movement in running.movements
                if movement.currency == currency
            )
            assert total == Decimal(booked) / 100 == Decimal(shown[currency]["total_balance"]["value"])


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("", "MISSING_REQUIRED_PARAMETER"),
        ("start_date=2026-01-01T00:00:00Z", "MISSING_REQUIRED_PARAMETER"),
        ("start_date=2026-01-01T00:00:00Z&end_date=2026-02-02T00:00:00Z", "INVALID_DATE_RANGE"),
        ("start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z", "INVALID_DATE_RANGE"),
        ("start_date=2026-01-02&end_date=2026-01-03", "INVALID_PARAMETER_SYNTAX"),
        ("start_date=2026-01-02T00:00:00Z&end_date=2026-01-03T00:00:00Z&page=0", "INVALID_PARAMETER_VALUE"),
    ],
)
def test_wrong_ranges(running: Running, query: str, what: str) -> None:
    status, _, answer = call(running, "GET", f"{TRANSACTIONS}?{query}")
    assert (status, answer["details"][0]["issue"]) == (400, what)


def test_an_account_without_money(running: Running) -> None:
    dates = "start_date=2026-01-02T00:00:00-0800&end_date=2026-01-03T00:00:00%2B0100"
    status, _, answer = call(running, "GET", f"{TRANSACTIONS}?{dates}")
    assert (status, answer["transaction_details"], answer["total_pages"]) == (200, [], 0)
    assert call(running, "GET", "/v1/reporting/balances?currency_code=XXX")[0] == 422
