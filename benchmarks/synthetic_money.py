"""The payments of a synthetic run: what the gateways did, the client saw, and the platform claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.synthetic_run import Planned

WriteTable = Callable[[Path, Mapping[str, Any]], None]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CURRENCIES = ("EUR", "USD", "GBP")
_S = 1_000_000_000
_MS = 1_000_000
_Z99 = 2.3263478740408408


@dataclass(frozen=True, slots=True)
class Gateways:
    """Names, shares of the traffic, and the lognormal answer times by p50 and p99 (ns)."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    p50_ns: tuple[int, ...]
    p99_ns: tuple[int, ...]


@dataclass(slots=True)
class Events:
    """What became of each payment, in due order. ``gateway`` is an index, -1 for none. ``moved_ns`` is 0
    where no money moved; ``answered_ns`` is 0 where the gateway never answered."""

    gateway: Ints
    sent_ns: Ints
    done_ns: Ints
    received_ns: Ints
    answered_ns: Ints
    moved_ns: Ints
    unknown: Bools
    failed: Bools


def play(
    rng: np.random.Generator,
    planned: Planned,
    gateways: Gateways,
    dark: tuple[str, ...],
    window: tuple[int, int],
    timeout_ns: int,
) -> Events:
    """Route, answer, and lose payments as a platform with a circuit breaker would.

    Payments in flight at a gateway that goes dark are answered ``unknown`` at once; some of them had moved
    their money. Later ones are refused and go to the gateway that is left, or fail if none is. The gateway's
    traffic comes back within a second of its return, as half-open trials succeed.
    """
    count = len(planned.ids)
    due = planned.due_ns
    sent = due + (rng.exponential(0.3, count) * _MS).astype(np.int64)
    received = sent + (1.5 * _MS + rng.exponential(0.5, count) * _MS).astype(np.int64)
    home = rng.choice(len(gateways.names), size=count, p=gateways.weights)
    start, stop = window
    back = stop + (rng.random(count) * 0.9 * _S).astype(np.int64)
    is_dark = np.array([name in dark for name in gateways.names])
    away = is_dark[home] & (received >= start) & (received < back)
    alive = [index for index, name in enumerate(gateways.names) if name not in dark]
    gateway = np.where(away, alive[0] if alive else -1, home).astype(np.int64)
    failed = away & (received < stop) & (not alive)
    if not alive:
        gateway = np.where(failed, -1, home).astype(np.int64)

    sigma = np.log(np.array(gateways.p99_ns) / np.array(gateways.p50_ns)) / _Z99
    spread = np.exp(rng.standard_normal(count) * sigma[gateway])
    takes = np.minimum(np.array(gateways.p50_ns)[gateway] * spread, 0.8 * timeout_ns).astype(np.int64)
    # A refused connection costs a millisecond before the next gateway is asked.
    received = np.where(away & ~failed, received + _MS, received)
    answered = received + takes
    moved = received + (rng.random(count) * takes).astype(np.int64)
    lost = (gateway >= 0) & is_dark[gateway] & (received < start) & (answered > start)
    moved = np.where(planned.declined | failed | (lost & (moved >= start)), 0, moved)
    done = answered + (1.0 * _MS + rng.exponential(1.0, count) * _MS).astype(np.int64)
    done = np.where(lost, start + (rng.random(count) * 8 * _MS).astype(np.int64) + 2 * _MS, done)
    done = np.where(failed, received + 6 * _MS, done)
    return Events(
        gateway=gateway,
        sent_ns=sent,
        done_ns=done,
        received_ns=received,
        answered_ns=np.where(lost | failed, 0, answered),
        moved_ns=moved,
        unknown=lost,
        failed=failed,
    )


