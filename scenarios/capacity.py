"""How many workers, machines, connections and bytes a peak needs: arithmetic over measured figures.

Nothing here measures or guesses. What one load worker does comes from a calibration (``Figures``), what one
machine offers from the machine itself (``Machine``), and what is wanted from whoever asks (``Demand``).
Connections follow from Little's law: payments in flight on average = arrival rate x mean latency (J. D. C.
Little, "A Proof for the Queuing Formula L = lambda W", Operations Research 9, 1961). A percentile stands for
the mean here, which is more. Every need is rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.quantities import format_duration

_S = 1_000_000_000

HEADROOM = 0.5
"""Workers beyond those that the measured rate asks for, as a part of them."""

FRAME_BYTES = 90
"""What Ethernet, IPv4 and TCP add to each segment: 38 (header 14, checksum 4, preamble 8, gap 12; IEEE 802.3)
+ 20 (RFC 791) + 32 (RFC 9293, with the timestamps of RFC 7323)."""

PORT_HELD_S = 60
"""Seconds for which Linux keeps the port of a connection that this side has closed (tcp(7); the kernel's
``TCP_TIMEWAIT_LEN``, and ``tcp_fin_timeout`` by default)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one load worker was measured to do on one core, recording everything.

    Attributes:
        rate: Payments per second at which the 99th percentile of lateness stayed below its limit; not the
            most that it can send.
        lateness_p99_ns: At that rate.
        core: Part of its core that it used at that rate, 1 being all of it.
        http_bytes: Of one payment, both directions together.
        segments: TCP segments of one payment, both directions together.
        journal_bytes: Of one payment in the load's journal.
        resident_bytes: Memory of a worker with next to nothing in flight.
        in_flight_bytes: Memory of each payment in flight besides; sockets' buffers in the kernel are not in
            it.
        files: Descriptors that a worker has open besides its connections.
    """

    rate: float
    lateness_p99_ns: int
    core: float
    http_bytes: float
    segments: float
    journal_bytes: float
    resident_bytes: int
    in_flight_bytes: float
    files: int

    @property
    def wire_bytes(self) -> float:
        """Of one payment on an Ethernet, both directions together."""
        return self.http_bytes + self.segments * FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine offers.

    Attributes:
        cores: That this process may use.
        memory_bytes: In all.
        open_files: Of one process at most (the hard limit of ``RLIMIT_NOFILE``).
        ports: For connections to one address and port (``net.ipv4.ip_local_port_range``).
    """

    cores: int
    memory_bytes: int
    open_files: int
    ports: int


@dataclass(frozen=True, slots=True)
class Demand:
    """What is wanted.

    Attributes:
        peak: Payments per second.
        latency_ns: 99th percentile of the platform's latency.
        timeout_ns: When a customer gives up waiting.
        duration_ns: How long the peak lasts.
        addresses: Addresses (IP and port) that the platform is reached at.
        max_in_flight: Payments that the load holds open at most, all workers together.
        headroom: Workers beyond those that the measured rate asks for, as a part of them.
    """

    peak: float
    latency_ns: int
    timeout_ns: int
    duration_ns: int
    addresses: int
    max_in_flight: int
    headroom: float = HEADROOM


@dataclass(frozen=True, slots=True)
class Need:
    """One line of a plan: ``value`` in ``unit`` (``""``, ``B``, ``bit/s``, ``B/s``, ``1/s``), and the
    arithmetic that gave it."""

    name: str
    value: int
    unit: str
    how: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a demand needs.

    Attributes:
        workers: One core each.
        machines: Of the kind that was measured.
        needs: Of the peak while the platform answers, line by line, these two among them.
        dark: Of the peak while the platform answers nobody, line by line.
        alone: What one such machine carries.
        warnings: What does not fit, and what to do; a sentence each.
    """

    workers: int
    machines: int
    needs: tuple[Need, ...]
    dark: tuple[Need, ...]
    alone: Need
    warnings: tuple[str, ...]


class CapacityError(ValueError):
    """No number of machines of this kind can carry it; the text says why and what to do."""


def in_flight(rate: float, latency_ns: int) -> int:
    """Payments in flight: Little's law, rounded up."""
    return _up(rate * latency_ns / _S)


