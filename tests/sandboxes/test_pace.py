"""The pace: under the limit in every window, and nearly as fast as the limit in the long run."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.rate_limit import Limit
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.pace import Pace, burst, sustained

LIMITS = st.builds(Limit, st.integers(2, 200), st.sampled_from([0.5, 1.0, 7.0, 60.0]))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(LIMITS, st.lists(st.floats(0, 3), min_size=1, max_size=300))
def test_no_window_of_a_period_holds_more_than_the_limit(limit: Limit, pauses: list[float]) -> None:
    clock = Clock()
    pace = Pace(limit, most_waiting_s=float("inf"), now=clock)
    at = []
    for pause in pauses:
        # Many come at once, then nobody for a while: what fills a bucket and then drains it.
        clock.now += 0 if pause < 2 else (pause - 2) * limit.period_s * 1.5
        wait = pace.turn()
        assert wait is not None
        at.append(clock.now + wait)
    assert at == sorted(at)
    for first, start in enumerate(at):
        within = sum(1 for moment in at[first:] if moment < start + limit.period_s - 1e-6)
        assert within <= limit.requests


@pytest.mark.parametrize("name", SANDBOXES)
def test_in_the_long_run_a_sandbox_is_used_to_nearly_its_limit(name: str) -> None:
    limit = SANDBOXES[name].limit
    clock = Clock()
    pace = Pace(limit, most_waiting_s=float("inf"), now=clock)
    waits = [pace.turn() for _ in range(10 * limit.requests)]
    last = waits[-1]
    assert last is not None
    rate = len(waits) / last
    assert 0.9 * limit.requests / limit.period_s <= rate <= limit.requests / limit.period_s
    assert waits[: burst(limit)] == [0.0] * burst(limit)
    assert sustained(limit) == pytest.approx((len(waits) - burst(limit)) / last)


def test_a_queue_that_is_too_long_takes_nobody_in() -> None:
    clock = Clock()
    pace = Pace(Limit(10), most_waiting_s=1.0, now=clock)
    given = [pace.turn() for _ in range(30)]
    taken = [wait for wait in given if wait is not None]
    assert len(taken) == 1 + 9  # one at once, and those that fit into the second ahead
    assert max(taken) <= 1.0
    clock.now += 1.0
    assert pace.turn() is not None, "who was not taken in has used no turn"


def test_waiting_is_as_long_as_the_turn_says() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        pace = Pace(Limit(100))
        began = loop.time()
        assert all([await pace.wait() for _ in range(5 + 10)])
        return [loop.time() - began]

    (took,) = asyncio.run(main())
    assert took >= 10 / 95 - 0.01  # the loop's clock may fire a timer a resolution early


def test_a_limit_of_one_request_is_refused() -> None:
    with pytest.raises(ValueError, match="longer period"):
        Pace(Limit(1))
