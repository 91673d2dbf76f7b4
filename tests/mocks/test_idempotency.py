"""Idempotency keys over many requests: what is packed away is what was saved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mocks.idempotency import BLOCK, Keys
from mocks.mock_clock import MockClock
from mocks.reply import Reply


def _reply(number: int) -> Reply:
    headers = (("x-number", str(number)),) if number % 3 == 0 else ()
    return Reply(
        200 + number % 5, f'{{"id": {number}}}'.encode(), ("succeeded", "", "declined")[number % 3], headers
    )


def _used(keys: Keys, number: int) -> None:
    use = keys.claim(f"k{number}", f"/e/{number}", f"print-{number}")
    use.save(_reply(number))
    use.order_id = f"o-{number}"
    use.end()


def test_a_packed_key_still_has_all_that_was_saved() -> None:
    keys = Keys()
    for number in range(3 * BLOCK + 7):
        _used(keys, number)
    for number in range(3 * BLOCK + 7):
        use = keys.find(f"k{number}")
        assert use is not None and not use.in_progress and use.saved == _reply(number)
        assert (use.key, use.endpoint, use.fingerprint, use.order_id) == (
            f"k{number}",
            f"/e/{number}",
            f"print-{number}",
            f"o-{number}",
        )


def test_clearing_spares_what_is_in_use() -> None:
    keys = Keys()
    for number in range(BLOCK + 3):
        _used(keys, number)
    busy = keys.claim("busy", "/e", "f")
    keys.clear()
    assert len(keys) == 1 and keys.find("k1") is None and keys.find(f"k{BLOCK + 1}") is None
    for number in range(BLOCK):
        _used(keys, number)
    busy.save(Reply(200, b"late"))
    busy.end()
    found = keys.find("busy")
    assert found is not None and found.saved == Reply(200, b"late")


@given(
    st.lists(st.tuples(st.integers(0, 4 * BLOCK), st.floats(0, 3)), min_size=2 * BLOCK, max_size=6 * BLOCK)
)
def test_every_key_is_known_for_its_lifetime_and_no_longer(steps: list[tuple[int, float]]) -> None:
    clock = MockClock(lambda: 0.0)
    keys = Keys(clock, 100.0)
    expires: dict[int, float] = {}
    for number, wait in steps:
        clock.advance(wait)
        use = keys.find(f"k{number}")
        assert (use is not None) == (expires.get(number, 0.0) > clock.now())
        if use is None:
            _used(keys, number)
            expires[number] = clock.now() + 100.0
        else:
            assert use.saved == _reply(number)
