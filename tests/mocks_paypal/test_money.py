"""Amounts: what is read is what is written, and nothing else is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.money import CURRENCIES, LARGEST, NO_DECIMALS, Money, money

currencies = st.sampled_from(sorted(CURRENCIES))


def wire(value: object, currency: object = "EUR") -> dict[str, object]:
    return {"currency_code": currency, "value": value}


@pytest.mark.parametrize(
    ("value", "currency", "minor", "written"),
    [
        ("12.90", "EUR", 1290, "12.90"),
        ("12.9", "EUR", 1290, "12.90"),
        ("12", "EUR", 1200, "12.00"),
        (".5", "USD", 50, "0.50"),
        ("0.01", "GBP", 1, "0.01"),
        ("007.00", "USD", 700, "7.00"),
        ("1290", "JPY", 1290, "1290"),
        ("500", "HUF", 50000, "500"),
        ("500", "TWD", 50000, "500"),
        ("999999999999999.99", "USD", LARGEST, "999999999999999.99"),
    ],
)
def test_read_and_written(value: str, currency: str, minor: int, written: str) -> None:
    read = money(wire(value, currency), "/amount")
    assert read == Money(currency, minor)
    assert read.body() == {"currency_code": currency, "value": written}


@pytest.mark.parametrize(
    ("node", "issue", "field"),
    [
        (None, "MISSING_REQUIRED_PARAMETER", "/amount"),
        ("12.90", "INVALID_PARAMETER_SYNTAX", "/amount"),
        ({"value": "1"}, "MISSING_REQUIRED_PARAMETER", "/amount/currency_code"),
        ({"currency_code": "EUR"}, "MISSING_REQUIRED_PARAMETER", "/amount/value"),
        (wire("1", 978), "INVALID_PARAMETER_SYNTAX", "/amount/currency_code"),
        (wire("1", "EURO"), "INVALID_STRING_LENGTH", "/amount/currency_code"),
        (wire("1", "eur"), "INVALID_CURRENCY_CODE", "/amount/currency_code"),
        (wire("1", "KWD"), "INVALID_CURRENCY_CODE", "/amount/currency_code"),
        (wire(12.9), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire(""), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("-"), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("5."), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("1,00"), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("1.00\n"), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("١٢"), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("1e3"), "INVALID_PARAMETER_SYNTAX", "/amount/value"),
        (wire("1" * 33), "INVALID_STRING_LENGTH", "/amount/value"),
        (wire("1.001"), "DECIMAL_PRECISION", "/amount/value"),
        (wire("1.00", "JPY"), "DECIMALS_NOT_SUPPORTED", "/amount/value"),
        (wire("0"), "CANNOT_BE_ZERO_OR_NEGATIVE", "/amount/value"),
        (wire("-1"), "CANNOT_BE_ZERO_OR_NEGATIVE", "/amount/value"),
        (wire("1000000000000000"), "MAX_VALUE_EXCEEDED", "/amount/value"),
    ],
)
def test_refused(node: object, issue: str, field: str) -> None:
    with pytest.raises(PayPalError) as caught:
        money(node, "/amount")
    assert (caught.value.issue, caught.value.field) == (issue, field)


@given(currencies, st.integers(1, LARGEST))
def test_what_is_written_is_read_again(currency: str, minor: int) -> None:
    if currency in NO_DECIMALS - {"JPY"}:
        minor = minor // 100 * 100 or 100
    if currency == "JPY":
        minor = min(minor, LARGEST // 100)
    amount = Money(currency, minor)
    assert money(amount.body(), "/amount") == amount


@given(currencies, st.one_of(st.text(), st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{1,3})?", fullmatch=True)))
def test_what_is_read_is_the_decimal_number(currency: str, value: str) -> None:
    try:
        amount = money(wire(value, currency), "/amount")
    except PayPalError as error:
        assert 400 <= error.status <= 422
        return
    assert amount.minor > 0
    assert Decimal(value) == Decimal(amount.minor) / (1 if currency == "JPY" else 100)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(json, json, json)
def test_nothing_but_an_amount_is_read(node: Any, currency: Any, value: Any) -> None:
    for candidate in (node, wire(value, currency)):
        try:
            amount = money(candidate, "/amount")
        except PayPalError:
            continue
        assert amount.currency in CURRENCIES and 0 < amount.minor <= LARGEST
