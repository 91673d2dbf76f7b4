"""True success of payments that are accepted first and collected later."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal.records import GatewayRequest
from reports.orders import join_orders
from reports.payments import payments_from
from reports.run_folder import open_run
from tests.reports.drill import MS, Drill, S


@pytest.mark.parametrize(
    ("result", "captures", "amount", "true"),
    [
        ("processing", 0, 1000, True),
        ("processing", 1, 1000, True),
        ("processing", 1, 999, False),
        ("processing", 2, 1000, False),
        ("error", 0, 1000, False),
        ("error", 1, 1000, False),
    ],
)
def test_an_accepted_debit_is_a_true_success_when_a_gateway_accepted_it_and_took_it_at_most_once(
    tmp_path: Path, result: str, captures: int, amount: int, true: bool
) -> None:
    drill = Drill(10)
    drill.pay(
        S, order="x", expected="pending", outcome="pending", captures=0, requested=False, ledger="pending"
    )
    request = GatewayRequest("stripe", "payments", S, S + MS, 201, result, "", "x", "x", False)
    drill.add("stripe", request)
    for number in range(captures):
        # Long after the customer has gone.
        drill.capture("x", "stripe", f"debit-{number}", amount, at_ns=60 * S)
    payments = payments_from(join_orders(open_run(drill.write(tmp_path / "run"))), 5 * S)
    assert payments.success.tolist() == [True]
    assert payments.approved.tolist() == [False]
    assert payments.true_success.tolist() == [true]