def write_money(
    journal: Path,
    planned: Planned,
    events: Events,
    gateways: Gateways,
    plant: frozenset[str],
    write: WriteTable,
) -> dict[str, int]:
    """Write the tables ``intent``, ``payment``, ``gateway_request``, ``movement`` and ``platform_entry``.

    Returns:
        How many requests the fault touched, by gateway.
    """
    count = len(planned.ids)
    end = int(planned.due_ns[-1])
    ended = np.full(count, True)
    if plant & {"aborted", "interrupted"}:
        ended = planned.due_ns < end * 0.6
    sent, done = events.sent_ns.copy(), events.done_ns.copy()
    if "late_generator" in plant:
        behind = (np.maximum(0, planned.due_ns - 0.7 * end)).astype(np.int64)
        sent, done = sent + behind, done + behind
    never = np.zeros(count, bool)
    if "never_sent" in plant:
        never[-count // 50 :] = True

    ids = np.array(planned.ids, dtype=object)
    outcome = np.where(planned.declined, "declined", "succeeded").astype(object)
    outcome[events.unknown] = "unknown"
    outcome[events.failed] = "failed"
    status = np.where(planned.declined, "declined", "succeeded").astype(object)
    status[(events.moved_ns == 0) & ~planned.declined] = "failed"
    error = np.where(events.unknown, "the platform does not know yet", "").astype(object)
    error[events.failed] = "no gateway could take it"
    error[never], outcome[never] = "not sent: too many in flight", "unknown"
    names = np.array([*gateways.names, ""], dtype=object)
    gateway = names[events.gateway]
    reference = np.array(
        [f"{name[:2]}_{order[7:]}" if name else "" for name, order in zip(gateway, ids, strict=True)],
        dtype=object,
    )
    moves = ended & ~never & (events.moved_ns > 0)
    movement: dict[str, Any] = {
        "gateway": gateway[moves],
        "kind": np.full(moves.sum(), "capture", dtype=object),
        "reference": reference[moves],
        "parent": np.full(moves.sum(), "", dtype=object),
        "order_id": ids[moves],
        "amount_minor": planned.amount_minor[moves],
        "currency": np.array(CURRENCIES, dtype=object)[planned.currency[moves]],
        "at_ns": events.moved_ns[moves],
    }
    entry_kept = ended & ~never
    entry: dict[str, Any] = {
        "id": np.array([f"pay_{order[7:]}" for order in ids[entry_kept]], dtype=object),
        "order_id": ids[entry_kept],
        "amount_minor": planned.amount_minor[entry_kept],
        "currency": np.array(CURRENCIES, dtype=object)[planned.currency[entry_kept]],
        "status": status[entry_kept],
        "gateway": np.where(events.moved_ns > 0, gateway, "")[entry_kept],
        "reference": np.where(events.moved_ns > 0, reference, "")[entry_kept],
        "refunded_minor": np.zeros(entry_kept.sum(), np.int64),
        "kind": np.full(entry_kept.sum(), "payment", dtype=object),
    }
    sent_seen = never | (ended & (done < end * 0.6 if plant & {"aborted", "interrupted"} else True))
    if "killed_load" in plant:
        sent_seen &= (done < end - 2 * _S) | never
    payment: dict[str, Any] = {
        "id": ids,
        "due_ns": planned.due_ns,
        "sent_ns": _or_none(never, sent),
        "done_ns": _or_none(never, done),
        "method": np.where(planned.wallet, "wallet", "card").astype(object),
        "amount_minor": planned.amount_minor,
        "currency": np.array(CURRENCIES, dtype=object)[planned.currency],
        "instrument": np.where(planned.declined, "card_insufficient_funds", "card_ok").astype(object),
        "expected": np.where(planned.declined, "declined", "succeeded").astype(object),
        "outcome": outcome,
        "error": error,
        "gateway": np.where(never, "", gateway),
        "loop": np.full(len(ids), "open", dtype=object),
    }
    by_done = np.argsort(np.where(never, planned.due_ns, done), kind="stable")
    by_done = by_done[sent_seen[by_done]]
    write(journal / "load-0.payment.arrow", {key: values[by_done] for key, values in payment.items()})
    gone = ended & ~never
    write(
        journal / "load-0.intent.arrow",
        {
            "id": ids[gone],
            "due_ns": planned.due_ns[gone],
            "sent_ns": sent[gone],
            "loop": payment["loop"][gone],
        },
    )
    plant_money(plant, movement, entry, planned, events, outcome)
    for index, name in enumerate(gateways.names):
        mine = movement["gateway"] == name
        order = np.argsort(movement["at_ns"][mine], kind="stable")
        write(
            journal / f"{name}.movement.arrow", {key: values[mine][order] for key, values in movement.items()}
        )
        _write_requests(journal, name, gone & (events.gateway == index), ids, planned, events, write)
    if "no_ledger" not in plant:
        write(journal / "platform.platform_entry.arrow", entry)
    touched = events.unknown & ended & ("no_hits" not in plant)
    return {
        name: int((touched & (events.gateway == index)).sum()) for index, name in enumerate(gateways.names)
    }


def _write_requests(
    journal: Path,
    name: str,
    mine: Bools,
    ids: NDArray[Any],
    planned: Planned,
    events: Events,
    write: WriteTable,
) -> None:
    order = np.flatnonzero(mine)[np.argsort(events.received_ns[mine], kind="stable")]
    lost, declined, moved = events.unknown[order], planned.declined[order], events.moved_ns[order] > 0
    result = np.where(declined, "declined", "succeeded").astype(object)
    result[lost & ~moved] = ""
    status = np.where(declined, 402 if name == "stripe" else 200, 200)
    write(
        journal / f"{name}.gateway_request.arrow",
        {
            "gateway": np.full(len(order), name, dtype=object),
            "endpoint": np.full(
                len(order), "payment_intents.create" if name == "stripe" else "payments", dtype=object
            ),
            "received_ns": events.received_ns[order],
            "answered_ns": _or_none(lost, events.answered_ns[order]),
            "status": np.where(lost, 0, status),
            "result": result,
            "fault": np.where(lost, "outage", "").astype(object),
            "idempotency_key": ids[order],
            "order_id": ids[order],
            "replayed": np.zeros(len(order), bool),
        },
    )


def _or_none(missing: Bools, values: Ints) -> NDArray[Any]:
    kept = values.astype(object)
    kept[missing] = None
    return kept


def plant_money(
    plant: frozenset[str],
    movement: dict[str, Any],
    entry: dict[str, Any],
    planned: Planned,
    events: Events,
    outcome: NDArray[Any],
) -> None:
    """Put the money defects into the tables, each on its own payment of the plain, successful ones."""
    plain = np.flatnonzero(~planned.declined & ~events.unknown & ~events.failed)
    lost = np.flatnonzero(events.unknown & (events.moved_ns > 0))
    ids = [planned.ids[index] for index in plain[100:120]]

    def row(table: dict[str, Any], order: str) -> int:
        return int(np.flatnonzero(table["order_id"] == order)[0])

    def add(order: str, **changed: Any) -> None:
        at = row(movement, order)
        for key, values in movement.items():
            movement[key] = np.append(values, changed.get(key, values[at]))

    def drop(table: dict[str, Any], order: str) -> None:
        at = row(table, order)
        for key, values in table.items():
            table[key] = np.delete(values, at)

    if "double_charge" in plant:
        other = "adyen" if movement["gateway"][row(movement, ids[0])] == "stripe" else "stripe"
        add(ids[0], gateway=other, reference=f"{other[:2]}_second")
    if "refunded_double" in plant:
        add(ids[1], reference="xx_second", at_ns=movement["at_ns"][row(movement, ids[1])] + _S)
        add(ids[1], kind="refund", reference="re_second", parent="xx_second")
    if "lost_payment" in plant:
        drop(movement, ids[2])
    if "not_in_ledger" in plant:
        drop(entry, ids[3])
    if "orphan" in plant:
        entry["status"][row(entry, planned.ids[int(lost[0])] if len(lost) else ids[4])] = "failed"
    if "wrong_reference" in plant:
        entry["reference"][row(entry, ids[5])] = "xx_other"
    if "amount_mismatch" in plant:
        movement["amount_minor"][row(movement, ids[6])] += 1
    if "refund_too_large" in plant:
        amount = int(movement["amount_minor"][row(movement, ids[7])])
        parent = movement["reference"][row(movement, ids[7])]
        add(ids[7], kind="refund", reference="re_1", parent=parent, amount_minor=amount + 1)
    if "unresolved" in plant:
        entry["status"][row(entry, ids[8])] = "unknown"
    if "told_failed_but_charged" in plant:
        declined = planned.ids[int(np.flatnonzero(planned.declined)[5])]
        add(ids[9], order_id=declined, reference="xx_declined")
