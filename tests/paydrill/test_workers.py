"""What ``--expect-workers``, ``--bind`` and ``--expect-workers-max-wait`` mean together."""

import pytest

from paydrill.workers import Awaited, WorkersError, awaited


@pytest.mark.parametrize(
    ("bind", "max_wait", "expected"),
    [
        (None, None, Awaited(3, "127.0.0.1", 5557, 120)),
        ("10.0.0.5:6000", 30.0, Awaited(3, "10.0.0.5", 6000, 30)),
        ("[::1]:5557", None, Awaited(3, "::1", 5557, 120)),
        ("master.internal:5557", None, Awaited(3, "master.internal", 5557, 120)),
    ],
)
def test_what_is_waited_for(bind: str | None, max_wait: float | None, expected: Awaited) -> None:
    assert awaited(3, bind, max_wait, 1) == expected


def test_without_workers_to_wait_for_nothing_is_waited_for() -> None:
    assert awaited(None, None, None, 4) is None


@pytest.mark.parametrize(
    ("workers", "bind", "max_wait", "processes", "why"),
    [
        (None, "127.0.0.1:5557", None, 1, "--bind: only with --expect-workers"),
        (None, None, 5.0, 1, "--expect-workers-max-wait: only with --expect-workers"),
        (2, None, None, 2, "give one of both"),
        (2, "5557", None, 1, "give a host and a port"),
        (2, "host:", None, 1, "give a host and a port"),
        (2, "host:70000", None, 1, "give a host and a port"),
        (2, ":5557", None, 1, "give a host and a port"),
        (2, "[12345]:x5557", None, 1, "give a host and a port"),
        (2, "a:b:5557", None, 1, "is no address"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    workers: int | None, bind: str | None, max_wait: float | None, processes: int, why: str
) -> None:
    with pytest.raises(WorkersError, match=why):
        awaited(workers, bind, max_wait, processes)


def test_a_master_on_every_address_is_reached_by_its_name() -> None:
    told = Awaited(2, "0.0.0.0", 5557, 120).how_to_start()
    assert "0.0.0.0" not in told
    assert told.endswith("--master-port 5557")
    assert "--master-host 10.0.0.5 " in Awaited(2, "10.0.0.5", 5557, 120).how_to_start()
