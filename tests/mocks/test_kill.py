"""A gateway's process is killed under load and goes on in another one: the truth in the journal stays whole."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from journal.mending import mend, written
from journal.reader import Journal
from paydrill import plans
from tests.mocks.running import adyen_call, adyen_payment, stripe_call, stripe_payment
from tests.mocks.test_process import Child

KILLS = 2
CUSTOMERS = 3
SLACK_NS = 20_000_000
"""What the wall clock and the monotonic clock may drift apart within seconds."""


class Customers:
    """Some that pay one order after the other, and try each again under its key until it is answered."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.port = port
        self.paid: dict[str, tuple[int, int]] = {}
        self.retried: set[str] = set()
        self.refused: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._pay, args=(f"c{n}",)) for n in range(CUSTOMERS)]

    def __enter__(self) -> Customers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def until(self, paid: int) -> None:
        give_up = time.monotonic() + 30
        while len(self.paid) < paid:
            assert time.monotonic() < give_up and not self.refused, self.refused
            time.sleep(0.001)

    def _pay(self, name: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        number = 0
        while not self._over.is_set():
            order = f"{name}-{number}"
            sent_ns = time.monotonic_ns()
            try:
                answer = pay(self.kind, connection, order)
            except (OSError, http.client.HTTPException):
                connection.close()
                self.retried.add(order)
                self._over.wait(0.01)
                continue
            if not answer:
                self.refused.append(order)
                return
            self.paid[order] = (sent_ns, time.monotonic_ns())
            number += 1
        connection.close()


def pay(kind: str, connection: http.client.HTTPConnection, order: str) -> bool:
    if kind == "stripe":
        status, _, body = stripe_call(
            connection, "POST", "/v1/payment_intents", stripe_payment(order), key=order
        )
        return status == 200 and body["status"] == "succeeded"
    status, _, body = adyen_call(connection, "/v72/payments", adyen_payment(order), key=order)
    return status == 200 and body["resultCode"] == "Authorised"


@pytest.mark.parametrize("kind", ["stripe", pytest.param("adyen", marks=pytest.mark.slow)])
def test_no_captured_payment_is_missing_after_kill_9(kind: str, tmp_path: Path) -> None:
    journal, epoch_ns = tmp_path / "journal", time.monotonic_ns()
    journal.mkdir()
    plan: dict[str, Any] = {
        "role": "gateway",
        "gateway": kind,
        "name": kind,
        "seed": 7,
        "latency": {"p50_ns": 2_000_000, "p99_ns": 5_000_000},
        "journal": str(journal),
        "state": str(tmp_path / "state"),
        "faults": [],
    }
    lost = 0
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(Child())
        # Told apart, the first customers could be there before it: what they are answered must be written down.
        plan["port"] = child.start(**plan, go={"epoch_ns": epoch_ns})["ready"]["port"]
        with Customers(kind, plan["port"]) as customers:
            for life in range(2, KILLS + 2):
                customers.until(25 * (life - 1))
                if life == 2:
                    give_up = time.monotonic() + 30
                    while not (journal / f"{kind}.movement.arrow").exists():  # something to go on from
                        assert time.monotonic() < give_up
                    customers.until(len(customers.paid) + 9)
                os.kill(child.process.pid, signal.SIGKILL)
                child.process.wait()
                known = len(customers.paid)
                process = kind if life == 2 else f"{kind}-{life - 1}"
                mend(journal, process)
                told = sum(written(journal, f"{kind}{n}", "movement").num_rows for n in ("", "-2"))
                lost += known > told
                child = stack.enter_context(Child())
                following = plans.continued(plan, life, epoch_ns, time.monotonic_ns() - epoch_ns)
                assert child.start(**following)["ready"]["port"] == plan["port"]
            customers.until(25 * KILLS + 10)
        connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=20)
        before = len(customers.paid)
        assert all(pay(kind, connection, order) for order in customers.paid)  # replays
        connection.close()
        child.process.terminate()
        assert child.ended() == 0
        assert child.said() == ""

    assert lost, "no kill came before a flush: nothing was tried"
    found = Journal(journal)
    rows = found.table("movement").to_pylist()
    captures = {row["order_id"]: row["at_ns"] for row in rows if row["kind"] == "capture"}
    assert found.damage == []
    assert {kind, f"{kind}-3"} <= set(found.processes())  # the second may have been killed too early
    assert Counter(row["order_id"] for row in rows if row["kind"] == "capture") == Counter(captures.keys())
    assert len({row["reference"] for row in rows}) == len(rows)
    assert customers.paid.keys() <= captures.keys() and len(captures) <= before + CUSTOMERS
    for order, (sent_ns, paid_ns) in customers.paid.items():
        if order not in customers.retried:
            assert sent_ns - SLACK_NS <= captures[order] + epoch_ns <= paid_ns + SLACK_NS
    executed = Counter(
        row["order_id"]
        for row in found.table("gateway_request").to_pylist()
        if row["result"] == "succeeded" and not row["replayed"]
    )
    assert executed == Counter(captures.keys())
