"""The four views of every order, joined by order id: planned and seen by the client, claimed by the
platform's ledger, true by the gateways' records."""

from __future__ import annotations

import pyarrow as pa

from reports.database import in_memory
from reports.run_folder import RunFolder

_VIEWS = ("payment", "intent", "movement", "gateway_request", "platform_entry")

_JOIN = """
WITH
client AS (
  SELECT id AS order_id, due_ns, sent_ns, done_ns, method, amount_minor, currency, instrument, expected,
         outcome, error, gateway, loop, true AS recorded
  FROM payment
  UNION ALL
  -- The load process was killed: all that is known is that the payment was about to be sent.
  SELECT id, min(due_ns), min(sent_ns), NULL, '', NULL, '', '', '', 'unknown', 'no answer was recorded', '',
         any_value(loop), false
  FROM intent ANTI JOIN payment USING (id)
  GROUP BY id
),
capture AS (
  SELECT order_id,
         count(*) AS captures,
         sum(amount_minor)::BIGINT AS captured_minor,
         min(amount_minor) AS captured_least_minor,
         max(amount_minor) AS captured_most_minor,
         if(min(currency) = max(currency), min(currency), 'several') AS captured_currency,
         string_agg(gateway, ',' ORDER BY at_ns, gateway, reference) AS captured_gateway,
         string_agg(reference, ',' ORDER BY at_ns, gateway, reference) AS captured_reference,
         min(at_ns) AS captured_at_ns
  FROM movement WHERE kind = 'capture'
  GROUP BY order_id
),
refund_of_one AS (
  SELECT order_id, gateway, parent, sum(amount_minor)::BIGINT AS refunded
  FROM movement WHERE kind = 'refund'
  GROUP BY order_id, gateway, parent
),
refund AS (
  SELECT r.order_id,
         sum(r.refunded)::BIGINT AS refunded_minor,
         bool_or(c.amount_minor IS NULL) AS refund_of_nothing,
         bool_or(coalesce(r.refunded > c.amount_minor, false)) AS refunded_too_much,
         count(*) FILTER (r.refunded = c.amount_minor) AS given_back
  FROM refund_of_one r LEFT JOIN movement c
    ON c.kind = 'capture' AND c.order_id = r.order_id AND c.gateway = r.gateway AND c.reference = r.parent
  GROUP BY r.order_id
),
request AS (
  -- Adyen answers HTTP 200 to a payment that it carried out and that ended in an error at the acquirer
  -- (resultCode Error): a decision that no money moves. Errors of the request itself have another status.
  SELECT order_id, count(*) AS requests, bool_or(result = 'processing') AS gateway_accepted,
         bool_or(result = 'declined' OR (result = 'error' AND status = 200)) AS gateway_declined
  FROM gateway_request
  GROUP BY order_id
),
ranked AS (
  SELECT *, CASE status WHEN 'succeeded' THEN 0 WHEN 'unknown' THEN 1 WHEN 'pending' THEN 2
                        WHEN 'declined' THEN 3 WHEN 'canceled' THEN 4 ELSE 5 END AS place
  FROM platform_entry WHERE kind = 'payment'
),
ledger AS (
  -- If the ledger has several entries of one order, the one that claims most stands for it.
  SELECT order_id,
         count(*) AS ledger_entries,
         count(*) FILTER (status = 'succeeded') AS ledger_succeeded,
         arg_min(status, (place, id)) AS ledger_status,
         arg_min(gateway, (place, id)) AS ledger_gateway,
         arg_min(reference, (place, id)) AS ledger_reference,
         min(amount_minor) AS ledger_least_minor,
         max(amount_minor) AS ledger_most_minor,
         if(min(currency) = max(currency), min(currency), 'several') AS ledger_currency,
         sum(refunded_minor)::BIGINT AS ledger_refunded_minor
  FROM ranked
  GROUP BY order_id
)
SELECT order_id,
       client.due_ns, sent_ns, done_ns, method, amount_minor, currency, instrument, expected, outcome, error,
       gateway, loop, recorded,
       coalesce(captures, 0) AS captures, captured_minor, captured_least_minor, captured_most_minor,
       captured_currency, captured_gateway, captured_reference, captured_at_ns,
       coalesce(refunded_minor, 0) AS refunded_minor, coalesce(refunded_too_much, false) AS refunded_too_much,
       coalesce(refund_of_nothing, false) AS refund_of_nothing,
       coalesce(given_back, 0) AS given_back,
       coalesce(requests, 0) AS requests, coalesce(gateway_declined, false) AS gateway_declined,
       coalesce(gateway_accepted, false) AS gateway_accepted,
       coalesce(ledger_entries, 0) AS ledger_entries, coalesce(ledger_succeeded, 0) AS ledger_succeeded,
       ledger_status, ledger_gateway, ledger_reference,
       ledger_least_minor, ledger_most_minor, ledger_currency, ledger_refunded_minor
FROM client
FULL JOIN capture USING (order_id)
FULL JOIN refund USING (order_id)
FULL JOIN request USING (order_id)
FULL JOIN ledger USING (order_id)
WHERE order_id <> ''
ORDER BY due_ns NULLS LAST, order_id
"""


def join_orders(run: RunFolder) -> pa.Table:
    """One row per order that any view knows, in due order; orders without a payment come last, by order id.

    Columns: those of ``journal.records.Payment`` (null for orders that no payment was planned for;
    ``recorded`` is false where only the intent to send is known), then

    - ``captures``, ``captured_minor`` (their sum), ``captured_least_minor``, ``captured_most_minor``,
      ``captured_currency``, ``captured_gateway``, ``captured_reference`` (comma-separated, by time;
      a currency is ``several`` if they differ), ``captured_at_ns`` (the first);
    - ``refunded_minor``, ``refunded_too_much`` (more than a capture), ``refund_of_nothing`` (of no capture),
      ``given_back`` (captures refunded in full);
    - ``requests``, ``gateway_declined``, ``gateway_accepted``: what the gateways were asked, and whether one
      declined, or accepted it to be collected later;
    - ``ledger_entries``, ``ledger_succeeded`` (how many of them), ``ledger_status``, ``ledger_gateway``,
      ``ledger_reference``, ``ledger_least_minor``, ``ledger_most_minor``, ``ledger_currency``,
      ``ledger_refunded_minor``: what the platform claims.
    """
    with in_memory() as database:
        for name in _VIEWS:
            database.register(name, run.table(name))
        return database.sql(_JOIN).to_arrow_table()
