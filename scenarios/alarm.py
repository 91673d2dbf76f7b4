"""Sleeping until a due time, to the microsecond where the system can, and woken before if need be.

The timers of gevent's loop end up in ``epoll_wait``, which counts in milliseconds and rounds up: half a
millisecond of lateness on average, which would be added to every latency. Linux wakes a reader of a timer
file descriptor (timerfd_create(2)) at the nanosecond that was asked for, give or take its scheduler.
"""

from __future__ import annotations

import ctypes
import os
import sys
from time import monotonic_ns
from typing import Any

import gevent

_S = 1_000_000_000
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_MONOTONIC = 1  # CLOCK_MONOTONIC
_READ = 1  # EV_READ of libev


class Alarm:
    """Lets one greenlet at a time sleep."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._sleeper: Any = None
        self._waking = False
        self._timer = _file_timer(self._ring) if sys.platform == "linux" else None

    def sleep_until(self, due_ns: int | None) -> None:
        """Sleep until ``time.monotonic_ns()`` is at least ``due_ns``, or until ``wake``; with None, until
        then only."""
        self._sleeper = gevent.getcurrent()
        timer = None
        if due_ns is not None:
            if self._timer is not None:
                self._timer.set(due_ns)
            else:
                timer = self._hub.loop.timer(max(0.0, (due_ns - monotonic_ns()) / _S))
                timer.start(self._ring)
        try:
            self._hub.switch()
        finally:
            self._sleeper = None
            if timer is not None:
                timer.stop()
                timer.close()

    def wake(self) -> None:
        """Wake the sleeper, if there is one; from a greenlet or from the event loop."""
        if self._sleeper is not None and not self._waking:
            self._waking = True
            self._hub.loop.run_callback(self._woken)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _woken(self) -> None:
        self._waking = False
        self._ring()

    def _ring(self) -> None:
        if self._sleeper is not None:
            self._sleeper.switch()
        elif self._timer is not None:
            self._timer.silence()


class _TimerSpec(ctypes.Structure):
    """``struct itimerspec``."""

    _fields_ = [
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    ]


class _FileTimer:
    """A timer file descriptor, watched by the loop of gevent."""

    def __init__(self, libc: ctypes.CDLL, descriptor: int, ring: Any) -> None:
        self._spec = _TimerSpec()
        self._settime = libc.timerfd_settime
        self._settime.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._address = ctypes.addressof(self._spec)
        self._descriptor = descriptor
        self._watcher = gevent.get_hub().loop.io(descriptor, _READ)
        self._watcher.start(ring)

    def set(self, due_ns: int) -> None:
        """Ring at a reading of ``time.monotonic_ns()``; at once if it has passed. Silences what rang."""
        # A time of zero would switch the timer off.
        self._spec.value_s, self._spec.value_ns = divmod(max(1, due_ns), _S)
        self._settime(self._descriptor, _ABSOLUTE, self._address, None)

    def silence(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        os.close(self._descriptor)


def _file_timer(ring: Any) -> _FileTimer | None:
    libc = ctypes.CDLL(None)
    try:
        descriptor = libc.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    except AttributeError:
        return None  # a C library without it; a kernel without it answers -1
    return _FileTimer(libc, descriptor, ring) if descriptor >= 0 else None
