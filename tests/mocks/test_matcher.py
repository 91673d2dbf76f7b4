"""Conditions on requests: what fits, how they compose, how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any as Anything

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.faults import FaultPlan
from mocks.faults.matcher import (
    NOTHING,
    TRAITS,
    All,
    Any,
    Card,
    Currency,
    Endpoint,
    HttpMethod,
    Matcher,
    Not,
    PaymentMethod,
    Region,
    Traits,
    matcher_of,
    normalized,
)


@dataclass
class Request:
    endpoint: str = "payments"
    http_method: str = "POST"
    region: str = "eu"
    traits: Traits = NOTHING


class Unread(Request):
    """One whose body nobody may read."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.http_method, self.region = endpoint, "POST", "eu"

    @property
    def traits(self) -> Traits:  # type: ignore[override]
        raise AssertionError("the body was read")


PAID = Request(traits=Traits("EUR", "40000012", "card"))


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"currency": "EUR"}, True),
        ({"currency": "eur"}, True),
        ({"currency": ["USD", "EUR"]}, True),
        ({"currency": "USD"}, False),
        ({"endpoint": "payments"}, True),
        ({"endpoint": "refunds.create"}, False),
        ({"http_method": "post"}, True),
        ({"http_method": "GET"}, False),
        ({"region": "eu"}, True),
        ({"region": ["us", "asia"]}, False),
        ({"payment_method": "card"}, True),
        ({"payment_method": ["apple_pay", "google_pay"]}, False),
        ({"card": "4"}, True),
        ({"card": "4000 00"}, True),
        ({"card": "40000012"}, True),
        ({"card": "40000013"}, False),
        ({"card": "4000..4099"}, True),
        ({"card": "3999..4000"}, True),
        ({"card": "4001..4099"}, False),
        ({"card": ["5555", "4000"]}, True),
        ({"currency": "EUR", "card": "4000"}, True),
        ({"currency": "EUR", "card": "5555"}, False),
        ({"currency": "USD", "card": "4000"}, False),
    ],
)
def test_a_scope(match: dict[str, Anything], fits: bool) -> None:
    assert matcher_of(normalized(match)).fits(PAID) is fits


@pytest.mark.parametrize("match", [{"currency": "EUR"}, {"card": "4"}, {"payment_method": "card"}])
def test_a_request_that_says_nothing_fits_no_condition_on_it(match: dict[str, str]) -> None:
    assert not matcher_of(normalized(match)).fits(Request())


def test_a_number_that_is_too_short_is_not_in_a_range() -> None:
    assert not Card("4000", "4099").fits(Request(traits=Traits("", "405", "card")))


def test_the_body_is_read_last() -> None:
    match = normalized({"card": "4000", "currency": "EUR", "endpoint": "payments"})
    assert not matcher_of(match).fits(Unread("refunds"))
    with pytest.raises(AssertionError, match="was read"):
        matcher_of(match).fits(Unread("payments"))


@pytest.mark.parametrize(
    ("match", "word"),
    [
        ({"colour": "red"}, "there is region, endpoint"),
        ({"currency": "euro"}, "three letters"),
        ({"currency": ""}, "must be a text"),
        ({"currency": 7}, "must be a text"),
        ({"currency": []}, "no value"),
        ({"http_method": "P0ST"}, "no HTTP method"),
        ({"payment_method": "cash"}, "bank_debit"),
        ({"card": "4000.4099"}, "first 1 to 8 digits"),
        ({"card": "400000..4099"}, "as many digits"),
        ({"card": "4099..4000"}, "not below"),
        ({"card": "x"}, "first 1 to 8 digits"),
    ],
)
def test_what_is_no_scope(match: dict[str, Anything], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        normalized(match)


def test_a_whole_card_number_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="first 1 to 8 digits") as refused:
        normalized({"card": "4242 4242 4242 4242"})
    assert "4242" not in str(refused.value).replace("4000", "")


def test_scopes_of_one_meaning_are_equal() -> None:
    one = FaultPlan("f1", "outage", 0, 1, match={"currency": ("eur",), "card": ("4000 00",)})
    other = FaultPlan("f1", "outage", 0, 1, match={"currency": ("EUR",), "card": ("400000",)})
    assert one == other == FaultPlan.from_message(one.message())
    with pytest.raises(ValueError, match="fault f1: match"):
        FaultPlan("f1", "outage", 0, 1, match={"colour": ("red",)})


requests = st.builds(
    Request,
    st.sampled_from(["payments", "refunds"]),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["", "eu"]),
    st.builds(
        Traits, st.sampled_from(["", "EUR", "USD"]), st.sampled_from(["", "40000012", "55"]), st.just("card")
    ),
)
leaves: st.SearchStrategy[Matcher] = st.one_of(
    st.builds(Endpoint, st.frozensets(st.sampled_from(["payments", "refunds"]))),
    st.builds(HttpMethod, st.frozensets(st.sampled_from(["GET", "POST"]))),
    st.builds(Region, st.frozensets(st.sampled_from(["eu", "us"]))),
    st.builds(Currency, st.frozensets(st.sampled_from(["EUR", "USD"]))),
    st.builds(PaymentMethod, st.just(frozenset({"card"}))),
    st.sampled_from([Card("4000", "4099"), Card("5", "5")]),
)


@given(leaves, leaves, requests)
def test_conditions_compose_like_logic(a: Matcher, b: Matcher, request: Request) -> None:
    x, y = a.fits(request), b.fits(request)
    assert (a & b).fits(request) is (x and y)
    assert (a | b).fits(request) is (x or y)
    assert (~a).fits(request) is (not x)
    assert Not(Any((a, b))).fits(request) is All((~a, ~b)).fits(request)
    assert All(()).fits(request) and not Any(()).fits(request)


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 99999999))
def test_a_card_range_is_one_of_numbers(first: int, last: int, number: int) -> None:
    first, last = sorted((first, last))
    card = Card(f"{first:04}", f"{last:04}")
    assert card.fits(Request(traits=Traits("", f"{number:08}", "card"))) is (
        first <= number // 10_000 <= last
    )


def test_every_trait_can_be_asked() -> None:
    values = {"card": "4000", "currency": "EUR", "payment_method": "card", "http_method": "POST"}
    for trait in TRAITS:
        matcher_of(normalized({trait: values.get(trait, "x")})).fits(PAID)
