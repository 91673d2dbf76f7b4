"""Working days, by their number since 1970-01-01 (a Thursday).

Saturdays and Sundays are free; bank holidays, which differ by scheme, are not known here, so that days around
them come earlier than in life.
"""

from __future__ import annotations

import functools
from datetime import date

DAY_S = 86_400
CUT_OFF_HOUR = 16
"""From this hour on, what is created counts as created on the next working day (published for the UK in its
local time, here UTC)."""

_EPOCH = date(1970, 1, 1).toordinal()


def is_working(day: int) -> bool:
    """Whether banks work on this day."""
    return (day + 3) % 7 < 5


def roll_forward(day: int) -> int:
    """This day, or the next working day when it is free."""
    while not is_working(day):
        day += 1
    return day


@functools.lru_cache(4096)
def later(day: int, working_days: int) -> int:
    """The working day that comes so many working days after a day, before it when they are negative. A free
    day counts as the next working day."""
    day = roll_forward(day)
    step = 1 if working_days > 0 else -1
    for _ in range(abs(working_days)):
        day += step
        while not is_working(day):
            day += step
    return day


def taken_on(seconds: float) -> int:
    """The working day on which something that is created at this time (Unix seconds) is taken up."""
    day, second = divmod(int(seconds), DAY_S)
    return roll_forward(day + (second >= CUT_OFF_HOUR * 3600))


def at(day: int, hour: int) -> float:
    """Unix seconds of an hour of a day."""
    return float(day * DAY_S + hour * 3600)


def text(day: int) -> str:
    """A day as the API writes it: ``2014-05-19``."""
    return date.fromordinal(day + _EPOCH).isoformat()


def number(written: str) -> int | None:
    """The number of a day that is written ``2014-05-19``; None when there is no such day."""
    if len(written) != 10:
        return None
    try:
        return date.fromisoformat(written).toordinal() - _EPOCH
    except ValueError:
        return None
