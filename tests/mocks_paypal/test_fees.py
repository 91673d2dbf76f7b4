"""Fees: exact in every currency, shown on captures and refunds, booked in the ledger."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.records import Movement
from mocks.gateways.paypal.fees import FIXED, fee_of
from mocks.gateways.paypal.money import CURRENCIES, NO_DECIMALS, Money
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client


@pytest.mark.parametrize(
    ("currency", "minor", "fee"),
    [
        ("USD", 10_000, 398),
        ("EUR", 1290, 84),
        ("EUR", 1, 1),
        ("EUR", 39, 39),
        ("EUR", 50, 41),
        ("JPY", 1290, 94),
        ("JPY", 40, 40),
        ("HUF", 500_000, 14_900 + 17_500),
        ("HUF", 100, 100),
        ("TWD", 100_000, 1_400 + 3_500),
    ],
)
def test_fees(currency: str, minor: int, fee: int) -> None:
    assert fee_of(Money(currency, minor)) == Money(currency, fee)


def test_every_currency_has_a_fixed_part() -> None:
    assert set(FIXED) == CURRENCIES


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(1, 10**15))
def test_a_fee_is_a_rounded_share_that_can_be_written(currency: str, units: int) -> None:
    step = 1 if currency not in NO_DECIMALS or currency == "JPY" else 100
    amount = Money(currency, units * step)
    share = (Decimal(amount.minor) * Decimal("0.0349") / step).quantize(Decimal(1), ROUND_HALF_UP) * step
    fee = fee_of(amount)
    assert fee.minor == min(amount.minor, int(share) + FIXED[currency])
    assert 0 < fee.minor <= amount.minor and fee.minor % step == 0


def test_captures_and_refunds_show_what_is_kept() -> None:
    with Running("paypal") as running:
        client = Client(running)
        try:
            expected: dict[str, int] = {}
            for currency, value, fee, net in (
                ("EUR", "12.90", "0.84", "12.06"),
                ("EUR", "100.00", "3.88", "96.12"),
                ("JPY", "1290", "94", "1196"),
                ("HUF", "5000", "324", "4676"),
            ):
                capture = client.captured("fee", value, currency=currency)
                shown = capture.seller_receivable_breakdown
                assert shown.gross_amount.value == value and shown.paypal_fee.currency_code == currency
                assert (shown.paypal_fee.value, shown.net_amount.value) == (fee, net)
                step = 1 if currency == "JPY" else 100
                expected[currency] = expected.get(currency, 0) + round(float(fee) * step)
            denied = client.captured("no", payer={"name": {"given_name": "CCREJECT-REFUSED"}})
            assert not hasattr(denied, "seller_receivable_breakdown")
            body = {"amount": {"currency_code": "HUF", "value": "1000"}}
            refund = client.payments.refund_captured_payment
            options = {"capture_id": capture.id, "body": body, "prefer": "return=representation"}
            refunds = [refund(options).body.seller_payable_breakdown for _ in range(2)]
            assert [row.total_refunded_amount.value for row in refunds] == ["1000", "2000"]
            for row in refunds:
                assert (row.gross_amount.value, row.paypal_fee.value, row.net_amount.value) == (
                    "1000",
                    "0",
                    "1000",
                )
        finally:
            client.close()
    movements = [record for record in running.writer.records if isinstance(record, Movement)]
    fees = [(movement.currency, movement.amount_minor) for movement in movements if movement.kind == "fee"]
    assert dict(fees) == expected and len(fees) == len(expected)
