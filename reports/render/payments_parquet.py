"""``payments.parquet``: one row per order with all its views side by side, for one's own questions.

duckdb -c "SELECT gateway, quantile_cont(latency_ns, 0.99) / 1e6 FROM 'payments.parquet' GROUP BY 1"
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reports.payments import Payments


def payments_table(orders: pa.Table, payments: Payments) -> pa.Table:
    """The joined orders with four more columns: ``latency_ns`` (null without an answer), ``lateness_ns``
    (null if it was never sent), ``success`` and ``true_success`` (null for orders without a payment).

    Args:
        orders: As ``reports.orders.join_orders`` makes them: the payments come first, in due order.
        payments: The same payments, all of them.
    """
    rest = len(orders) - len(payments)
    judged = {
        "latency_ns": pc.subtract(orders["done_ns"], orders["due_ns"]),
        "lateness_ns": pc.subtract(orders["sent_ns"], orders["due_ns"]),
        "success": pa.chunked_array([pa.array(payments.success), pa.nulls(rest, pa.bool_())]),
        "true_success": pa.chunked_array([pa.array(payments.true_success), pa.nulls(rest, pa.bool_())]),
    }
    for name, column in judged.items():
        orders = orders.append_column(name, column)
    return orders


def payments_parquet(orders: pa.Table, payments: Payments) -> bytes:
    """The file's content; the same input gives the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(payments_table(orders, payments), sink, compression="zstd", row_group_size=1 << 16)
    content: bytes = sink.getvalue().to_pybytes()
    return content
