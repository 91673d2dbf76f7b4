"""The record types of the journal: one immutable tuple type per table.

Units are part of the field names. Every ``*_ns`` is an int64 count of nanoseconds since the run's epoch
(the first due time of the load) on the host's monotonic clock; it is negative before the load starts.
``*_minor`` is money in the minor unit of its currency (cents, yen, fils). A field that may be ``None``
is null in the file.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, Literal, NamedTuple

import pyarrow as pa

Outcome = Literal["succeeded", "declined", "pending", "canceled", "failed", "unknown"]
"""What became of a payment. ``unknown`` (a time-out, a connection lost after sending) is never counted
as failed money: only reconciliation may turn it into something else."""

Loop = Literal["open", "closed"]
"""Why a payment was due when it was: ``open``, the plan said so; ``closed``, a user had thought enough since
its last answer, so that a slow platform is asked for less."""

TaskKind = Literal["look_up", "refund"]
TaskOutcome = Literal["ok", "failed", "unknown"]
ProbeOutcome = Literal["ok", "fail", "unknown"]
FaultPhase = Literal["armed", "started", "stopped"]
MovementKind = Literal["capture", "refund", "dispute", "fee", "payout"]
EntryKind = Literal["payment", "dispute", "fee", "payout"]
MarkKind = Literal[
    "stage", "note", "died", "stopped", "aborted", "interrupted", "settled", "unsettled", "machine", "worker"
]


GENERATOR = "generator: "
"""Begins the error of a payment that was not sent, or was lost, through the generator's own fault."""


class Intent(NamedTuple):
    """A payment is about to be sent. Written before the first byte leaves, so that a load process that
    is killed leaves a trace of what was in flight. ``loop`` is a ``Loop``."""

    id: str
    due_ns: int
    sent_ns: int
    loop: str = "open"


class Payment(NamedTuple):
    """One planned payment as the load client saw it end.

    ``id`` is the order id under which every other view knows the payment, and its idempotency key.
    ``sent_ns`` is null for a payment that the generator never sent; ``done_ns`` is null when no answer
    came before the client gave up or was stopped. ``expected`` and ``outcome`` are ``Outcome`` values.
    ``error`` says why in a few words; empty when the outcome is the expected one. ``gateway`` is the
    gateway that the platform named in its answer, empty if it named none. ``loop`` is a ``Loop``.
    """

    id: str
    due_ns: int
    sent_ns: int | None
    done_ns: int | None
    method: str
    amount_minor: int
    currency: str
    instrument: str
    expected: str
    outcome: str
    error: str
    gateway: str
    loop: str = "open"


class UserTask(NamedTuple):
    """What a user of the closed loop did besides paying. ``user`` is its number, ``task`` a ``TaskKind``,
    ``order_id`` the payment that it was about. ``due_ns`` is when the user had thought enough, ``sent_ns``
    when the request was sent, ``done_ns`` when its answer was there, null without one. ``outcome`` is a
    ``TaskOutcome``; ``error`` says why it is not ``ok``."""

    user: int
    task: str
    order_id: str
    due_ns: int
    sent_ns: int
    done_ns: int | None
    outcome: str
    error: str


class GatewayRequest(NamedTuple):
    """One request as a mock gateway (the truth) received and answered it.

    ``answered_ns`` is null when no answer was sent (``status`` is then 0): the connection was lost or a
    fault swallowed it. ``result`` is what the gateway decided: ``succeeded``, ``declined``,
    ``processing``, ``error``, or empty for reads. ``fault`` names the faults that touched the request, in
    that order, joined by ``+``; empty if none did. ``replayed`` tells an idempotent replay from a first
    execution.
    """

    gateway: str
    endpoint: str
    received_ns: int
    answered_ns: int | None
    status: int
    result: str
    fault: str
    idempotency_key: str
    order_id: str
    replayed: bool


class Movement(NamedTuple):
    """Money that moved in a gateway's ledger (the truth). ``kind`` is a ``MovementKind``; ``reference`` is
    the gateway's own id of the capture or refund, ``parent`` the capture that a refund belongs to."""

    gateway: str
    kind: str
    reference: str
    parent: str
    order_id: str
    amount_minor: int
    currency: str
    at_ns: int


class Webhook(NamedTuple):
    """One attempt of a mock gateway to deliver an event (the truth). ``kind`` is the event's type in the
    gateway's words, ``attempt`` counts from 1 for each event and URL. ``due_ns`` is when the attempt was to
    be made; ``delivered_ns`` is when the receiver's answer had come, null when none came (``status`` is then
    0). An attempt is a success when ``status`` is 200 to 299. ``fault`` names the faults that
    touched the attempt, joined by ``+``, empty if none did; what was forged is no event of the gateway's."""

    gateway: str
    event_id: str
    kind: str
    attempt: int
    due_ns: int
    delivered_ns: int | None
    status: int
    fault: str = ""


class FaultEvent(NamedTuple):
    """A step in the life of a fault, written by the process that injects it (the truth).

    ``id`` tells two faults of one name apart (``f1``, ``f2``, ... in the scenario's order). ``due_ns`` is
    the scheduled time of this phase, ``at_ns`` the time at which it truly happened. ``hits`` counts the
    requests and connections that the fault touched so far. One that flaps or comes again has as many pairs of
    ``started`` and ``stopped`` as it was on.
    """

    id: str
    name: str
    on: str
    phase: str
    due_ns: int
    at_ns: int
    hits: int


