"""The mock's wall clock, and what is due on it."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.idempotency import BLOCK, Keys
from mocks.mock_clock import MockClock
from mocks.reply import Reply


def standing(at: float = 1000.0) -> MockClock:
    return MockClock(lambda: at)


@given(st.lists(st.integers(0, 50), max_size=12), st.lists(st.integers(0, 20), max_size=6))
def test_timers_fire_once_in_order_at_their_own_time(delays: list[int], steps: list[int]) -> None:
    clock = standing()
    fired: list[tuple[float, int, float]] = []
    for number, delay in enumerate(delays):
        clock.call_later(delay, lambda n=number, d=delay: fired.append((1000.0 + d, n, clock.now())))  # type: ignore[misc]
    told = sum(clock.advance(step) for step in steps)
    due = sorted((1000.0 + delay, number) for number, delay in enumerate(delays) if delay <= sum(steps))
    assert [(at, number) for at, number, _ in fired] == due if steps else not fired
    assert all(at == seen for at, _, seen in fired) and told == len(fired)
    assert clock.now() == 1000.0 + sum(steps) == 1000.0 + clock.ahead


def test_a_timer_set_by_a_timer_fires_in_the_same_advance_and_a_canceled_one_never() -> None:
    clock = standing()
    seen: list[tuple[str, float]] = []

    def first() -> None:
        seen.append(("first", clock.now()))
        clock.call_later(5, lambda: seen.append(("second", clock.now())))
        late.cancel()

    clock.call_later(10, first)
    late = clock.call_later(12, lambda: seen.append(("canceled", clock.now())))
    assert clock.advance(20) == 2
    assert seen == [("first", 1010.0), ("second", 1015.0)]
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_what_a_timer_raises_leaves_the_others_and_the_clock_whole() -> None:
    clock = standing()
    seen: list[float] = []
    clock.call_later(1, lambda: [][0])
    clock.call_later(2, lambda: seen.append(clock.now()))
    with pytest.raises(IndexError):
        clock.advance(3)
    assert clock.now() == 1003.0
    assert clock.fire_due() == 1 and seen == [1003.0]


def test_real_time_fires_timers_on_a_loop() -> None:
    async def run() -> list[str]:
        clock, seen, done = MockClock(), list[str](), asyncio.Event()
        clock.call_later(3600, lambda: seen.append("in an hour"))
        clock.call_later(0.02, done.set)
        clock.call_later(0.01, lambda: seen.append("soon"))
        async with asyncio.timeout(20):
            await done.wait()
        clock.clear()
        return seen

    assert asyncio.run(run()) == ["soon"]


def test_nothing_fires_of_which_the_observer_is_not_told() -> None:
    class Observer:
        def begin(self, what: str, value: float) -> bool:
            seen.append(what)
            return True

        def finish(self) -> None:
            seen.append("finished")

    seen: list[str] = []
    # Time goes on between any two looks at it: there is always one before a timer is due, and one after.
    readings = itertools.count(1000.0)
    clock = MockClock(lambda: next(readings))
    clock.observer = Observer()
    for due in (1010.0, 1021.0):
        clock.call_at(due, lambda: seen.append("fired"))
    for _ in range(30):
        clock.fire_due()
    assert seen == 2 * ["fire", "fired", "finished"]


def test_a_key_is_free_again_after_its_lifetime_but_not_while_in_use() -> None:
    clock = standing()
    keys = Keys(clock, 100)
    done, busy = keys.claim("done", "/e", "f"), keys.claim("busy", "/e", "f")
    done.save(Reply(200, b""))
    done.end()
    clock.advance(99)
    assert keys.find("done") is done
    clock.advance(1)
    assert keys.find("done") is None and keys.find("busy") is busy
    with pytest.raises(KeyError):
        keys.claim("busy", "/e", "f")
    busy.save(Reply(200, b""))
    busy.end()
    assert keys.find("busy") is None and len(keys) == 0


def test_expired_keys_make_room_without_being_asked_for() -> None:
    clock = standing()
    keys = Keys(clock, 10)
    for number in range(10 * BLOCK):
        use = keys.claim(f"k{number}", "/e", "f")
        use.save(Reply(200, b""))
        use.end()
        clock.advance(1)
        assert len(keys) <= 10 + 2 * BLOCK
    assert keys.find(f"k{10 * BLOCK - 11}") is None and keys.find(f"k{10 * BLOCK - 9}") is not None
