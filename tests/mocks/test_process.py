"""The child process, end to end: plan, ready, go, a payment, the end, and the journal that is left."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from journal.reader import Journal
from journal.tether import FD_VARIABLE, Tether
from tests.mocks.running import adyen_call, adyen_payment, stripe_call, stripe_payment

ROOT = Path(__file__).parents[2]


class Child:
    """A child process and the conductor's end of its tether."""

    def __init__(self) -> None:
        self.tether, theirs = Tether.pair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mocks.process"],
            env=os.environ | {FD_VARIABLE: str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tether.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def start(self, **plan: Any) -> Any:
        self.tether.send({"plan": {"role": "gateway", "gateway": "stripe", "name": "stripe"} | plan})
        return self.tether.receive(20)

    def ready(self, **plan: Any) -> HTTPConnection:
        self.port = self.start(**plan)["ready"]["port"]
        return HTTPConnection("127.0.0.1", self.port, timeout=10)

    def go(self) -> None:
        self.tether.send({"go": {"epoch_ns": time.monotonic_ns()}})

    def ended(self) -> int:
        return self.process.wait(10)

    def said(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


@pytest.fixture
def child() -> Iterator[Child]:
    with Child() as child:
        yield child


def pay_until(connection: HTTPConnection, journal: Path, table: str, rows: int) -> None:
    """Pay until a table has rows, which also shows that ``go`` has been heard and a flush has happened."""
    give_up = time.monotonic() + 20
    number = 0
    while Journal(journal).table(table).num_rows < rows:
        number += 1
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(f"o{number}"), key=f"k{number}")
        assert time.monotonic() < give_up


def test_plan_ready_go_payment_sigterm(child: Child, tmp_path: Path) -> None:
    fault = {"id": "f1", "fault": "latency", "at_ns": 0, "for_ns": 3600 * 10**9, "params": {"add": 1000}}
    latency = {"p50_ns": 5_000_000, "p99_ns": 9_000_000}
    connection = child.ready(journal=str(tmp_path), seed=7, latency=latency, faults=[fault])
    early = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("early"), key="early")
    assert early[0] == 200
    child.go()
    pay_until(connection, tmp_path, "movement", 1)
    last = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("last"), key="last")
    stripe_call(connection, "POST", "/v1/refunds", {"payment_intent": last[2]["id"], "amount": 1})
    child.process.send_signal(signal.SIGINT)  # meant for the conductor
    stripe_call(connection, "GET", "/v1/payment_intents")
    connection.close()
    child.process.terminate()
    assert child.ended() == 0

    journal = Journal(tmp_path)
    movements = journal.table("movement").to_pylist()
    assert "early" not in {row["order_id"] for row in movements}
    assert [row["kind"] for row in movements if row["order_id"] == "last"] == ["capture", "refund"]
    requests = journal.table("gateway_request").to_pylist()
    assert requests[-1]["endpoint"] == "payment_intents.list" and requests[-1]["status"] == 200
    assert {row["gateway"] for row in requests} == {"stripe"}
    events = journal.table("fault").to_pylist()
    assert [row["phase"] for row in events] == ["armed", "started", "stopped"]
    assert events[-1]["hits"] == sum(row["fault"] == "latency" for row in requests) > 0
    assert journal.damage == [] and journal.processes() == ("stripe",)
    assert child.said() == ""


def test_sigterm_answers_what_is_in_flight(child: Child, tmp_path: Path) -> None:
    latency = {"p50_ns": 300_000_000, "p99_ns": 300_000_000}
    connection = child.ready(journal=str(tmp_path), latency=latency)
    child.go()
    pay_until(connection, tmp_path, "movement", 1)
    body = "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa&metadata[order_id]=last"
    connection.request("POST", "/v1/payment_intents", body, {"Authorization": "Bearer sk_test_1"})
    # That a later request has been answered shows that this one has arrived.
    other = HTTPConnection("127.0.0.1", child.port, timeout=10)
    stripe_call(other, "GET", "/v1/payment_intents")
    other.close()
    child.process.terminate()
    response = connection.getresponse()
    assert response.status == 200 and response.getheader("connection") == "close"
    response.read()
    connection.close()
    assert child.ended() == 0
    assert "last" in Journal(tmp_path).table("movement")["order_id"].to_pylist()


def test_kill_9_leaves_a_readable_journal(child: Child, tmp_path: Path) -> None:
    connection = child.ready(journal=str(tmp_path))
    child.go()
    pay_until(connection, tmp_path, "gateway_request", 20)
    child.process.kill()
    child.ended()
    connection.close()
    journal = Journal(tmp_path)
    assert journal.table("gateway_request").num_rows >= 20
    assert journal.table("movement").num_rows >= 20
    assert journal.damage == []


