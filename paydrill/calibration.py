"""What ``paydrill plan --calibrate`` measured, and the file that keeps it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from paydrill.machine import describe
from scenarios.capacity import Figures

FORMAT = 1
"""Of the file; one of another format is measured again."""

_AGAIN = "measure again: paydrill plan --calibrate"


class CalibrationError(Exception):
    """There is no calibration that can be used; the text says why and what to do."""


class Calibration(BaseModel):
    """Attributes:
    measured_at: UTC, ISO 8601.
    paydrill: Version.
    machine: In words (``paydrill.machine.describe``).
    lateness_limit_ns: Below which the 99th percentile of lateness had to stay.
    payments: In the measurement of the rate.
    apart: Whether the worker had a core that the platform it paid at did not use.
    others: Cores that other processes used meanwhile.
    figures: What was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = FORMAT
    measured_at: str
    paydrill: str
    machine: str
    lateness_limit_ns: int
    payments: int
    apart: bool
    others: float
    figures: Figures


_FILE = TypeAdapter(Calibration)


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is kept: in the user's cache (XDG Base Directory Specification: ``$XDG_CACHE_HOME``, and
    ``~/.cache`` where that is not an absolute path)."""
    cache = environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
    return base / "paydrill" / "calibration.json"


def keep(calibration: Calibration, file: Path) -> None:
    """Write it, whole or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(_FILE.dump_json(calibration, indent=1) + b"\n")
    new.replace(file)


def read(file: Path, machine: str | None = None) -> Calibration:
    """The calibration of this machine.

    Args:
        file: Where it is kept.
        machine: This machine in words; asked for when left out.

    Raises:
        CalibrationError: There is none, it cannot be read, or it is another machine's.
    """
    here = describe() if machine is None else machine
    try:
        calibration = _FILE.validate_json(file.read_bytes())
    except FileNotFoundError:
        raise CalibrationError(
            "nothing has been measured on this machine yet, and no figure is made up; run: "
            f"paydrill plan --calibrate (about 30 s; its figures go to {file})"
        ) from None
    except OSError as error:
        raise CalibrationError(f"{file} cannot be read: {error.strerror or error}; {_AGAIN}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise CalibrationError(
            f"{file} is no calibration of this version: {place}: {first['msg']}; {_AGAIN}"
        ) from None
    if calibration.format != FORMAT:
        raise CalibrationError(f"{file} has format {calibration.format}, this version {FORMAT}; {_AGAIN}")
    if calibration.machine != here:
        raise CalibrationError(
            f"{file} was measured on another machine ({calibration.machine}; this is {here}); {_AGAIN}"
        )
    return calibration
