"""What all gateways have in common: when money moves, what is lost, what is repeated."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.records import Movement, Record
from mocks.gateways import GATEWAYS
from mocks.gateways.service import GatewayService
from tests.mocks.flight import in_flight
from tests.mocks.running import Running, adyen_call, adyen_payment, stripe_call, stripe_payment
from tests.mocks.serving import LoopThread

MS = 1_000_000


def test_gateway_types() -> None:
    ports = {"stripe": 12111, "paypal": 12112, "adyen": 12113, "gocardless": 12114}
    for name, kind in GATEWAYS.items():
        assert kind.name == name and kind.methods
        assert kind.default_port == ports[name]
        assert len(set(kind.endpoints)) == len(kind.endpoints)
    assert b'"api_error"' in GATEWAYS["stripe"].error_body(500)
    assert b'"status":503' in GATEWAYS["adyen"].error_body(503)


def test_money_moves_within_the_latency_and_reads_are_quick() -> None:
    with Running("stripe", p50_ms=30, p99_ms=60) as running:
        connection = running.connection()
        for number in range(10):
            status, _, body = stripe_call(
                connection, "POST", "/v1/payment_intents", stripe_payment(f"o{number}"), key=f"k{number}"
            )
            assert status == 200
            stripe_call(connection, "GET", f"/v1/payment_intents/{body['id']}")
        moved = {m.order_id: m.at_ns for m in running.movements}
        gateway = running.gateway
        fractions = []
        for number, request in enumerate(running.requests):
            assert request.answered_ns is not None
            took = request.answered_ns - request.received_ns
            drawn = gateway.latency.quantile(gateway._latencies.uniform(number))
            if request.endpoint == "payment_intents.create":
                assert took >= drawn - 1.5 * MS  # the loop's timers have whole milliseconds
                fractions.append((moved[request.order_id] - request.received_ns) / took)
            else:
                assert took >= drawn * 0.1 - 1.5 * MS
        assert all(0 <= fraction <= 1 for fraction in fractions)
        assert max(fractions) - min(fractions) > 0.2


def test_the_same_seed_draws_the_same_latencies() -> None:
    def drawn(seed: int) -> list[int]:
        with Running("stripe", p50_ms=10, p99_ms=50, seed=seed) as running:
            gateway = running.gateway
            return [gateway.latency.quantile(gateway._latencies.uniform(n)) for n in range(5)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_gateway_beyond_its_capacity_answers_the_later_the_more_it_has_in_flight() -> None:
    with Running("stripe", p50_ms=20_000, capacity=2) as running, ExitStack() as flights:
        for number in range(6):
            flights.enter_context(in_flight(running, f"o{number}", f"k{number}"))
            running.until(lambda n=number: len(running.gateway._in_flight) > n, "it has arrived")  # type: ignore[misc]
        slowed = running.thread.call(lambda: [call.latency_ns(1) for call in running.gateway._in_flight])
        assert slowed == [1, 1, 1.5, 2, 2.5, 3]


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_gateway_that_could_carry_nothing_is_refused(capacity: int) -> None:
    with LoopThread() as thread, pytest.raises(ValueError, match="carry nothing"):
        thread.wait(GatewayService().start({"gateway": "stripe", "capacity": capacity}))


def test_identifiers_are_the_same_for_the_same_seed() -> None:
    def name() -> str:
        with Running("stripe") as running:
            answer = stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment())
            return str(answer[2]["id"])

    assert name() == name()


def test_a_client_that_leaves_is_charged_all_the_same() -> None:
    with Running("stripe", p50_ms=300) as running:
        with in_flight(running, "left", "k"):
            running.until(lambda: len(running.gateway.keys) == 1, "the request has arrived")
        running.until(lambda: len(running.writer.records) == 2, "it has been executed and written down")
        assert [m.order_id for m in running.movements] == ["left"]
        request = running.requests[0]
        assert (request.status, request.answered_ns) == (0, None)
        assert (request.result, request.fault) == ("succeeded", "")
        again = stripe_call(
            running.connection(), "POST", "/v1/payment_intents", stripe_payment("left"), key="k"
        )
        assert again[1]["idempotent-replayed"] == "true" and len(running.movements) == 1


def test_an_outage_leaves_some_captured_and_some_not_and_keys_stay_true() -> None:
    payments = 40
    captures: list[Movement] = []
    outage: list[Callable[[], None]] = []

    def watch(record: Record) -> None:
        # The outage strikes as soon as a quarter of the payments have been captured.
        if isinstance(record, Movement):
            captures.append(record)
            if len(captures) == payments // 4:
                running.thread.loop.call_soon(outage[0])

    struck: list[int] = []
    with ExitStack() as stack:
        running = stack.enter_context(Running("stripe", p50_ms=3000, on_write=watch))
        outage.append(lambda: struck.append(running.gateway.go_dark("outage")))
        sending = [stack.enter_context(in_flight(running, f"o{n}", f"k{n}")) for n in range(payments)]
        running.until(lambda: bool(struck), "the outage has struck")
        for client in sending:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        captured = {m.order_id for m in running.movements}
        assert payments // 4 <= len(captured) < payments
        assert struck == [2 * payments]  # every connection was reset, every request lost
        assert len(running.gateway.keys) == len(captured)
        assert {(r.status, r.answered_ns, r.fault) for r in running.requests} == {(0, None, "outage")}
        results = {r.order_id: r.result for r in running.requests}
        assert all((results[f"o{n}"] == "succeeded") == (f"o{n}" in captured) for n in range(payments))

        running.thread.call(running.gateway.come_back)
        running.gateway.latency = type(running.gateway.latency)(0, 0)
        connection = running.connection()
        for number in range(payments):
            order = f"o{number}"
            parameters = stripe_payment(order)
            answer = stripe_call(connection, "POST", "/v1/payment_intents", parameters, key=f"k{number}")
            assert answer[0] == 200 and answer[2]["status"] == "succeeded"
            assert ("idempotent-replayed" in answer[1]) == (order in captured)
        assert Counter(m.order_id for m in running.movements) == {f"o{n}": 1 for n in range(payments)}


def test_what_an_outage_has_prevented_never_happens() -> None:
    with ExitStack() as stack:
        running = stack.enter_context(Running("stripe", p50_ms=1000))
        for number in range(10):
            stack.enter_context(in_flight(running, f"o{number}", f"k{number}"))
        running.until(lambda: len(running.gateway.keys) == 10, "all requests have arrived")
        running.thread.call(lambda: running.gateway.go_dark("outage"))
        moved = running.movements
        over = time.monotonic() + 1.1
        running.until(lambda: time.monotonic() > over, "the last moment of execution has passed")
        assert running.movements == moved and len(running.requests) == 10


def test_an_error_in_the_gateway_is_a_500_in_its_shape(capfd: pytest.CaptureFixture[str]) -> None:
    with Running("adyen") as running:

        def broken(*_: object) -> None:
            raise RuntimeError("card 4111111145551142")

        running.gateway.ledger.capture = broken  # type: ignore[method-assign, assignment]
        connection = running.connection()
        status, _, body = adyen_call(connection, "/v72/payments", adyen_payment(), key="k")
        assert (status, body["errorType"]) == (500, "internal")
        status, headers, _ = adyen_call(connection, "/v72/payments", adyen_payment(), key="k")
        assert status == 500 and headers["idempotency-key"] == "k"
        told = capfd.readouterr().err
        assert "adyen: payments: RuntimeError at" in told and "4111" not in told


requests = st.lists(
    st.tuples(
        st.sampled_from(["pay", "pay", "pay", "decline", "refund"]),
        st.integers(0, 3),  # which idempotency key
        st.integers(0, 1),  # which amount
    ),
    min_size=1,
    max_size=12,
)


class _Example:
    """Numbers the examples of a property, so that their keys and orders don't meet."""

    number = 0


