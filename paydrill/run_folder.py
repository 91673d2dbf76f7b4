"""The folder of one run: where the journal, the resolved scenario and the reports go."""

from __future__ import annotations

import datetime
import os
import platform
import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from paydrill import __version__
from scenarios.checkout import PlanSummary
from scenarios.schema import Scenario

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The one in C, where there is one: a scenario may hold a trace of megabytes."""


class RunFolderError(Exception):
    """The run folder cannot be made or written; the text says what to do."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Attributes:
    path: The folder.
    run: Short random id, the prefix of the run's order ids.
    """

    path: Path
    run: str

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def state(self) -> Path:
        """The state files of the gateways whose process a fault ends. They hold what callers sent, test keys
        and test cards included, and are removed when the drill is over."""
        return self.path / "state"

    @property
    def store(self) -> Path:
        """The reference platform's database."""
        return self.path / "platform.sqlite"

    def describe(
        self,
        scenario: Scenario,
        summary: PlanSummary,
        *,
        epoch_ns: int,
        started_at: str,
        processes: int,
        command: str,
    ) -> None:
        """Write ``scenario.yaml``: the resolved scenario, and where its run came from.

        Raises:
            RunFolderError: It cannot be written.
        """
        data: dict[str, Any] = scenario.to_plain()
        data["run"] = {
            "id": self.run,
            "started_at": started_at,
            "epoch_ns": epoch_ns,
            "payments_planned": summary.payments,
            "plan_digest": summary.digest,
            "processes": processes,
            "versions": versions(),
            "machine": machine(),
            "command": command,
        }
        try:
            (self.path / "scenario.yaml").write_text(
                yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=110),
                encoding="utf-8",
            )
        except OSError as error:
            raise RunFolderError(_unwritable(self.path, error)) from error


BYTES_PER_PAYMENT = 1_500
"""Journal, the reference platform's store and the derived tables of one payment, measured at 900 bytes."""

BYTES_PER_RUN = 16 * 2**20
"""Room for the reports, and for what is recorded however few payments there are."""


def check_room(folder: RunFolder, payments: int) -> None:
    """Raises RunFolderError when the disk has less room than a run of so many payments takes; the folder,
    which is still empty, is removed again."""
    needed = payments * BYTES_PER_PAYMENT + BYTES_PER_RUN
    free = shutil.disk_usage(folder.path).free
    if free < needed:
        shutil.rmtree(folder.path)
        raise RunFolderError(
            f"{folder.path.parent} has {free / 2**20:.0f} MiB of room, and this run takes about "
            f"{needed / 2**20:.0f} MiB; make room, or choose another folder with --out"
        )


def is_full(folder: RunFolder) -> bool:
    """Whether there is no room left to record anything."""
    return shutil.disk_usage(folder.path).free < 2**20


def create(out: Path, scenario: Scenario, now: datetime.datetime) -> RunFolder:
    """Make the folder of a run.

    Raises:
        RunFolderError: The folder cannot be made.
    """
    folder = RunFolder(reserve(out, scenario, now), secrets.token_hex(3))
    try:
        folder.journal.mkdir()
        folder.logs.mkdir()
    except OSError as error:
        raise RunFolderError(_unwritable(out, error)) from error
    return folder


def reserve(out: Path, scenario: Scenario, now: datetime.datetime, kind: str = "") -> Path:
    """Make ``<out>/<UTC time>-<scenario><kind>``, an empty folder that nobody else has.

    Raises:
        RunFolderError: The folder cannot be made.
    """
    base = f"{now:%Y%m%dT%H%M%SZ}-{scenario.name}{kind}"
    path = out / base
    try:
        out.mkdir(parents=True, exist_ok=True)
        for attempt in range(2, 100):
            try:
                path.mkdir()
                break
            except FileExistsError:
                path = out / f"{base}-{attempt}"
    except OSError as error:
        raise RunFolderError(_unwritable(out, error)) from error
    return path


def create_at(path: Path) -> RunFolder:
    """Make a run folder at a path of its own, which must not exist.

    Raises:
        RunFolderError: It cannot be made.
    """
    folder = RunFolder(path, secrets.token_hex(3))
    try:
        path.mkdir(parents=True)
        folder.journal.mkdir()
        folder.logs.mkdir()
    except OSError as error:
        raise RunFolderError(_unwritable(path, error)) from error
    return folder


def latest(out: Path) -> Path | None:
    """The newest folder of a run or of a search, by its name."""
    records = ("scenario.yaml", "search.yaml")
    runs = sorted(path for path in out.glob("*Z-*") if any((path / name).is_file() for name in records))
    return runs[-1] if runs else None


def _unwritable(path: Path, error: OSError) -> str:
    return f"cannot write in {path}: {error.strerror or error}; choose another folder with --out"


def versions() -> dict[str, str]:
    """What is running here."""
    return {
        "paydrill": __version__,
        "python": platform.python_version(),
        "locust": version("locust"),
    }


def machine() -> dict[str, Any]:
    """On what."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(pages * size / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
    }