def capacity(demand: Demand, figures: Figures, machine: Machine) -> Capacity:
    """What a demand needs on machines of a kind.

    Raises:
        CapacityError: A worker cannot even be started there.
    """
    room = machine.open_files - figures.files
    if room < 1:
        raise CapacityError(
            f"a worker needs {figures.files} file descriptors before its first connection, and a process may "
            f"open {machine.open_files} here; raise the limit (ulimit -Hn)"
        )
    flying = in_flight(demand.peak, demand.latency_ns)
    for_rate = _up(demand.peak * (1 + demand.headroom) / figures.rate)
    for_files = _up(flying / room)
    workers = max(for_rate, for_files, 1)
    ports = machine.ports * demand.addresses
    memory = workers * figures.resident_bytes + flying * figures.in_flight_bytes
    for_cores = _up(workers / machine.cores)
    for_ports = _up(flying / ports)
    for_memory = _up(memory / machine.memory_bytes)
    machines = max(for_cores, for_ports, for_memory)
    by = max(((for_cores, "cores"), (for_ports, "ports"), (for_memory, "memory")), key=lambda pair: pair[0])[
        1
    ]
    each = _up(flying / workers)
    needs = (
        Need(
            "workers",
            workers,
            "",
            f"{_rate(demand.peak)} x {1 + demand.headroom:g} headroom / {_rate(figures.rate)} of one worker"
            if for_rate >= for_files
            else f"{flying:,} in flight / {room:,} connections that one worker may open",
        ),
        Need("machines", machines, "", _machines_how(by, workers, flying, ports, memory, machine)),
        Need(
            "payments in flight",
            flying,
            "",
            f"{_rate(demand.peak)} x {format_duration(demand.latency_ns)} (Little's law: rate x latency)",
        ),
        Need("connections of a worker", each, "", f"{flying:,} in flight / {_counted(workers, 'worker')}"),
        Need(
            "file descriptors of a worker",
            each + figures.files,
            "",
            f"{each:,} connections + {figures.files} others; {machine.open_files:,} are allowed",
        ),
        Need(
            "ports of a machine",
            _up(flying / machines),
            "",
            f"{flying:,} in flight / {_counted(machines, 'machine')}; {machine.ports:,} for each of "
            f"{_counted(demand.addresses, 'address', 'es')} of the platform",
        ),
        Need(
            "memory of a worker",
            _up(figures.resident_bytes + each * figures.in_flight_bytes),
            "B",
            f"{size(figures.resident_bytes)} + {each:,} in flight x {figures.in_flight_bytes:,.0f} B",
        ),
        Need(
            "network",
            _up(demand.peak * figures.wire_bytes * 8),
            "bit/s",
            f"{_rate(demand.peak)} x ({figures.http_bytes:,.0f} B of HTTP + {figures.segments:.1f} segments "
            f"x {FRAME_BYTES} B) x 8, both directions",
        ),
        Need(
            "network of a machine",
            _up(demand.peak * figures.wire_bytes * 8 / machines),
            "bit/s",
            f"the same / {_counted(machines, 'machine')}",
        ),
        Need(
            "journal to the master",
            _up(demand.peak * figures.journal_bytes),
            "B/s",
            f"{_rate(demand.peak)} x {figures.journal_bytes:,.0f} B of a payment",
        ),
        Need(
            "journal on disk",
            _up(demand.peak * figures.journal_bytes * demand.duration_ns / _S),
            "B",
            f"the same for {format_duration(demand.duration_ns)}, in one folder, on the master",
        ),
    )
    dark = _dark(demand, figures, machine, workers, machines)
    return Capacity(
        workers=workers,
        machines=machines,
        needs=needs,
        dark=dark,
        alone=alone(demand, figures, machine),
        warnings=_warnings(demand, figures, machine, workers, machines),
    )


def alone(demand: Demand, figures: Figures, machine: Machine) -> Need:
    """The rate that one machine carries by itself, with the same headroom: the least of what its cores, its
    ports and its file descriptors allow."""
    by_cores = machine.cores * figures.rate / (1 + demand.headroom)
    latency = demand.latency_ns / _S
    by_ports = machine.ports * demand.addresses / latency
    by_files = machine.cores * (machine.open_files - figures.files) / latency
    rate = min(by_cores, by_ports, by_files)
    if rate == by_cores:
        how = f"{_counted(machine.cores, 'core')} x {_rate(figures.rate)} / {1 + demand.headroom:g} headroom"
    elif rate == by_ports:
        how = f"{machine.ports * demand.addresses:,} ports / {format_duration(demand.latency_ns)}"
    else:
        how = (
            f"{_counted(machine.cores, 'worker')} x {machine.open_files - figures.files:,} connections / "
            f"{format_duration(demand.latency_ns)}"
        )
    return Need("one machine alone", math.floor(rate), "1/s", how)


