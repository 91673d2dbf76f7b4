"""Whether the money is right: every order, in every view.

The counts are lower bounds where a view is missing or damaged: what only looks wrong because a record may
have been lost is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reports.database import in_memory
from reports.entries import Differences
from reports.findings import Agreement, CurrencyTotal, Money, MoneyCount, Settlement
from reports.payments import Bools, Ints
from reports.views import Views

EXAMPLES = 20
PROBE_PREFIX = "probe-"
_OPEN = ("unknown", "pending")
_REFUSED = ("failed", "declined", "canceled")

WHAT = {
    "lost_payments": "the client was told that it succeeded, but no gateway captured it or the platform's "
    "ledger has no succeeded entry",
    "double_charges": "captured more than once",
    "orphan_captures": "captured at a gateway, but the platform's ledger does not say so, or says another "
    "gateway or reference",
    "told_failed_but_charged": "the client was told that it failed, but a gateway captured it",
    "amount_mismatches": "two views name different amounts or currencies, or more was refunded than captured",
    "unresolved_unknowns": "the platform's ledger still says unknown or pending, or no view knows "
    "the outcome; a bank debit that its gateway still collects is none of them",
    "refund_mismatches": "the refunds that the platform's ledger claims are not those of the gateways",
    "dispute_mismatches": "the disputed money that the platform's ledger claims is not that of the gateways",
    "fee_mismatches": "a payout's fees in the platform's ledger are not those that the gateway withheld",
    "payout_mismatches": "a payout in the platform's ledger is not what the gateway paid",
}
"""The rule that each count stands for, as a sentence about an order."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Which orders break which rule; masks over the joined orders."""

    lost: Bools
    double: Bools
    refunded_double: Bools
    orphan: Bools
    told_failed: Bools
    mismatch: Bools
    unresolved: Bools


def broken(orders: pa.Table, views: Views) -> Broken:
    """Check every order against every rule.

    Args:
        orders: As ``reports.orders.join_orders`` makes them.
        views: Which of the views are whole.
    """
    ledger, gateways = views.ledger.complete, views.gateways_whole
    sent = _valid(orders, "sent_ns")
    captures, entries = _ints(orders, "captures"), _ints(orders, "ledger_entries")
    captured = captures > 0
    claimed = _among(orders, "ledger_status", ("succeeded",))
    told = sent & _among(orders, "outcome", ("succeeded",))
    told_failed = sent & _among(orders, "outcome", _REFUSED) & captured

    # Who accepted it and collects it is known, so a capture of theirs is no surprise.
    collected = _among(orders, "ledger_status", ("pending",)) & ~_among(orders, "ledger_reference", ("",))
    expected = (
        collected
        & _equal(orders, "captured_gateway", "ledger_gateway")
        & _equal(orders, "captured_reference", "ledger_reference")
    )
    unclaimed = ~claimed & ~expected & ((entries > 0) | ledger)
    elsewhere = (captures == 1) & (
        _differ(orders, "captured_gateway", "ledger_gateway")
        | _differ(orders, "captured_reference", "ledger_reference")
    )
    more_than_claimed = captures > _ints(orders, "ledger_succeeded")
    refunded_wrong = _mask(orders, "refunded_too_much") | (_mask(orders, "refund_of_nothing") & gateways)

    of_this_run = _valid(orders, "due_ns") | captured | (_ints(orders, "requests") > 0) | is_probe(orders)
    claimed_open = _among(orders, "ledger_status", _OPEN) & of_this_run & ~collected
    unlearned = sent & _among(orders, "outcome", _OPEN)
    # Whole records in which nobody was asked are an answer: the payment never reached the platform, or went
    # down with it before it was stored.
    nothing_happened = gateways & (_ints(orders, "requests") == 0)
    nobody_knows = (
        unlearned
        & ~captured
        & (entries == 0)
        & ~_mask(orders, "gateway_declined")
        & ~nothing_happened
        & ledger
    )
    return Broken(
        lost=told & ((~captured & gateways) | unclaimed),
        double=captures > 1,
        refunded_double=(captures > 1) & (_ints(orders, "given_back") >= captures - 1),
        orphan=(captured & (unclaimed | (claimed & (elsewhere | more_than_claimed)))) | told_failed,
        told_failed=told_failed,
        mismatch=_amounts_differ(orders) | _currencies_differ(orders) | refunded_wrong,
        unresolved=claimed_open | nobody_knows,
    )


def money(orders: pa.Table, views: Views, entries: Differences) -> Money:
    """Reconcile all orders: counts with examples, sums by currency, and how the views agree."""
    found = broken(orders, views)
    every = views.missing(client=True, gateways=True, ledger=True)
    probes = is_probe(orders)

    def counted(name: str, mask: Bools, missing: str) -> MoneyCount:
        return listed(name, sorted(orders["order_id"].filter(pa.array(mask)).to_pylist()), missing)

    def listed(name: str, ids: Sequence[str], missing: str) -> MoneyCount:
        return MoneyCount(name, WHAT[name], len(ids), tuple(ids[:EXAMPLES]), not missing, missing)

    both = views.missing(gateways=True, ledger=True)

    known = _valid(orders, "sent_ns") | (_ints(orders, "captures") + _ints(orders, "requests") > 0) | probes
    return Money(
        orders=int(np.count_nonzero(known & ~probes)),
        probe_orders=int(np.count_nonzero(probes)),
        views=views.all(),
        lost_payments=counted("lost_payments", found.lost, every),
        double_charges=counted("double_charges", found.double, views.missing(gateways=True)),
        refunded_doubles=int(np.count_nonzero(found.refunded_double)),
        orphan_captures=counted("orphan_captures", found.orphan, views.missing(gateways=True, ledger=True)),
        told_failed_but_charged=counted(
            "told_failed_but_charged", found.told_failed, views.missing(client=True, gateways=True)
        ),
        amount_mismatches=counted("amount_mismatches", found.mismatch, every),
        unresolved_unknowns=counted("unresolved_unknowns", found.unresolved, every),
        refund_mismatches=listed("refund_mismatches", entries.refunds, both),
        dispute_mismatches=listed("dispute_mismatches", entries.disputes, both),
        fee_mismatches=listed("fee_mismatches", entries.fees, both),
        payout_mismatches=listed("payout_mismatches", entries.payouts, both),
        settlement=_settlement(orders),
        totals=_totals(orders),
        agreements=_agreements(orders),
    )


