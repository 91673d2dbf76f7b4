"""Whether the processes of a drill may open as many connections as it can come to need on this machine.

The worst case is a platform that answers nobody: each payment stays open until its customer gives up. A drill
that is short of file descriptors then takes its own failures for the platform's.
"""

from __future__ import annotations

from scenarios.capacity import Machine
from scenarios.file_limit import OWN_FILES, files_of_worker
from scenarios.quantities import format_duration
from scenarios.schema import Scenario


def problems(scenario: Scenario, waiting: int, processes: int, machine: Machine) -> list[str]:
    """A sentence for each limit of a machine that the drill could run into, with what to do; none if it fits.

    Args:
        scenario: What is to be played.
        waiting: Customers who would wait at once if nobody were answered (``scenarios.in_flight``).
        processes: Load workers on this machine.
        machine: Its limits.
    """
    load = scenario.load
    flying = min(waiting, load.max_in_flight)
    room = machine.open_files - OWN_FILES
    if room < 1:
        return [f"a process may open only {machine.open_files} files here; {_raise(4 * OWN_FILES)}"]
    case = (
        f"{flying:,} payments can be in flight, if nobody is answered within {format_duration(load.timeout)}"
    )
    found = []
    needed = files_of_worker(load, waiting, processes)
    if needed > machine.open_files:
        found.append(
            f"{case}: a load worker then needs {needed:,} file descriptors, and a process may have "
            f"{machine.open_files:,} here; {_raise(needed)}, play with --processes "
            f"{-(-flying // room)}, or set load.max_in_flight to {room * processes:,}"
        )
    if scenario.platform.reference is not None and 2 * flying > room:
        found.append(
            f"{case}: the reference platform then needs {2 * flying + OWN_FILES:,} file descriptors, two a "
            f"payment, and a process may have {machine.open_files:,} here; {_raise(2 * flying + OWN_FILES)}, "
            f"or set load.max_in_flight to {room // 2:,}"
        )
    if flying > machine.ports:
        found.append(
            f"{case}: this machine has {machine.ports:,} ports for connections to one address; widen "
            f"net.ipv4.ip_local_port_range, play from several machines, or set load.max_in_flight to "
            f"{machine.ports:,}"
        )
    return found


def most_in_flight(scenario: Scenario, processes: int, machine: Machine) -> int:
    """How many payments may be in flight on this machine without any of ``problems``; at least 1."""
    room = machine.open_files - OWN_FILES
    carried = min(room * processes, machine.ports)
    if scenario.platform.reference is not None:
        carried = min(carried, room // 2)
    return max(1, carried)


def in_words(scenario: Scenario, waiting: int) -> str:
    """What the worst case comes to, as ``paydrill check`` says it."""
    load = scenario.load
    said = (
        f"if the platform answered nobody, {waiting:,} payments would be in flight after "
        f"{format_duration(load.timeout)}"
    )
    if waiting > load.max_in_flight:
        return (
            f"{said}; load.max_in_flight is {load.max_in_flight:,}: the others would not be sent, and the "
            "drill would be INCONCLUSIVE"
        )
    return said


def _raise(files: int) -> str:
    return f"raise the limit (ulimit -Hn {files}, as root; for a container --ulimit nofile={files})"
