"""What the platform's ledger holds besides payments, against the gateways' movements: refunds, disputes, fees
and payouts.

Refunds and disputes are compared as sums per order, disputes per gateway as well; fees and payouts by the
gateway's reference of the payout. Movements of the last ``GRACE_NS`` before the ledger was collected are not
missed in it: the platform hears of them by webhooks. Not compared are fees that no payout has withheld yet,
which no gateway tells, and payouts that came back.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.database import in_memory
from reports.run_folder import RunFolder

GRACE_NS = 5_000_000_000
"""How long the platform may take to hear of a movement."""

_ENTRIES = """
WITH
known AS (SELECT DISTINCT order_id FROM movement WHERE order_id <> ''),
true_sum AS (
  SELECT kind, CASE kind WHEN 'refund' THEN '' ELSE gateway END AS gateway,
         CASE WHEN kind = 'fee' THEN parent WHEN kind = 'payout' THEN reference ELSE order_id END AS name,
         sum(amount_minor)::BIGINT AS amount_minor, max(at_ns) AS last_ns
  FROM movement
  WHERE kind IN ('refund', 'dispute') OR (kind = 'fee' AND parent <> '')
     OR (kind = 'payout' AND amount_minor > 0)
  GROUP BY ALL
),
claim AS (
  SELECT 'refund' AS kind, '' AS gateway, order_id AS name, refunded_minor AS amount_minor
  FROM platform_entry SEMI JOIN known USING (order_id) WHERE kind = 'payment'
  UNION ALL
  SELECT kind, gateway, order_id, amount_minor
  FROM platform_entry SEMI JOIN known USING (order_id) WHERE kind = 'dispute'
  UNION ALL
  SELECT kind, gateway, reference, amount_minor FROM platform_entry WHERE kind IN ('fee', 'payout')
),
claimed_sum AS (
  SELECT kind, gateway, name, sum(amount_minor)::BIGINT AS amount_minor FROM claim GROUP BY ALL
)
SELECT DISTINCT kind, name
FROM true_sum FULL JOIN claimed_sum USING (kind, gateway, name)
WHERE coalesce(true_sum.amount_minor, 0) <> coalesce(claimed_sum.amount_minor, 0)
  AND coalesce(last_ns, -9223372036854775807) <= $until
ORDER BY kind, name
"""


@dataclass(frozen=True, slots=True)
class Differences:
    """Where the platform's ledger and the gateways' movements name different sums: order ids for refunds and
    disputes, the gateways' references of payouts for fees and payouts. Sorted."""

    refunds: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    fees: tuple[str, ...] = ()
    payouts: tuple[str, ...] = ()


def differences(run: RunFolder) -> Differences:
    """Compare the ledger of a run with the movements of its gateways."""
    ends = [mark["at_ns"] for mark in run.rows("mark") if mark["kind"] in ("settled", "unsettled")]
    until = max(ends) - GRACE_NS if ends else 2**62
    names: dict[str, list[str]] = {"refund": [], "dispute": [], "fee": [], "payout": []}
    with in_memory() as database:
        for table in ("movement", "platform_entry"):
            database.register(table, run.table(table))
        for kind, name in database.execute(_ENTRIES, {"until": until}).fetchall():
            names[kind].append(name)
    return Differences(*(tuple(names[kind]) for kind in ("refund", "dispute", "fee", "payout")))
