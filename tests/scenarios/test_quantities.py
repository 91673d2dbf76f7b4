"""Values carry their units, and what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import quantities as q

MS, S = 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [("120ms", 120 * MS), ("20s", 20 * S), ("1.5s", 1500 * MS), ("1m30s", 90 * S), ("2 min", 120 * S), ("1h", 3600 * S),
     ("250us", 250_000), ("0s", 0), ("30d", 30 * 86400 * S)],
)  # fmt: skip
def test_durations(text: str, ns: int) -> None:
    assert q.parse_duration(text) == ns


@pytest.mark.parametrize(
    ("parse", "text", "word"),
    [
        (q.parse_duration, 5, "write 5s"),
        (q.parse_duration, "5", "write 5s"),
        (q.parse_duration, "5 parsecs", "not a duration"),
        (q.parse_duration, "-5s", "not a duration"),
        (q.parse_duration, "", "not a duration"),
        (q.parse_rate, 400, "write 400/s"),
        (q.parse_rate, "400/fortnight", "not a rate"),
        (q.parse_rate, "-1/s", "not a rate"),
        (q.parse_rate_range, "50/s..400", "write 400/s"),
        (q.parse_share, 98, "write 98%"),
        (q.parse_share, 0.98, "write 0.98%"),
        (q.parse_share, "120%", "at most 100%"),
        (q.parse_monthly, 10, "10/month"),
        (q.parse_count_bound, "many", "not a count"),
        (q.parse_count_bound, "-1", "not a count"),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_to_write(parse, text, word) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=word):
        parse(text)


def test_bounds_know_their_direction() -> None:
    floor = q._bound(q.parse_share, True, ">= 98%")
    assert floor(">= 98%").holds(0.98)
    assert not floor("> 98%").holds(0.98)
    with pytest.raises(ValueError, match="cannot be meant"):
        floor("<= 98%")
    with pytest.raises(ValueError, match="how to compare"):
        floor("98%")
    assert q.parse_count_bound(0).holds(0)
    assert not q.parse_count_bound("0").holds(1)
    assert q.parse_count_bound("< 3").holds(2)
    assert not q.parse_count_bound("< 3").holds(3)


@given(st.integers(0, 10**18))
def test_a_duration_survives_being_written(ns: int) -> None:
    assert q.parse_duration(q.format_duration(ns)) == ns


@given(st.decimals(0, 100, places=4))
def test_a_share_survives_being_written(percent: object) -> None:
    share = q.parse_share(f"{percent}%")
    assert q.parse_share(q.format_share(share)) == pytest.approx(share, abs=1e-15)


@given(st.decimals(0, 10**6, places=3), st.decimals(0, 10**6, places=3))
def test_a_rate_survives_being_written(start: object, end: object) -> None:
    rate = q.parse_rate_range(f"{start}/s..{end}/s")
    assert q.parse_rate_range(q.format_rate_range(rate)) == rate
