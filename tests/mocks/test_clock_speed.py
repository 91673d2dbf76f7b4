"""A mock's clock that runs faster than real time."""

from __future__ import annotations

import asyncio

import pytest

from mocks.mock_clock import MockClock


def test_a_fast_clock_gains_and_never_jumps_when_its_speed_changes() -> None:
    real = [1000.0]
    clock = MockClock(lambda: real[0])
    real[0] += 10
    assert (clock.now(), clock.ahead, clock.speed) == (1010, 0, 1)
    clock.run_at(60)
    assert clock.now() == 1010
    real[0] += 2
    assert (clock.now(), clock.unix(), clock.ahead, clock.speed) == (1130, 1130, 118, 60)
    clock.advance(70)
    assert (clock.now(), clock.ahead) == (1200, 188)
    clock.run_at(0.5)
    assert clock.now() == 1200
    real[0] += 4
    assert clock.now() == 1202


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_is_above_zero_and_finite(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        MockClock(lambda: 0.0, speed)


def test_on_an_event_loop_a_day_of_a_fast_clock_is_over_at_once() -> None:
    async def day() -> list[str]:
        clock, seen, done = MockClock(speed=1_000_000), list[str](), asyncio.Event()
        clock.call_later(2 * 86_400, done.set)
        clock.call_later(86_400, lambda: seen.append("first"))
        await asyncio.wait_for(done.wait(), 20)
        clock.clear()
        return seen

    assert asyncio.run(day()) == ["first"]


def test_a_clock_that_is_made_faster_wakes_sooner() -> None:
    async def day() -> None:
        clock, done = MockClock(), asyncio.Event()
        clock.call_later(86_400, done.set)
        clock.run_at(1_000_000)
        await asyncio.wait_for(done.wait(), 20)

    asyncio.run(day())


def test_what_falls_due_while_others_fire_waits_for_its_turn() -> None:
    real = [0.0]
    clock = MockClock(lambda: real[0])
    seen: list[float] = []

    def portion() -> None:
        seen.append(clock.now())
        real[0] += 5
        clock.call_later(1, portion)

    clock.call_at(0, portion)
    assert clock.fire_due() == 1 and seen == [0]
    real[0] += 1
    assert clock.fire_due() == 1 and seen == [0, 6]
