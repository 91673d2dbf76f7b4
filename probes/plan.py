"""The plan of a probe: which type looks at which target, how often, and when it gives up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from journal.clock import MILLISECOND, SECOND
from probes import PROBES
from probes.probe import ProbeType, Value
from probes.target import check_credential, check_loopback

LEAST_RECHECK_NS = 50 * MILLISECOND


def default_recheck_ns(every_ns: int) -> int:
    """A tenth of the interval, but at least 50 ms, and never more than the interval."""
    return min(every_ns, max(every_ns // 10, LEAST_RECHECK_NS))


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """One probe, as planned. Make it with ``planned`` or ``from_message``: they check it.

    Attributes:
        type: The probe type.
        target: What is watched, in a person's words (``platform``, ``stripe``).
        url: Where it is. For ``payment``, the base URL of the platform.
        every_ns: Time between two due times.
        recheck_ns: The same, after a failure.
        timeout_ns: When the probe gives up, counted from when it was sent; half of it is for connecting.
        params: Every parameter of the type.
        phase_ns: The first due time. A polling interval that is in step with a fault's start would find it
            at once, or an interval late, every time.
    """

    type: ProbeType
    target: str
    url: str
    every_ns: int
    recheck_ns: int
    timeout_ns: int
    params: Mapping[str, Value]
    phase_ns: int = 0


def planned(
    probe: str,
    target: str,
    url: str,
    *,
    every_ns: int = SECOND,
    recheck_ns: int | None = None,
    timeout_ns: int = 2 * SECOND,
    params: Mapping[str, object] | None = None,
    phase_ns: int = 0,
    allow_hosts: Collection[str] = (),
) -> ProbePlan:
    """A checked plan.

    Raises:
        ValueError: An unknown probe or parameter, an interval that is not positive, or a target that is
            refused (``probes.target``).
    """
    kind = PROBES.get(probe)
    if kind is None:
        raise ValueError(f"there is no probe {probe!r}; there is {', '.join(PROBES)}")
    if recheck_ns is None:
        recheck_ns = default_recheck_ns(every_ns)
    for name, value in (("every", every_ns), ("recheck", recheck_ns), ("timeout", timeout_ns)):
        if value <= 0:
            raise ValueError(f"probe {probe}: {name} must be longer than nothing")
    if phase_ns < 0:
        raise ValueError(f"probe {probe}: phase must not be negative")
    check_loopback(url, allow_hosts)
    settings = kind.complete(params or {})
    for setting in settings.values():
        if isinstance(setting, str):
            check_credential(setting)
    return ProbePlan(kind, target, url, every_ns, min(recheck_ns, every_ns), timeout_ns, settings, phase_ns)


def from_message(message: Mapping[str, Any], allow_hosts: Collection[str] = ()) -> ProbePlan:
    """A checked plan, from one of ``probes`` in the conductor's message (see ``probes.process``).

    Raises:
        ValueError: As ``planned``; or a key is missing, unknown, or of the wrong type.
    """
    types: dict[str, type | tuple[type, ...]] = {
        "probe": str,
        "target": str,
        "url": str,
        "every_ns": int,
        "recheck_ns": (int, type(None)),
        "timeout_ns": int,
        "phase_ns": int,
        "params": dict,
    }
    unknown = sorted(set(message) - set(types))
    if unknown:
        raise ValueError(f"a probe's plan has no {', '.join(unknown)}")
    for key in ("probe", "target", "url"):
        if key not in message:
            raise ValueError(f"a probe's plan needs {key}")
    for key, value in message.items():
        if not isinstance(value, types[key]) or isinstance(value, bool):
            raise ValueError(f"a probe's plan: {key} is {value!r}")
    return planned(**message, allow_hosts=allow_hosts)
