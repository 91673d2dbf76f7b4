"""The alarm rings at the time it was set to, never before, and when it is woken."""

from time import monotonic_ns

import gevent
import pytest

from scenarios import alarm
from scenarios.alarm import Alarm

MS = 1_000_000


@pytest.fixture(params=["timer file descriptor", "timer of the loop"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "timer of the loop":
        monkeypatch.setattr(alarm, "_file_timer", lambda ring: None)
    return str(request.param)


def slept(alarm: Alarm, due_ns: int | None) -> int:
    """Sleep until a time, and return the time at which the sleep was over."""
    alarm.sleep_until(due_ns)
    return monotonic_ns()


def test_it_rings_at_its_time_and_can_be_set_again(kind: str) -> None:
    alarm = Alarm()
    try:
        for wait in (5, 0, 1, 3):
            due = monotonic_ns() + wait * MS
            with gevent.Timeout(5):
                over = slept(alarm, due)
            # The loop's own timers count from the time at which the loop last looked.
            early = 0 if kind == "timer file descriptor" else 3 * MS
            assert over >= due - early
    finally:
        alarm.close()


def test_a_time_that_has_passed_rings_at_once(kind: str) -> None:
    alarm = Alarm()
    try:
        with gevent.Timeout(5):
            slept(alarm, monotonic_ns() - 1000 * MS)
            slept(alarm, -5)
    finally:
        alarm.close()


@pytest.mark.parametrize("hour", [True, False])
def test_it_is_woken_before_its_time(kind: str, hour: bool) -> None:
    alarm = Alarm()
    try:
        due = monotonic_ns() + 3600 * 1000 * MS if hour else None
        sleeping = gevent.spawn(slept, alarm, due)
        gevent.sleep(0)
        alarm.wake()
        alarm.wake()
        with gevent.Timeout(5):
            sleeping.get()
        # Waking nobody wakes nobody later.
        alarm.wake()
        again = gevent.spawn(slept, alarm, None)
        gevent.sleep(0.01)
        assert not again.ready()
        again.kill()
    finally:
        alarm.close()


def test_ringing_for_nobody_does_not_keep_the_loop_busy() -> None:
    alarm = Alarm()
    try:
        sleeping = gevent.spawn(slept, alarm, monotonic_ns() + 20 * MS)
        gevent.sleep(0)
        sleeping.kill()
        rings = 0
        ring = alarm._ring

        def counted() -> None:
            nonlocal rings
            rings += 1
            ring()

        assert alarm._timer is not None
        alarm._timer._watcher.stop()
        alarm._timer._watcher.start(counted)
        gevent.sleep(0.05)
        assert rings == 1
    finally:
        alarm.close()