def size(count: float) -> str:
    """Bytes in the unit a person would choose, rounded up in the last digit: ``1.4 GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    if unit == "B" or value >= 100:
        return f"{math.ceil(value):,} {unit}"
    return f"{math.ceil(value * 10) / 10:,.1f} {unit}"


def _dark(
    demand: Demand, figures: Figures, machine: Machine, workers: int, machines: int
) -> tuple[Need, ...]:
    """While the platform answers nobody, each payment is in flight until its customer gives up."""
    flying = in_flight(demand.peak, demand.timeout_ns)
    each = _up(flying / workers)
    return (
        Need(
            "payments in flight",
            flying,
            "",
            f"{_rate(demand.peak)} x {format_duration(demand.timeout_ns)} until a customer gives up",
        ),
        Need(
            "file descriptors of a worker",
            each + figures.files,
            "",
            f"{flying:,} / {_counted(workers, 'worker')} + {figures.files} others; {machine.open_files:,} "
            "are allowed",
        ),
        Need(
            "ports of a machine",
            _up(demand.peak * (demand.timeout_ns / _S + PORT_HELD_S) / machines),
            "",
            f"{_rate(demand.peak)} x ({format_duration(demand.timeout_ns)} + {PORT_HELD_S} s that the system "
            f"keeps the port of a closed connection) / {_counted(machines, 'machine')}; "
            f"{machine.ports * demand.addresses:,} are there",
        ),
        Need(
            "memory of a worker",
            _up(figures.resident_bytes + each * figures.in_flight_bytes),
            "B",
            f"{size(figures.resident_bytes)} + {each:,} in flight x {figures.in_flight_bytes:,.0f} B",
        ),
    )


def _warnings(
    demand: Demand, figures: Figures, machine: Machine, workers: int, machines: int
) -> tuple[str, ...]:
    flying = in_flight(demand.peak, demand.timeout_ns)
    warnings = []
    if demand.max_in_flight < flying:
        usual = in_flight(demand.peak, demand.latency_ns)
        too_small = f"load.max_in_flight is {demand.max_in_flight:,}"
        warnings.append(
            f"{too_small}, and {usual:,} payments are in flight at the peak: set it to {usual:,} at least, "
            f"or to {flying:,} to go on sending while the platform answers nobody"
            if demand.max_in_flight < usual
            else f"{too_small}: while the platform answers nobody, payments are not sent from "
            f"{demand.max_in_flight / demand.peak:.1f} s on; {flying:,} would do"
        )
    if _up(flying / workers) + figures.files > machine.open_files:
        room = machine.open_files - figures.files
        most = room * workers / demand.peak
        warnings.append(
            f"while the platform answers nobody, a worker runs out of file descriptors after {most:.1f} s: "
            f"raise the limit (ulimit -Hn), or take {_up(flying / room):,} workers"
        )
    ports = machine.ports * demand.addresses
    if demand.peak * (demand.timeout_ns / _S + PORT_HELD_S) / machines > ports:
        warnings.append(
            f"while the platform answers nobody, a machine has used its {ports:,} ports after "
            f"{ports * machines / demand.peak:.1f} s: reach the platform at more addresses (--addresses), "
            "widen net.ipv4.ip_local_port_range, or take more machines"
        )
    return tuple(warnings)


def _machines_how(by: str, workers: int, flying: int, ports: int, memory: float, machine: Machine) -> str:
    if by == "cores":
        return f"{_counted(workers, 'worker')} / {_counted(machine.cores, 'core')}, one worker a core"
    if by == "ports":
        return f"{flying:,} in flight / {ports:,} ports"
    return f"{size(memory)} for the workers / {size(machine.memory_bytes)} of memory"


def _up(value: float) -> int:
    # A product of floats that is a whole number but for its last bits shall stay that number.
    return math.ceil(round(value, 6))


def _counted(number: int, one: str, plural: str = "s") -> str:
    return f"{number:,} {one}{plural if number != 1 else ''}"


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s" if per_second >= 100 else f"{per_second:,.3g}/s"
