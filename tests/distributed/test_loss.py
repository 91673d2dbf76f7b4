"""What a worker that is gone said of its share, and what is recorded for it."""

from pathlib import Path

from journal.records import Intent
from journal.writer import Writer
from scenarios.checkout import order_id, plan, user_order_id
from scenarios.distributed.loss import Loss, recorded
from scenarios.reading import load_scenario


def test_orders_of_closed_loop_users_are_not_taken_for_arrivals(tmp_path: Path) -> None:
    with Writer(tmp_path, "load-1") as writer:
        for order in (order_id("abc123", 7), order_id("abc123", 12_345_678), user_order_id("abc123", 3, 5)):
            writer.write(Intent(order, 0, 0))
    assert recorded(tmp_path, "load-1", "abc123") == (set(), {7, 12_345_678})


def test_what_is_recorded_of_a_lost_arrival_is_its_plan_and_an_unknown_end() -> None:
    scenario = load_scenario("steady_state", [])
    loss = Loss(scenario, "abc123")
    planned = next(payment for payment in plan(scenario) if payment.number == 41)
    lost = loss.of_lost(41, planned.due_ns, "load-1", sent=False)
    assert (lost.id, lost.due_ns, lost.sent_ns, lost.done_ns) == (
        "abc123-0000041",
        planned.due_ns,
        None,
        None,
    )
    assert (lost.amount_minor, lost.instrument, lost.expected) == (
        planned.amount_minor,
        planned.instrument,
        planned.expected,
    )
    assert lost.outcome == "unknown"
    assert lost.error == "generator: worker load-1 was lost before it said whether this was sent"
    assert loss.of_lost(41, 0, "load-1", sent=True).error.endswith("before it said what came of this")
    left = loss.of_left(41, planned.due_ns, "load-1")
    assert (left.outcome, left.error) == ("failed", "generator: worker load-1 left before this was due")
