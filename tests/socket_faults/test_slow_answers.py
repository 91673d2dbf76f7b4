"""Answers that trickle or come in crumbs."""

from __future__ import annotations

import time

import httpx
import pytest
import stripe

from tests.socket_faults.faulty import CREATE, HEALTH, MS, Faulty, Raw, head_and_body, payment, plan


def whole(seen: bytes) -> tuple[int, int]:
    """The lengths of an answer's head and body."""
    head, _, size = head_and_body(seen)
    return len(head), size


def test_no_byte_comes_before_its_time(faulty: Faulty) -> None:
    with faulty.on(plan("bandwidth", rate=5000.0)) as fault, Raw(faulty.port) as raw:
        before = time.monotonic()
        raw.send(payment())
        arrivals: list[tuple[int, float]] = []
        seen = b""
        while b"\r\n\r\n" not in seen or len(seen) < sum(whole(seen)):
            seen = raw.some()
            arrivals.append((len(seen), time.monotonic() - before))
        assert all(seconds >= received / 5000 for received, seconds in arrivals)
        assert len(arrivals) > 3 and raw.answer()[0] == 200
    assert (fault.hits, faulty.captures) == (1, 1)
    request = faulty.requests[-1]
    assert request.status == 200 and request.answered_ns is not None
    assert request.answered_ns - request.received_ns >= arrivals[-1][0] / 5000 * 1e9
    assert faulty.movements[0].at_ns - request.received_ns < request.answered_ns - request.received_ns


@pytest.mark.parametrize(
    "slow", [plan("bandwidth", rate=1.0), plan("slicer", size=1, pause=3600 * 1000 * MS)]
)
def test_when_it_stops_the_rest_comes_at_once(faulty: Faulty, slow: object) -> None:
    with faulty.on(slow) as fault, Raw(faulty.port) as raw:  # type: ignore[arg-type]
        raw.send(payment())
        faulty.until(lambda: len(fault._under_way) == 1, "the answer is under way")  # type: ignore[attr-defined]
        assert faulty.captures == 1 and faulty.requests == []
        faulty.off(fault.plan)
        status, _, body = raw.answer()
        assert status == 200 and body.endswith(b"}")
        raw.send(HEALTH)
        assert raw.answer()[0] == 200
        assert [r.status for r in faulty.requests] == [200, 200]
        assert fault._under_way == set()  # type: ignore[attr-defined]


def test_a_time_out_for_each_read_never_ends_it(faulty: Faulty) -> None:
    with faulty.on(plan("slicer", size=400, pause=30 * MS)) as fault:
        with httpx.Client(base_url=faulty.url, timeout=10) as client:
            sent = {"content-type": "application/x-www-form-urlencoded", "authorization": "Bearer sk_test_1"}
            body = payment().partition(b"\r\n\r\n")[2]
            with client.stream("POST", "/v1/payment_intents", content=body, headers=sent) as answer:
                pieces = list(answer.iter_raw())
        assert len(pieces) >= 2 and sum(map(len, pieces)) == int(answer.headers["content-length"])
    assert fault.hits == 1


@pytest.mark.parametrize("slow", [plan("bandwidth", rate=100_000.0), plan("slicer", size=50, pause=MS)])
def test_stripes_sdk_reads_it_all(faulty: Faulty, slow: object) -> None:
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": faulty.url})
    with faulty.on(slow) as fault:  # type: ignore[arg-type]
        intent = client.v1.payment_intents.create(
            {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
        )
        assert client.v1.payment_intents.retrieve(intent.id).amount_received == 1290
    assert fault.hits == 2 and faulty.captures == 1


@pytest.mark.parametrize(
    "slow", [plan("bandwidth", rate=50_000.0, endpoint=CREATE), plan("slicer", endpoint=CREATE)]
)
def test_pipelined_answers_stay_whole_and_in_order(faulty: Faulty, slow: object) -> None:
    with faulty.on(slow) as fault, Raw(faulty.port) as raw:  # type: ignore[arg-type]
        raw.send(HEALTH + payment("a") + HEALTH + payment("b") + HEALTH)
        bodies = [raw.answer()[2] for _ in range(5)]
        assert [b'"order_id":"a"' in bodies[1], b'"order_id":"b"' in bodies[3]] == [True, True]
        assert bodies[0] == bodies[2] == bodies[4] == b'{"status": "ok"}'
    assert fault.hits == 2


def test_who_leaves_in_the_middle_is_forgotten(faulty: Faulty) -> None:
    with faulty.on(plan("bandwidth", rate=1.0)) as fault:
        with Raw(faulty.port) as raw:
            raw.send(payment())
            faulty.until(lambda: len(fault._under_way) == 1, "the answer is under way")  # type: ignore[attr-defined]
            raw.reset_on_close()
        faulty.until(lambda: not fault._under_way, "the client is forgotten")  # type: ignore[attr-defined]
        assert [(r.status, r.answered_ns, r.fault) for r in faulty.requests] == [(0, None, "bandwidth")]
        assert faulty.captures == 1


def test_a_connection_that_was_to_be_closed_is_closed_after_a_slow_answer(faulty: Faulty) -> None:
    with faulty.on(plan("slicer", size=200, pause=MS)), Raw(faulty.port) as raw:
        raw.send(payment(more="Connection: close\r\n"))
        status, headers, _ = raw.answer()
        assert (status, headers["connection"]) == (200, "close") and raw.rest() == (b"", "closed")


def test_an_outage_in_the_middle_resets(faulty: Faulty) -> None:
    with faulty.on(plan("bandwidth", rate=2000.0)), Raw(faulty.port) as raw:
        raw.send(payment())
        assert raw.some()
        with faulty.on(plan("outage", id="f2")) as outage:
            seen, end = raw.rest()
        assert end == "reset" and seen and outage.hits == 1
    assert [r.status for r in faulty.requests] == [0] and faulty.captures == 1