@pytest.fixture(scope="module")
def stripe_running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture(scope="module")
def adyen_running() -> Iterator[Running]:
    with Running("adyen") as running:
        yield running


def check_money(running: Running, prefix: str) -> None:
    """One key never moves money twice; refunds stay within captures."""
    movements = [m for m in running.movements if m.order_id.startswith(prefix)]
    captures = Counter(m.order_id for m in movements if m.kind == "capture")
    assert all(count == 1 for count in captures.values())
    for capture in (m for m in movements if m.kind == "capture"):
        refunds = [m.amount_minor for m in movements if m.parent == capture.reference]
        assert sum(refunds) <= capture.amount_minor


@settings(max_examples=40, deadline=None)
@given(steps=requests)
def test_stripe_one_key_moves_money_once(stripe_running: Running, steps: list[tuple[str, int, int]]) -> None:
    _Example.number += 1
    prefix = f"e{_Example.number}-"
    connection = stripe_running.connection()
    first: dict[str, tuple[str, object]] = {}
    paid: list[str] = []
    for kind, which, size in steps:
        key = f"{prefix}{which}"
        if kind == "refund":
            if not paid:
                continue
            parameters: dict[str, object] = {"payment_intent": paid[-1], "amount": 700 + size}
            path = "/v1/refunds"
        else:
            card = "pm_card_visa" if kind == "pay" else "pm_card_visa_chargeDeclined"
            parameters, path = stripe_payment(key, card, 1000 + size), "/v1/payment_intents"
        status, headers, body = stripe_call(connection, "POST", path, parameters, key=key)
        used = repr((path, parameters))
        if key in first and first[key][0] == used:
            assert headers["idempotent-replayed"] == "true" and body == first[key][1]
        elif key in first:
            assert status == 400 and body["error"]["type"] == "idempotency_error"
        else:
            assert "idempotent-replayed" not in headers
            first[key] = used, body
            if body.get("object") == "payment_intent":
                paid.append(body["id"])
    check_money(stripe_running, prefix)
    connection.close()


