"""The ledger and the idempotency keys on their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.records import Movement
from mocks.idempotency import Keys, fingerprint
from mocks.ledger import Ledger, OverRefundError
from mocks.reply import Reply

operations = st.lists(
    st.tuples(st.sampled_from(["capture", "refund"]), st.integers(0, 3), st.integers(-5, 60)), max_size=40
)


@given(operations)
def test_whatever_is_asked_refunds_stay_within_captures(steps: list[tuple[str, int, int]]) -> None:
    told: list[Movement] = []
    ledger = Ledger("g", told.append)
    for place, (kind, payment, amount) in enumerate(steps):
        try:
            if kind == "capture":
                ledger.capture(f"c{payment}", f"o{payment}", amount, "EUR", place)
            else:
                ledger.refund(f"r{place}", f"c{payment}", amount, place)
        except (ValueError, KeyError):
            pass
    assert told == list(ledger) and len(ledger) == len(told)
    for payment in range(4):
        name = f"c{payment}"
        captured = [m for m in told if m.kind == "capture" and m.reference == name]
        refunded = sum(m.amount_minor for m in told if m.kind == "refund" and m.parent == name)
        assert len(captured) <= 1
        assert refunded == ledger.refunded(name)
        assert 0 <= refunded <= ledger.captured(name)
    assert all(m.amount_minor > 0 for m in told)


def test_a_refund_carries_what_the_capture_was() -> None:
    ledger = Ledger("stripe")
    ledger.capture("pi_1", "order", 1000, "EUR", 5)
    movement = ledger.refund("re_1", "pi_1", 400, 6)
    assert movement == Movement("stripe", "refund", "re_1", "pi_1", "order", 400, "EUR", 6)
    assert ledger.refundable("pi_1") == 600
    with pytest.raises(OverRefundError) as caught:
        ledger.refund("re_2", "pi_1", 601, 7)
    assert caught.value.left_minor == 600
    with pytest.raises(KeyError):
        ledger.refund("re_2", "pi_2", 1, 7)
    with pytest.raises(ValueError, match="captured before"):
        ledger.capture("pi_1", "order", 1000, "EUR", 8)


def test_no_more_disputed_money_comes_back_than_went() -> None:
    ledger = Ledger("adyen")
    ledger.capture("p", "order", 1000, "EUR", 5)
    with pytest.raises(ValueError, match="0 disputed"):
        ledger.return_dispute("d", "p", 1, 6)
    ledger.dispute("d", "p", 600, 6)
    back = ledger.return_dispute("d", "p", 600, 7)
    assert back == Movement("adyen", "dispute", "d", "p", "order", -600, "EUR", 7)
    for amount in (1, 0, -1):
        with pytest.raises(ValueError, match="of 0 disputed"):
            ledger.return_dispute("d", "p", amount, 8)
    ledger.dispute("d", "p", 600, 9)
    assert sum(m.amount_minor for m in ledger if m.kind == "dispute") == 600


def test_a_key_is_claimed_saved_replayed() -> None:
    keys = Keys()
    use = keys.claim("k", "/e", "f")
    assert keys.find("k") is use and use.in_progress and use.saved is None
    with pytest.raises(KeyError):
        keys.claim("k", "/e", "f")
    reply = Reply(200, b"x", "succeeded")
    use.save(reply)
    use.end()
    found = keys.find("k")
    assert found is use and found.saved == reply and not found.in_progress
    with pytest.raises(ValueError, match="saved"):
        use.save(reply)


def test_a_key_under_which_nothing_was_saved_is_free_again() -> None:
    keys = Keys()
    keys.claim("k", "/e", "f").end()
    assert keys.find("k") is None and len(keys) == 0
    assert keys.claim("k", "/other", "g").endpoint == "/other"


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_fingerprints_tell_parts_apart(one: list[bytes], other: list[bytes]) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)
