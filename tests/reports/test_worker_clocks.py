"""What is said of the clocks of load workers on several hosts."""

from typing import Any

from reports.findings import WorkerClock
from reports.render.generator import _clocks
from reports.worker_clocks import worker_clocks

MS = 1_000_000


def row(worker: str, at_s: int, shift_ns: int, error_ns: int, one_clock: bool = False) -> dict[str, Any]:
    return {
        "worker": worker,
        "host": f"host-of-{worker}",
        "at_ns": at_s * 10**9,
        "one_clock": one_clock,
        "shift_ns": shift_ns,
        "error_ns": error_ns,
    }


def test_times_may_be_wrong_by_the_shift_and_its_error() -> None:
    rows = [
        row("load-1", 600, 1_500_000, 200_000),
        row("load-0", 0, 0, 0, one_clock=True),
        row("load-1", 0, 0, 400_000),
        row("load-1", 300, -900_000, 300_000),
    ]
    own, other = worker_clocks(rows)
    assert own == WorkerClock("load-0", "host-of-load-0", True, 0, 0, 0, 0)
    assert other == WorkerClock("load-1", "host-of-load-1", False, 1_700_000, 1_500_000, 600_000, 600 * 10**9)
    assert worker_clocks([]) == ()


def test_each_other_clock_is_stated_with_its_error_and_drift() -> None:
    clocks = (
        WorkerClock("load-0", "a", True, 0, 0, 0, 60 * 10**9),
        WorkerClock("load-1", "b", False, 2 * MS, 1 * MS, MS // 2, 60 * 10**9),
        WorkerClock("load-2", "c", False, 80 * MS, 1 * MS, 60 * MS, 60 * 10**9),
    )
    assert "; ".join(_clocks(clocks)) == (
        "load-0: the master's own; "
        "load-1 on b: its times are wrong by 2.0 ms at most; the clocks came apart by 1.0 ms (give or take "
        "0.50 ms) in 1 min; "
        "load-2 on c: its times are wrong by 80 ms at most, and do not compare with those of other hosts; the "
        "clocks came apart by less than 61 ms in 1 min; "
        "latency is measured on one clock each, and is not touched"
    )
    assert _clocks(clocks[:1]) == ["load-0: the master's own"]
