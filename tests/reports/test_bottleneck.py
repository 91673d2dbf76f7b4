"""The bottleneck that is named is the one that was there."""

from __future__ import annotations

from typing import Any

import pytest

from reports.bottleneck import advice, bottleneck
from tests.reports.load_samples import MS, samples, seconds

LATE = {"lateness_max_ns": 400 * MS}
BLOCKED = {"loop_lags_ns": (1 * MS, 800 * MS, 780 * MS, 1 * MS), "lateness_max_ns": 800 * MS}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # Its own computing fills a core.
        (LATE | {"cpu_ns": 980 * MS}, "the CPU of load process load-0, 98.00% of a core"),
        (LATE | {"cpu_ns": 900 * MS, "cpu_wait_ns": 60 * MS}, "the CPU of load process load-0"),
        # It could have run all the time, and others had the CPU for a good part of it.
        (LATE | {"cpu_ns": 500 * MS, "cpu_wait_ns": 480 * MS}, "it waited 480 ms for a CPU that others had"),
        (BLOCKED | {"cpu_ns": 100 * MS, "cpu_wait_ns": 700 * MS}, "it waited 700 ms for a CPU"),
        # The loop stood still, and the process neither computed nor waited.
        (BLOCKED | {"cpu_ns": 50 * MS}, "load process load-0 did not run for 800 ms before 2.000 s"),
        # The loop stood still while it collected garbage, which is computing too.
        (BLOCKED | {"cpu_ns": 990 * MS, "gc_pause_max_ns": 790 * MS}, "garbage collection in load process load-0"),
        # The loop stood still, with work of its own, although there was time left in that second.
        (BLOCKED | {"cpu_ns": 850 * MS}, "the event loop of load process load-0, held up for up to 800 ms"),
        # Late, with time to spare, and a loop that was not held up: nothing on record says why.
        (LATE, ""),
        # Busy, but not late: no bottleneck.
        ({"cpu_ns": 990 * MS}, ""),
    ],
)  # fmt: skip
def test_the_cause_of_a_late_second(changes: dict[str, Any], said: str) -> None:
    found = bottleneck(samples(seconds({}, changes, {})))
    assert (said in found) if said else found == ""
    assert said == "" or found.endswith(("lower rate", "load's cores", "collects less", "is not paused")), (
        "it says what to do"
    )


def test_the_seconds_that_a_cause_explains_are_counted() -> None:
    busy = LATE | {"cpu_ns": 980 * MS}
    assert "in 2 of the 3 seconds in which it was late" in bottleneck(samples(seconds({}, busy, busy, LATE)))


def test_the_worst_cause_comes_first_and_the_same_one_is_told_once() -> None:
    stopped, busy = BLOCKED | {"cpu_ns": 10 * MS}, LATE | {"cpu_ns": 980 * MS}
    rows = [
        *seconds(busy, stopped, process="load-0"),
        *seconds(busy, {}, process="load-1"),
        *seconds(busy, {}, process="load-2"),
    ]
    found = bottleneck(samples(rows))
    assert found.startswith("load process load-0 did not run for 800 ms")
    assert "the CPU of load process load-0" in found
    assert "and 2 other load processes likewise" in found
    assert "load-1" not in found


def test_what_the_hypervisor_took_is_named() -> None:
    wait = LATE | {"cpu_ns": 500 * MS, "cpu_wait_ns": 480 * MS, "steal_ns": 300 * MS}
    assert "300 ms of it at the most to other machines" in bottleneck(samples(seconds({}, wait)))


def test_without_figures_of_the_wait_only_what_is_known_is_named() -> None:
    unknown = BLOCKED | {"cpu_ns": 100 * MS, "cpu_wait_ns": None}
    found = bottleneck(samples(seconds({}, unknown)))
    assert "did not compute then: it was stopped, or others had its CPU" in found
    assert "waited" not in found


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("500 payments in flight already", "load.max_in_flight"),
        ("no file descriptor left for a connection (EMFILE); raise `ulimit -n`", "ulimit -n"),
        ("no local port left for a connection (EADDRNOTAVAIL)", "more load machines"),
        ("something else", ""),
    ],
)
def test_what_to_do_about_a_payment_that_was_not_sent(error: str, what: str) -> None:
    assert (what in advice(error)) if what else advice(error) == ""