@settings(max_examples=40, deadline=None)
@given(steps=requests)
def test_adyen_one_key_moves_money_once(adyen_running: Running, steps: list[tuple[str, int, int]]) -> None:
    _Example.number += 1
    prefix = f"e{_Example.number}-"
    connection = adyen_running.connection()
    first: dict[str, tuple[str, object]] = {}
    paid: list[str] = []
    for kind, which, size in steps:
        key = f"{prefix}{which}"
        if kind == "refund":
            if not paid:
                continue
            body: object = {
                "merchantAccount": "PaydrillECOM",
                "amount": {"currency": "EUR", "value": 700 + size},
            }
            path = f"/v72/payments/{paid[-1]}/refunds"
        else:
            holder = "A Shopper" if kind == "pay" else "DECLINED"
            body, path = adyen_payment(key, 1000 + size, holderName=holder), "/v72/payments"
        status, _, answer = adyen_call(connection, path, body, key=key)
        used = repr((path, body))
        if key in first and first[key][0] == used:
            assert answer == first[key][1]
        elif key in first:
            assert (status, answer["errorCode"]) == (422, "704")
        else:
            first[key] = used, answer
            if answer.get("resultCode") == "Authorised":
                paid.append(answer["pspReference"])
    check_money(adyen_running, prefix)
    connection.close()


def test_what_is_before_go_is_answered_and_not_written_down() -> None:
    with Running("stripe") as running:
        running.gateway._writer = None
        connection: http.client.HTTPConnection = running.connection()
        early = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("early"), key="k")
        assert early[0] == 200 and running.requests == [] and running.movements == []
        running.thread.call(lambda: running.gateway.begin(running.gateway._clock, running.writer))
        late = stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("early"), key="k")
        assert late[2]["id"] == early[2]["id"]
        assert [r.replayed for r in running.requests] == [True] and running.movements == []


@pytest.mark.parametrize("kind", sorted(GATEWAYS))
def test_health_needs_no_credentials(kind: str) -> None:
    with Running(kind) as running:
        connection = running.connection()
        connection.request("GET", "/health")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b'{"status": "ok"}')
        assert running.requests[-1].endpoint == "health"
