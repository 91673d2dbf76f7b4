"""The breaker, played through with a clock that is passed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.platform.breaker import Breaker, Permit, Settings, State

SETTINGS = Settings(failures=3, window=10, share=0.5, open_ns=1000, trials=3)


def breaker() -> tuple[Breaker, list[State]]:
    changes: list[State] = []
    return Breaker(SETTINGS, on_change=changes.append), changes


def permit(of: Breaker, now_ns: int) -> Permit:
    given_ = of.permit(now_ns)
    assert given_ is not None
    return given_


def play(of: Breaker, results: str, now_ns: int = 0) -> None:
    """``.`` a success, ``x`` a failure, ``-`` nothing that counts; stops when no call is let through."""
    for result in results:
        leave = of.permit(now_ns)
        if leave is None:
            return
        if result == ".":
            of.success(leave)
        elif result == "x":
            of.failure(leave, now_ns)
        else:
            of.release(leave)


@pytest.mark.parametrize(
    ("results", "state"),
    [
        ("", "closed"),
        ("xx", "closed"),
        ("xxx", "open"),
        ("xx.xx.xx", "closed"),
        ("xx-x", "open"),  # a 429 between two failures is no sign of health
        ("-" * 50, "closed"),
        ("x.x.x.x.x.x", "open"),  # half of the window
        ("x.x.x.x.x.", "closed"),  # it is looked at when a call fails
        ("x.x.x.x.x", "closed"),  # the window is not full yet
        ("x." * 4 + ".." + ".." * 3, "closed"),
        ("....." * 4 + "xx.xx.x", "open"),  # the window slides
    ],
)
def test_what_opens_it(results: str, state: State) -> None:
    it, _ = breaker()
    play(it, results)
    assert it.state == state


def test_open_half_open_closed_and_what_is_told() -> None:
    it, changes = breaker()
    play(it, "xxx", now_ns=50)
    assert it.permit(1049) is None
    first = permit(it, 1050)
    assert it.permit(1050) is None, "the first trial goes alone: it may be lost"
    it.success(first)
    second, third = permit(it, 1051), permit(it, 1051)
    assert it.permit(1051) is None, "no more trials than it takes"
    it.success(second)
    assert it.permit(1052) is None
    assert changes == ["open", "half_open"]
    it.success(third)
    assert changes == ["open", "half_open", "closed"]
    play(it, "xx")
    assert it.state == "closed", "it starts afresh"


def test_a_trial_that_fails_opens_it_again_for_the_whole_time() -> None:
    it, changes = breaker()
    play(it, "xxx", now_ns=0)
    it.success(permit(it, 1000))
    trial, other = permit(it, 1000), permit(it, 1000)
    it.failure(trial, 1200)
    assert it.permit(2199) is None
    it.success(other)  # of a state that is gone
    assert it.state == "open"
    assert it.permit(2200) is not None
    assert changes == ["open", "half_open", "open", "half_open"]


def test_a_trial_that_says_nothing_gives_its_place_back() -> None:
    it, _ = breaker()
    play(it, "xxx")
    it.release(permit(it, 1000))
    it.success(permit(it, 1000))
    one, two = permit(it, 1000), permit(it, 1000)
    it.release(one)
    it.release(one)  # twice is once
    three = permit(it, 1001)
    assert it.permit(1001) is None
    it.success(two)
    it.success(three)
    assert it.state == "closed"


def test_a_trial_is_judged_once() -> None:
    it, _ = breaker()
    play(it, "xxx")
    trial = permit(it, 1000)
    it.success(trial)
    it.success(trial)
    assert it.state == "half_open"


def test_calls_that_began_before_it_opened_do_not_count_after() -> None:
    it, changes = breaker()
    old = [permit(it, 0) for _ in range(20)]
    for leave in old[:3]:
        it.failure(leave, 10)
    it.success(permit(it, 1010))
    trials = [permit(it, 1010), permit(it, 1010)]
    for leave in old[3:]:
        it.failure(leave, 1011)
    assert changes == ["open", "half_open"]
    for leave in trials:
        it.success(leave)
    for leave in old:
        it.failure(leave, 1012)
    assert changes == ["open", "half_open", "closed"]


@given(st.lists(st.tuples(st.sampled_from("px.-"), st.integers(0, 700)), max_size=200))
def test_never_more_trials_than_allowed_and_never_stuck(steps: list[tuple[str, int]]) -> None:
    it, _ = breaker()
    now = 0
    held: list[Permit] = []
    for step, wait in steps:
        now += wait
        if step == "p":
            leave = it.permit(now)
            if leave is not None:
                held.append(leave)
        elif held:
            leave = held.pop(0)
            if step == "x":
                it.failure(leave, now)
            elif step == ".":
                it.success(leave)
            else:
                it.release(leave)
        if it.state == "half_open":
            most = SETTINGS.trials if it._trials_succeeded else 1
            assert len([leave for leave in held if leave.epoch == it._epoch and not leave.judged]) <= most
    for leave in held:
        it.release(leave)
    now += SETTINGS.open_ns
    assert it.permit(now) is not None
