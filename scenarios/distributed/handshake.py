"""Whether two processes would play the same plan: what each says of itself before it takes part."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from journal.records import TABLES, schema
from scenarios.checkout import plan, summarise
from scenarios.schema import Scenario

PLANNED = 1000
"""Payments of which two plans are compared. What plans them draws for each from the seed alone, so that code,
a Python or a Faker which differ show at once."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/time")


class Fingerprint(NamedTuple):
    """What two processes must have in common before a scenario is known.

    ``tables`` is a digest of the journal's columns.
    """

    paydrill: str
    locust: str
    tables: str


def fingerprint(paydrill: str) -> Fingerprint:
    """Of this process, with this version of paydrill."""
    digest = hashlib.sha256()
    for table in sorted(TABLES):
        digest.update(f"{table} {schema(table)}\n".encode())
    return Fingerprint(paydrill, version("locust"), digest.hexdigest()[:12])


def disagreement(worker: Fingerprint, master: Fingerprint) -> str:
    """Why a worker cannot take part, with both named; empty if it can."""
    if worker == master:
        return ""
    if worker.paydrill != master.paydrill:
        return f"the worker has paydrill {worker.paydrill}, the master paydrill {master.paydrill}"
    if worker.locust != master.locust:
        return f"the worker has Locust {worker.locust}, the master Locust {master.locust}"
    return (
        f"both have paydrill {master.paydrill}, but the worker writes a journal of other columns "
        f"({worker.tables}) than the master ({master.tables})"
    )


class Planned(NamedTuple):
    """What a process plans for a scenario: the digest of its first payments, and with what it made it."""

    scenario: str
    digest: str
    python: str
    faker: str


def planned(scenario: Scenario) -> Planned:
    """The start of a scenario's plan."""
    summary = summarise(islice(plan(scenario), PLANNED))
    return Planned(scenario.name, summary.digest[:12], platform.python_version(), version("faker"))


def another_plan(worker: Planned, master: Planned) -> str:
    """Why two plans are not one, with both named; empty if they are."""
    if worker.digest == master.digest:
        return ""
    return (
        f"the worker plans other payments for {worker.scenario} ({worker.digest}, with Python "
        f"{worker.python} and Faker {worker.faker}) than the master for {master.scenario} ({master.digest}, "
        f"with Python {master.python} and Faker {master.faker})"
    )


def clock_id() -> str:
    """What tells the monotonic clock of this process from all others: the start of its machine, and its time
    namespace where the system has such (time_namespaces(7)). Empty where the system does not say."""
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()} {_NAMESPACE.readlink()}"
    except OSError:
        return ""
