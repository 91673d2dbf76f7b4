"""What a worker that is gone has left behind, where users lived on it, too."""

from pathlib import Path

from journal.records import Intent, Payment
from journal.writer import Writer
from scenarios.checkout import order_id, user_order_id
from scenarios.distributed.loss import recorded


def payment(order: str, loop: str) -> Payment:
    return Payment(
        order, 0, 0, 1, "card", 100, "EUR", "card_ok", "succeeded", "succeeded", "", "stripe", loop
    )


def test_payments_of_users_are_not_taken_for_arrivals(tmp_path: Path) -> None:
    with Writer(tmp_path, "load-1") as writer:
        for number in (4, 6):
            writer.write(Intent(order_id("run", number), 0, 0))
        writer.write(payment(order_id("run", 4), "open"))
        for nth in range(3):
            writer.write(Intent(user_order_id("run", 2, nth), 0, 0, "closed"))
            writer.write(payment(user_order_id("run", 2, nth), "closed"))
    assert recorded(tmp_path, "load-1", "run") == ({4}, {4, 6})
