"""Numbers as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.render import units

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"),
        (0, "0 s"),
        (400_000, "0.40 ms"),
        (7 * MS, "7.0 ms"),
        (31_400_000, "31 ms"),
        (312 * MS, "312 ms"),
        (999_499_999, "999 ms"),
        (999_600_000, "1.00 s"),
        (1_213 * MS, "1.21 s"),
        (19_640 * MS, "19.6 s"),
        (59_980 * MS, "1 min"),
        (125 * S, "2 min 5 s"),
        (2592 * S, "43 min 12 s"),
        (7_260 * S, "2 h 1 min"),
        (-15 * MS, "-15 ms"),
        (math.inf, "no answer"),
        (math.nan, "-"),
    ],
)
def test_a_duration_is_written_in_the_unit_a_person_would_choose(ns: float | None, text: str) -> None:
    assert units.duration(ns) == text


@settings(deadline=None)
@given(st.integers(1_000, 10**15))
def test_a_duration_reads_back_to_about_its_value(ns: int) -> None:
    scale = {"ms": MS, "s": S, "min": 60 * S, "h": 3600 * S}
    words = units.duration(ns).split()
    back = sum(float(number) * scale[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    # Two digits or more below a minute, whole seconds below an hour, whole minutes beyond.
    least = 501 if ns < 0.95 * MS else 0.055 * ns if ns < S else 0.006 * ns if ns < 60 * S else 60 * S
    assert abs(back - ns) <= max(least, 5_001 if ns < 0.95 * MS else 0)


def test_a_difference_says_its_sign() -> None:
    assert [units.signed(ns) for ns in (15 * MS, -1_200 * MS, 0, None)] == ["+15 ms", "-1.20 s", "0 s", "-"]


@pytest.mark.parametrize(
    ("value", "against", "text"),
    [
        (None, None, "-"),
        (1.0, None, "100%"),
        (0.0, None, "0%"),
        (0.9985, None, "99.85%"),
        (0.99977, None, "99.977%"),
        (0.999_999, None, "99.99990%"),
        (0.000_386, None, "0.039%"),
        (0.5, None, "50.00%"),
        (0.979_999, 0.98, "97.9999%"),
        (0.98, 0.98, "98.00%"),
    ],
)
def test_a_share_keeps_the_digits_that_matter(value: float | None, against: float | None, text: str) -> None:
    assert units.share(value, against) == text


@settings(deadline=None)
@given(st.floats(0.0, 1.0), st.sampled_from([0.95, 0.98, 0.99, 0.999]))
def test_rounding_a_share_never_crosses_its_bound(value: float, bound: float) -> None:
    written = float(units.share(value, bound).rstrip("%")) / 100
    near = abs(value - bound) < 1e-8 or min(value, 1 - value) < 1e-8
    assert near or (written < bound) == (value < bound)
    assert near or (written == 1.0) == (value == 1.0)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1290, "EUR", "12.90 EUR"),
        (1290, "JPY", "1,290 JPY"),
        (1290, "KWD", "1.290 KWD"),
        (0, "USD", "0.00 USD"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert units.money(minor, currency) == text


def test_words_agree_with_their_number() -> None:
    assert units.plural(1, "payment") == "1 payment"
    assert units.plural(27_013, "payment") == "27,013 payments"
    assert units.plural(2, "entry", "entries") == "2 entries"
    assert [units.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_bounds_are_set_for_reading() -> None:
    bounds = (">= 99.9%", "< 800ms", "<= 1m30s", "< 5s")
    assert [units.spaced(bound) for bound in bounds] == ["≥ 99.9%", "< 800 ms", "≤ 1 m30 s", "< 5 s"]


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    text = "dark for 20.0 s, back after 263 ms, 43 min 12 s, 5 seconds, 3 hits"
    assert units.glued(text).replace("\u00a0", "_") == (
        "dark for 20.0_s, back after 263_ms, 43_min 12_s, 5 seconds, 3 hits"
    )


def test_ticks_of_long_axes_are_minutes_and_seconds() -> None:
    assert [units.clock(seconds) for seconds in (0, 95, 600, -5)] == ["0:00", "1:35", "10:00", "-0:05"]
