"""The connection is reset: before the execution, after it, or in the middle of the answer."""

from __future__ import annotations

import httpx
import pytest
import stripe

from mocks import transmission
from tests.socket_faults.faulty import CREATE, HEALTH, Faulty, Raw, head_and_body, payment, plan

LIST = b"GET /v1/payment_intents?limit=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_1\r\n\r\n"


@pytest.mark.parametrize(("when", "captures"), [("arrival", 0), ("answer", 1)])
def test_nothing_but_the_reset_is_seen(faulty: Faulty, when: str, captures: int) -> None:
    with faulty.on(plan("reset", when=when)) as fault, Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        assert raw.rest() == (b"", "reset")
        assert faulty.captures == captures
    assert fault.hits == 1
    request = faulty.requests[-1]
    assert (request.status, request.answered_ns, request.fault) == (0, None, "reset")
    with Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        status, headers, _ = raw.answer()
    assert status == 200 and ("idempotent-replayed" in headers) == (captures == 1)
    assert faulty.captures == 1


def test_half_a_body_and_the_reset_are_seen(faulty: Faulty) -> None:
    with faulty.on(plan("reset", when="body")) as fault, Raw(faulty.port) as raw:
        raw.send(payment())
        seen, end = raw.rest()
    head, body, size = head_and_body(seen)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and end == "reset"
    assert len(body) == size // 2 > 100
    assert (fault.hits, faulty.captures) == (1, 1)
    assert [(r.status, r.fault) for r in faulty.requests] == [(0, "reset")]


def test_half_of_a_large_answer_arrives_before_the_reset(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transmission, "DRAIN_LIMIT", 3600.0)
    with Raw(faulty.port) as raw:
        for number in range(100):
            raw.send(payment(f"o{number}"))
            assert raw.answer()[0] == 200
    # With so small a window most of it waits in the server's system, where a reset would wipe it out.
    with faulty.on(plan("reset", when="body")) as fault, Raw(faulty.port, window=4096) as raw:
        raw.send(LIST)
        faulty.until(lambda: fault.hits == 1, "the answer is under way")
        assert len(faulty.requests) == 100
        seen, end = raw.rest()
    assert len(faulty.requests) == 101
    _, body, size = head_and_body(seen)
    assert end == "reset" and len(body) == size // 2 > 30_000


@pytest.mark.parametrize(
    ("when", "error"), [("arrival", httpx.ReadError), ("answer", httpx.ReadError), ("body", httpx.ReadError)]
)
def test_httpx_sees_it(faulty: Faulty, when: str, error: type[Exception]) -> None:
    with httpx.Client(base_url=faulty.url) as client:
        assert client.get("/health").status_code == 200
        with faulty.on(plan("reset", when=when)), pytest.raises(error):
            client.get("/health")
        assert client.get("/health").status_code == 200


def test_stripes_sdk_pays_once_with_the_same_key(faulty: Faulty) -> None:
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": faulty.url}, max_network_retries=0)
    wanted = {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    options = {"idempotency_key": "order-1"}
    with faulty.on(plan("reset", when="answer", endpoint=CREATE)):
        with pytest.raises(stripe.APIConnectionError):
            client.v1.payment_intents.create(wanted, options)  # type: ignore[arg-type]
        with pytest.raises(stripe.APIConnectionError):
            client.v1.payment_intents.create(wanted, options)  # type: ignore[arg-type]
    assert client.v1.payment_intents.create(wanted, options).status == "succeeded"  # type: ignore[arg-type]
    assert faulty.captures == 1


def test_what_is_pipelined_before_it_is_answered_first(faulty: Faulty) -> None:
    with faulty.on(plan("reset", when="body", endpoint=CREATE)), Raw(faulty.port) as raw:
        raw.send(HEALTH + HEALTH + payment())
        assert [raw.answer()[0] for _ in range(2)] == [200, 200]
        _, body, size = head_and_body(raw.rest()[0])
        assert len(body) == size // 2


def test_a_fault_that_has_ended_does_not_reset_what_it_touched(_slow: Faulty) -> None:
    with _slow.on(plan("reset", when="answer")) as fault, Raw(_slow.port) as raw:
        raw.send(payment())
        _slow.until(lambda: len(_slow.gateway._in_flight) == 1, "the request has arrived")
        _slow.off(fault.plan)
        assert raw.answer()[0] == 200
    assert fault.hits == 0 and _slow.requests[-1].fault == ""


@pytest.fixture
def _slow() -> object:
    with Faulty("stripe", p50_ms=150) as slow:
        yield slow
