"""The faults that can be scheduled on a mock, by name; one file per fault."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mocks.faults.bandwidth import Bandwidth
from mocks.faults.black_hole import BlackHole
from mocks.faults.commit_then_lose import CommitThenLose
from mocks.faults.contradictory_body import ContradictoryBody
from mocks.faults.decline_storm import DeclineStorm
from mocks.faults.empty_body import EmptyBody
from mocks.faults.expired_certificate import ExpiredCertificate
from mocks.faults.fault import Fault, FaultPlan, Kind, Parameter, Value
from mocks.faults.fee_drift import FeeDrift
from mocks.faults.gray_failure import GrayFailure
from mocks.faults.http_error import HttpError
from mocks.faults.keys_lost import KeysLost
from mocks.faults.kill import Kill
from mocks.faults.late_failure import LateFailure
from mocks.faults.latency import LatencyFault
from mocks.faults.malformed_body import MalformedBody
from mocks.faults.outage import Outage
from mocks.faults.payout_drift import PayoutDrift
from mocks.faults.process_fault import ProcessFault
from mocks.faults.rate_limit import RateLimitFault
from mocks.faults.reject_before_commit import RejectBeforeCommit
from mocks.faults.reset import Reset
from mocks.faults.restart import Restart
from mocks.faults.slicer import Slicer
from mocks.faults.slow_close import SlowClose
from mocks.faults.stale_read import StaleRead
from mocks.faults.stored_error import StoredError
from mocks.faults.tls_handshake_failure import TlsHandshakeFailure
from mocks.faults.token_outage import TokenOutage
from mocks.faults.truncated_body import TruncatedBody
from mocks.faults.webhook_burst import WebhookBurst
from mocks.faults.webhook_delayed import WebhookDelayed
from mocks.faults.webhook_duplicated import WebhookDuplicated
from mocks.faults.webhook_early import WebhookEarly
from mocks.faults.webhook_forged import WebhookForged
from mocks.faults.webhook_lost import WebhookLost
from mocks.faults.webhook_old_timestamp import WebhookOldTimestamp
from mocks.faults.webhook_reordered import WebhookReordered

FaultType = type[Fault]

_FAULTS: tuple[FaultType, ...] = (
    Outage,
    Reset,
    BlackHole,
    SlowClose,
    Bandwidth,
    Slicer,
    TruncatedBody,
    TlsHandshakeFailure,
    ExpiredCertificate,
    LatencyFault,
    HttpError,
    RateLimitFault,
    EmptyBody,
    MalformedBody,
    ContradictoryBody,
    StaleRead,
    CommitThenLose,
    RejectBeforeCommit,
    StoredError,
    KeysLost,
    DeclineStorm,
    TokenOutage,
    GrayFailure,
    LateFailure,
    FeeDrift,
    PayoutDrift,
    WebhookLost,
    WebhookDelayed,
    WebhookDuplicated,
    WebhookReordered,
    WebhookBurst,
    WebhookForged,
    WebhookOldTimestamp,
    WebhookEarly,
)

FAULTS: dict[str, FaultType] = {fault.name: fault for fault in _FAULTS}
"""Name -> class. Importing this needs neither a server nor the journal."""

PROCESS_FAULTS: dict[str, type[ProcessFault]] = {fault.name: fault for fault in (Kill, Restart)}
"""Name -> class of those that a drill's conductor carries out. No server can have one."""


def planned(
    messages: Iterable[Mapping[str, Any]] | None, kind: str, endpoints: Collection[str] | None
) -> list[FaultPlan]:
    """The faults of a server's plan.

    Args:
        messages: As ``FaultPlan.message`` made them.
        kind: The gateway that is served, or that stands behind.
        endpoints: Those that it has; None when they are not known.

    Raises:
        ValueError: There cannot be such a fault.
    """
    plans = [FaultPlan.from_message(message) for message in messages or ()]
    for plan in plans:
        if endpoints is not None and plan.endpoint is not None and plan.endpoint not in endpoints:
            known = ", ".join(endpoints)
            raise ValueError(f"fault {plan.id}: {kind} has no {plan.endpoint!r}; it has {known}")
    return plans


__all__ = [
    "FAULTS",
    "PROCESS_FAULTS",
    "Fault",
    "FaultPlan",
    "FaultType",
    "Kind",
    "Parameter",
    "ProcessFault",
    "Value",
    "planned",
]