def _settlement(orders: pa.Table) -> Settlement:
    accepted = _valid(orders, "sent_ns") & _among(orders, "outcome", ("pending",))

    def count(*statuses: str) -> int:
        return int(np.count_nonzero(accepted & _among(orders, "ledger_status", statuses)))

    settled, refused = count("succeeded"), count(*_REFUSED)
    total = int(np.count_nonzero(accepted))
    return Settlement(total, settled, refused, total - settled - refused)


def is_probe(orders: pa.Table) -> Bools:
    """Orders that a probe made."""
    return cast(Bools, pc.starts_with(orders["order_id"], PROBE_PREFIX).to_numpy())


_TOTALS = f"""
WITH part AS (
  SELECT currency AS currency, amount_minor AS told, 0 AS ledger, 0 AS captured, 0 AS refunded
  FROM orders WHERE outcome = 'succeeded' AND sent_ns IS NOT NULL
  UNION ALL
  SELECT ledger_currency, 0, ledger_most_minor, 0, 0 FROM orders
  WHERE ledger_status = 'succeeded' AND NOT starts_with(order_id, '{PROBE_PREFIX}')
    AND (due_ns IS NOT NULL OR captures > 0)
  UNION ALL
  SELECT captured_currency, 0, 0, captured_minor, refunded_minor FROM orders
  WHERE captures > 0 AND NOT starts_with(order_id, '{PROBE_PREFIX}')
)
SELECT currency, sum(told)::BIGINT, sum(ledger)::BIGINT, sum(captured)::BIGINT, sum(refunded)::BIGINT
FROM part GROUP BY currency ORDER BY currency
"""  # noqa: S608 - the prefix is ours

_AGREEMENTS = f"""
SELECT coalesce(outcome, '(none)') AS client, coalesce(ledger_status, '(none)') AS platform, captures,
       count(*) AS orders
FROM orders
WHERE NOT starts_with(order_id, '{PROBE_PREFIX}') AND (sent_ns IS NOT NULL OR captures + requests > 0)
GROUP BY ALL
ORDER BY orders DESC, client, platform, captures
"""  # noqa: S608 - the prefix is ours


def _totals(orders: pa.Table) -> tuple[CurrencyTotal, ...]:
    with in_memory() as database:
        database.register("orders", orders)
        return tuple(CurrencyTotal(*row) for row in database.sql(_TOTALS).fetchall())


def _agreements(orders: pa.Table) -> tuple[Agreement, ...]:
    with in_memory() as database:
        database.register("orders", orders)
        return tuple(Agreement(*row) for row in database.sql(_AGREEMENTS).fetchall())


def _amounts_differ(orders: pa.Table) -> Bools:
    """The least and the greatest amount that any view names are not the same."""
    columns = ("captured_least_minor", "captured_most_minor", "ledger_least_minor", "ledger_most_minor")
    named = [orders["amount_minor"], *(orders[name] for name in columns)]
    least, most = pc.min_element_wise(*named), pc.max_element_wise(*named)
    return cast(Bools, pc.fill_null(pc.not_equal(least, most), False).to_numpy())


def _currencies_differ(orders: pa.Table) -> Bools:
    # An intent without its payment names no currency.
    planned = pc.if_else(pc.equal(orders["currency"], ""), pa.scalar(None, pa.string()), orders["currency"])
    views = (planned, orders["captured_currency"], orders["ledger_currency"])
    differ = np.zeros(len(orders), bool)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        differ |= cast(Bools, pc.fill_null(pc.not_equal(views[one], views[other]), False).to_numpy())
    return differ


def _differ(orders: pa.Table, true: str, claimed: str) -> Bools:
    """Where the ledger names something (not the empty text) and it is not what is true."""
    named = pc.and_(pc.not_equal(orders[claimed], ""), pc.not_equal(orders[true], orders[claimed]))
    return cast(Bools, pc.fill_null(named, False).to_numpy())


def _equal(orders: pa.Table, one: str, other: str) -> Bools:
    return cast(Bools, pc.fill_null(pc.equal(orders[one], orders[other]), False).to_numpy())


def _among(orders: pa.Table, column: str, names: tuple[str, ...]) -> Bools:
    return cast(Bools, pc.is_in(orders[column], value_set=pa.array(names, pa.string())).to_numpy())


def _valid(orders: pa.Table, column: str) -> Bools:
    return cast(Bools, pc.is_valid(orders[column]).to_numpy())


def _ints(orders: pa.Table, column: str) -> Ints:
    return cast(Ints, orders[column].to_numpy())


def _mask(orders: pa.Table, column: str) -> Bools:
    return cast(Bools, orders[column].to_numpy())