def test_the_end_of_the_tether_ends_the_child(child: Child, tmp_path: Path) -> None:
    connection = child.ready(journal=str(tmp_path))
    child.go()
    pay_until(connection, tmp_path, "movement", 1)
    stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("last"))
    child.tether.close()
    assert child.ended() == 0
    connection.close()
    assert "last" in Journal(tmp_path).table("movement")["order_id"].to_pylist()


@pytest.mark.parametrize("how", ["tether", "signal"])
def test_a_child_without_a_plan_ends_too(child: Child, how: str) -> None:
    child.tether.send({"nonsense": 1})
    if how == "tether":
        child.tether.close()
    else:
        # The complaint shows that the signal handler is in place: it comes before anything is read.
        assert child.process.stderr is not None
        assert child.process.stderr.readline() == b"a message that means nothing here: nonsense\n"
        child.process.terminate()
    assert child.ended() == 0


def test_a_port_in_use_is_told(child: Child) -> None:
    child.ready()
    with Child() as second:
        answer = second.start(port=child.port)
        assert answer["failed"]["error"].startswith(f"port {child.port} of 127.0.0.1 is in use; ")
        assert second.ended() == 4


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        ({"role": "bank"}, "no role 'bank'; the roles are approving_platform, gateway, platform"),
        ({"gateway": "paypol"}, "no gateway 'paypol'; the gateways are stripe, paypal, adyen, gocardless"),
        ({"latency": {"p50_ns": 5, "p99_ns": 4}}, "latency"),
        ({"faults": [{"id": "f1", "fault": "flood", "at_ns": 0, "for_ns": 1}]}, "no fault 'flood'"),
        ({"faults": [{"id": "f1", "fault": "outage", "at_ns": 0, "for_ns": 1, "endpoint": "x"}]}, "no 'x'"),
        ({"latency": {}}, "p50_ns"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_told(child: Child, plan: dict[str, Any], word: str) -> None:
    assert word in child.start(**plan)["failed"]["error"]
    assert child.ended() == 4


def test_adyen_as_a_child_without_a_journal(child: Child) -> None:
    connection = child.ready(gateway="adyen", name="adyen", journal=None)
    child.go()
    assert adyen_call(connection, "/v72/payments", adyen_payment())[2]["resultCode"] == "Authorised"
    connection.close()
    child.process.terminate()
    assert child.ended() == 0


def test_a_journal_that_cannot_be_written_does_not_stop_the_service(child: Child, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    connection = child.ready(journal=str(folder))
    child.go()
    assert child.process.stderr is not None
    for number in range(200):
        # What is paid before the child has taken note of `go` is not journalled, and nobody complains of it.
        order = f"order-{number}"
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(order), key=order)
        if select.select([child.process.stderr], [], [], 0.1)[0]:
            break
    line = child.process.stderr.readline().decode()
    assert line.startswith("stripe: the journal cannot be written, trying on:")
    assert stripe_call(connection, "GET", "/v1/payment_intents")[0] == 200
    folder.mkdir()
    child.process.terminate()
    assert child.ended() == 0
    connection.close()
    assert Journal(folder).table("gateway_request").num_rows >= 1
    assert child.said() == ""


def test_a_full_disk_does_not_stop_the_service_and_loses_nothing(child: Child, tmp_path: Path) -> None:
    connection = child.ready(journal=str(tmp_path))
    child.go()
    pay_until(connection, tmp_path, "movement", 1)
    # A limit on the size of files fails a write like a full disk, and may take a part of it, too.
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    _, most = resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (max(sizes) + 100, most))
    stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("full"), key="full")
    assert child.process.stderr is not None
    line = child.process.stderr.readline().decode()
    assert line.startswith("stripe: the journal cannot be written, trying on:")
    assert stripe_call(connection, "GET", "/v1/payment_intents")[0] == 200
    connection.close()
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (most, most))
    child.process.terminate()
    assert child.ended() == 0
    journal = Journal(tmp_path)
    assert "full" in journal.table("movement")["order_id"].to_pylist()
    assert "full" in journal.table("gateway_request")["order_id"].to_pylist()
    assert journal.damage == [] and child.said() == ""


def test_nobody_starts_it_by_hand() -> None:
    environment = {name: value for name, value in os.environ.items() if name != FD_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", "mocks.process"], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 2 and "paydrill mock" in done.stderr
