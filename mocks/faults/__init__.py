"""The faults that can be scheduled on a mock, by name; one file per fault."""

from __future__ import annotations

from mocks.faults.bandwidth import Bandwidth
from mocks.faults.black_hole import BlackHole
from mocks.faults.expired_certificate import ExpiredCertificate
from mocks.faults.fault import Fault, FaultPlan, Kind, Parameter, Value
from mocks.faults.http_error import HttpError
from mocks.faults.kill import Kill
from mocks.faults.latency import LatencyFault
from mocks.faults.outage import Outage
from mocks.faults.process_fault import ProcessFault
from mocks.faults.reset import Reset
from mocks.faults.restart import Restart
from mocks.faults.slicer import Slicer
from mocks.faults.slow_close import SlowClose
from mocks.faults.tls_handshake_failure import TlsHandshakeFailure
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
]