class ProbeResult(NamedTuple):
    """One probe: ``probe`` is its kind, ``target`` what it watched, ``outcome`` a ``ProbeOutcome``.
    ``phase`` names the step in which it ended when it is not ``ok`` (``connect``, ``send``, ``answer``,
    ``verify``, ``refund``, ...), ``detail`` says why."""

    probe: str
    target: str
    due_ns: int
    sent_ns: int
    done_ns: int
    outcome: str
    phase: str
    detail: str


class PlatformEntry(NamedTuple):
    """One entry of the platform's own ledger (what it claims), exported when the drill has ended.

    ``kind`` is an ``EntryKind``. Of a payment, ``status`` is an ``Outcome``; ``gateway`` and
    ``reference`` say where it claims the money moved, or, while it is ``pending``, who collects it (empty
    when nobody does); ``refunded_minor`` is the sum of the refunds it claims. Of a dispute, ``reference``
    is the gateway's id of it and ``amount_minor`` is negative when the money came back; of a fee and a
    payout, ``reference`` is the gateway's id of the payout, and ``order_id`` is empty.
    """

    id: str
    order_id: str
    amount_minor: int
    currency: str
    status: str
    gateway: str
    reference: str
    refunded_minor: int
    kind: str = "payment"


class Mark(NamedTuple):
    """Anything that a person should see on the timeline. ``kind`` is a ``MarkKind``."""

    at_ns: int
    kind: str
    source: str
    text: str


class GeneratorSample(NamedTuple):
    """What a load process recorded of itself in the ``interval_ns`` before ``at_ns``, about a second.

    ``process`` is its name (``load-0``; of a worker elsewhere, the worker's). Its sums over all samples are
    the tally of the process; the last sample is ``closing``, and is missing when the process was killed.

    - ``cpu_ns``: user and system time of all its threads. ``cpu_wait_ns``: how long its main thread could
      have run and had no CPU (the second figure of ``/proc/self/schedstat``), ``None`` where the system does
      not say. ``preemptions``: involuntary context switches. ``steal_ns``: time that the hypervisor kept from
      the host's CPUs, their sum (``steal`` of ``/proc/stat``), ``None`` likewise.
    - ``gc_pauses``, ``gc_pause_ns``, ``gc_pause_max_ns``: collections of garbage, their sum, the longest;
      ``gc_full``: those of the oldest generation among them.
    - ``loop_lags_ns``: for every point of an even grid of times within the interval, how much later the event
      loop came to run what was due then. That is also how late an answer that came at that time was seen.
    - ``due``: arrivals whose turn it was; ``sent`` of them were sent, or tried to be; ``ended`` have a record
      of their end, whatever it was. ``in_flight``: those without one, at ``at_ns``. ``lateness_max_ns``: the
      greatest delay of a payment that was sent in the interval against its due time, 0 if none was.
    - ``connections``: open at ``at_ns``; ``connects``: attempts to make one. ``socket_errors``: payments that
      had no socket for want of what the generator's own host gives (files, ports, memory).
    """

    process: str
    at_ns: int
    interval_ns: int
    cpu_ns: int
    cpu_wait_ns: int | None
    preemptions: int
    steal_ns: int | None
    gc_pauses: int
    gc_full: int
    gc_pause_ns: int
    gc_pause_max_ns: int
    loop_lags_ns: tuple[int, ...]
    due: int
    sent: int
    ended: int
    in_flight: int
    lateness_max_ns: int
    connections: int
    connects: int
    socket_errors: int
    closing: bool


class WorkerClock(NamedTuple):
    """How the clock of a load worker stood to the master's at a time, as reckoned from exchanges of messages.

    ``worker`` is the name of the load process, ``host`` where it runs. ``one_clock`` tells that both read the
    same clock, and nothing had to be reckoned. ``shift_ns`` is by how much the worker's times in this journal
    are too early at ``at_ns``, give or take ``error_ns``: the offset of the clocks then minus the offset by
    which its times were translated all along.
    """

    worker: str
    host: str
    at_ns: int
    one_clock: bool
    shift_ns: int
    error_ns: int


Record = (
    Intent
    | UserTask
    | Payment
    | GatewayRequest
    | Movement
    | Webhook
    | FaultEvent
    | ProbeResult
    | PlatformEntry
    | Mark
    | GeneratorSample
    | WorkerClock
)

TABLES: dict[str, type[Record]] = {
    "intent": Intent,
    "user_task": UserTask,
    "payment": Payment,
    "gateway_request": GatewayRequest,
    "movement": Movement,
    "webhook": Webhook,
    "fault": FaultEvent,
    "probe": ProbeResult,
    "platform_entry": PlatformEntry,
    "mark": Mark,
    "generator": GeneratorSample,
    "worker_clock": WorkerClock,
}
"""Table name -> record type. The name is the middle part of a journal file's name."""

NAMES: dict[type[Record], str] = {record: name for name, record in TABLES.items()}

_ARROW: dict[Any, pa.DataType] = {
    int: pa.int64(),
    str: pa.string(),
    bool: pa.bool_(),
    tuple[int, ...]: pa.list_(pa.field("item", pa.int64(), nullable=False)),
}


@functools.cache
def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table, derived from its record type; a field is nullable only if its
    annotation admits ``None``."""
    fields = []
    for name, hint in typing.get_type_hints(TABLES[table]).items():
        nullable = isinstance(hint, types.UnionType)
        plain = next(arg for arg in typing.get_args(hint) if arg is not type(None)) if nullable else hint
        fields.append(pa.field(name, _ARROW[plain], nullable=nullable))
    return pa.schema(fields)
