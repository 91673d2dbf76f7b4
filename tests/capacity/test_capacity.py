"""The arithmetic of a plan, on figures that are easy to check by hand."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.capacity import (
    Capacity,
    CapacityError,
    Demand,
    Figures,
    Machine,
    Need,
    alone,
    capacity,
    in_flight,
    size,
)

S = 1_000_000_000
MS = 1_000_000

FIGURES = Figures(
    rate=4000.0,
    lateness_p99_ns=3 * MS,
    core=0.8,
    http_bytes=800.0,
    segments=2.0,
    journal_bytes=200.0,
    resident_bytes=100 * 2**20,
    in_flight_bytes=16_384.0,
    files=10,
)
MACHINE = Machine(cores=4, memory_bytes=8 * 2**30, open_files=20_000, ports=28_232)
PEAK = Demand(
    peak=544_000.0,
    latency_ns=400 * MS,
    timeout_ns=5 * S,
    duration_ns=60 * S,
    addresses=1,
    max_in_flight=4_000_000,
)


def of(found: Capacity, name: str, *, dark: bool = False) -> Need:
    return next(need for need in (found.dark if dark else found.needs) if need.name == name)


def test_a_peak_by_hand() -> None:
    found = capacity(PEAK, FIGURES, MACHINE)
    assert found.workers == 204  # 544,000 x 1.5 / 4,000
    assert found.machines == 51  # / 4 cores
    assert of(found, "payments in flight").value == 217_600  # x 0.4 s
    assert of(found, "connections of a worker").value == 1_067  # / 204, rounded up
    assert of(found, "file descriptors of a worker").value == 1_077
    assert of(found, "ports of a machine").value == 4_267  # 217,600 / 51, rounded up
    assert of(found, "network").value == 544_000 * (800 + 2 * 90) * 8
    assert of(found, "journal to the master").value == 544_000 * 200
    assert of(found, "journal on disk").value == 544_000 * 200 * 60
    assert of(found, "memory of a worker").value == 100 * 2**20 + 1_067 * 16_384
    assert of(found, "payments in flight", dark=True).value == 2_720_000
    assert of(found, "file descriptors of a worker", dark=True).value == 13_344  # 2,720,000 / 204 + 10
    assert of(found, "ports of a machine", dark=True).value == math.ceil(544_000 * 65 / 51)
    assert found.alone == Need("one machine alone", 10_666, "1/s", "4 cores x 4,000/s / 1.5 headroom")


def test_the_arithmetic_is_shown() -> None:
    found = capacity(PEAK, FIGURES, MACHINE)
    assert of(found, "workers").how == "544,000/s x 1.5 headroom / 4,000/s of one worker"
    assert of(found, "machines").how == "204 workers / 4 cores, one worker a core"
    assert of(found, "payments in flight").how.startswith("544,000/s x 400ms (Little's law")


@pytest.mark.parametrize(
    ("machine", "workers", "machines", "by"),
    [
        # 217,600 in flight / (1,010 - 10) descriptors; / 4 cores
        (dataclasses.replace(MACHINE, open_files=1_010), 218, 55, "1,000 connections"),
        # 217,600 / 1,000 ports
        (dataclasses.replace(MACHINE, ports=1_000), 204, 218, "217,600 in flight / 1,000 ports"),
        # 204 x 100 MiB + 217,600 x 16 KiB = 23,800 MiB; / 128 MiB
        (dataclasses.replace(MACHINE, memory_bytes=128 * 2**20), 204, 186, "23.3 GiB for the workers"),
        (dataclasses.replace(MACHINE, cores=1), 204, 204, "204 workers / 1 core"),
    ],
)
def test_the_scarcest_thing_decides(machine: Machine, workers: int, machines: int, by: str) -> None:
    found = capacity(PEAK, FIGURES, machine)
    assert (found.workers, found.machines) == (workers, machines)
    assert by in of(found, "workers").how + of(found, "machines").how


def test_more_addresses_need_fewer_machines_for_their_ports() -> None:
    few = dataclasses.replace(MACHINE, ports=1_000)
    assert capacity(PEAK, FIGURES, few).machines == 218
    assert capacity(dataclasses.replace(PEAK, addresses=4), FIGURES, few).machines == 55


def test_what_does_not_fit_while_the_platform_is_dark_is_said_with_when_and_what_to_do() -> None:
    tight = dataclasses.replace(MACHINE, open_files=5_010)
    found = capacity(dataclasses.replace(PEAK, max_in_flight=300_000), FIGURES, tight)
    cap, files, ports = found.warnings
    assert "max_in_flight is 300,000" in cap and "not sent from 0.6 s on; 2,720,000 would do" in cap
    assert "out of file descriptors after 1.9 s" in files and "544 workers" in files  # 5,000 x 204 / 544,000
    assert "28,232 ports after 2.6 s" in ports  # 28,232 x 51 / 544,000


def test_ports_of_closed_connections_are_held_for_another_minute() -> None:
    # 544,000 x (5 + 60) / 51 machines = 693,333.3; without the minute, 53,333.3.
    for ports, warnings in ((60_000, 1), (693_333, 1), (693_334, 0)):
        found = capacity(PEAK, FIGURES, dataclasses.replace(MACHINE, ports=ports))
        assert len(found.warnings) == warnings


def test_a_load_that_may_hold_too_little_for_the_peak_itself_is_said() -> None:
    (cap, *_) = capacity(dataclasses.replace(PEAK, max_in_flight=4_000), FIGURES, MACHINE).warnings
    assert "217,600 payments are in flight at the peak: set it to 217,600 at least" in cap


def test_nothing_is_warned_of_where_everything_fits() -> None:
    small = dataclasses.replace(PEAK, peak=400.0)
    assert capacity(small, FIGURES, MACHINE).warnings == ()


def test_a_machine_that_cannot_even_start_a_worker_is_refused() -> None:
    with pytest.raises(CapacityError, match="needs 10 file descriptors before its first connection"):
        capacity(PEAK, FIGURES, dataclasses.replace(MACHINE, open_files=10))


@pytest.mark.parametrize(
    ("machine", "rate", "how"),
    [
        (MACHINE, 10_666, "4 cores x 4,000/s"),
        (dataclasses.replace(MACHINE, ports=400), 1_000, "400 ports / 400ms"),
        (dataclasses.replace(MACHINE, open_files=50), 400, "4 workers x 40 connections / 400ms"),
    ],
)
def test_what_a_machine_carries_alone(machine: Machine, rate: int, how: str) -> None:
    need = alone(PEAK, FIGURES, machine)
    assert need.value == rate and how in need.how


@pytest.mark.parametrize(
    ("rate", "latency_ns", "count"),
    [(100.0, S, 100), (100.0, 15 * MS, 2), (0.1, S, 1), (544_000.0, 400 * MS, 217_600), (1000.1, S, 1001)],
)
def test_littles_law_rounded_up(rate: float, latency_ns: int, count: int) -> None:
    assert in_flight(rate, latency_ns) == count


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (1025, "1.1 KiB"), (5 * 2**30, "5.0 GiB"),
     (150 * 2**20 + 1, "151 MiB"), (3000 * 2**40, "3,000 TiB")],
)  # fmt: skip
def test_sizes_are_rounded_up(count: int, text: str) -> None:
    assert size(count) == text


@given(
    peak=st.floats(0.5, 1e6),
    latency_ns=st.integers(1, 5 * S),
    rate=st.floats(10, 1e5),
    machine=st.builds(
        Machine,
        cores=st.integers(1, 256),
        memory_bytes=st.integers(2**30, 2**40),
        open_files=st.integers(11, 10**6),
        ports=st.integers(1, 65_535),
    ),
)
def test_what_is_planned_carries_the_peak(
    peak: float, latency_ns: int, rate: float, machine: Machine
) -> None:
    demand = dataclasses.replace(PEAK, peak=peak, latency_ns=latency_ns)
    figures = dataclasses.replace(FIGURES, rate=rate)
    found = capacity(demand, figures, machine)
    flying = peak * latency_ns / S
    part = 1 - 1e-6  # of what floats leave over
    assert found.workers * rate >= peak * 1.5 * part
    assert found.workers * (machine.open_files - figures.files) >= flying * part
    assert found.machines * machine.cores >= found.workers
    assert found.machines * machine.ports >= flying * part
    memory = found.workers * figures.resident_bytes + flying * figures.in_flight_bytes
    assert found.machines * machine.memory_bytes >= memory * part
    assert (found.workers - 1) * rate < peak * 1.5 or (found.workers - 1) * (
        machine.open_files - figures.files
    ) < flying + 1
