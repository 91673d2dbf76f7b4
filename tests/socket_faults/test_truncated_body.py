"""Answers that promise more than comes."""

from __future__ import annotations

import httpx
import pytest
import stripe

from mocks.faults import FAULTS
from tests.socket_faults.faulty import CREATE, HEALTH, Faulty, Raw, head_and_body, payment, plan


@pytest.mark.parametrize(("end", "seen"), [("close", "closed"), ("reset", "reset")])
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_a_part_comes_and_then_the_end(faulty: Faulty, end: str, seen: str, keep: float) -> None:
    with faulty.on(plan("truncated_body", end=end, keep=keep)) as fault, Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        data, how = raw.rest()
    head, body, size = head_and_body(data)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"connection: close" not in head
    assert len(body) == int(size * keep) < size and how == seen
    assert (fault.hits, faulty.captures) == (1, 1)
    assert [(r.status, r.answered_ns) for r in faulty.requests] == [(0, None)]
    with Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        assert raw.answer()[1]["idempotent-replayed"] == "true"
    assert faulty.captures == 1


@pytest.mark.parametrize(("end", "error"), [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_httpx_sees_it(faulty: Faulty, end: str, error: type[Exception]) -> None:
    with httpx.Client(base_url=faulty.url) as client:
        with faulty.on(plan("truncated_body", end=end)), pytest.raises(error):
            client.get("/health")
        assert client.get("/health").json() == {"status": "ok"}


def test_stripes_sdk_pays_once_with_the_same_key(faulty: Faulty) -> None:
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": faulty.url}, max_network_retries=0)
    options = {"idempotency_key": "order-1"}
    wanted = {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    with faulty.on(plan("truncated_body", endpoint=CREATE)), pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create(wanted, options)  # type: ignore[arg-type]
    assert client.v1.payment_intents.create(wanted, options).status == "succeeded"  # type: ignore[arg-type]
    assert faulty.captures == 1


def test_what_had_been_read_behind_it_is_executed_and_lost() -> None:
    with Faulty("stripe", p50_ms=50) as slow:
        with slow.on(plan("truncated_body", endpoint="health")), Raw(slow.port) as raw:
            raw.send(HEALTH + payment())
            _, body, size = head_and_body(raw.rest()[0])
            assert (len(body), size) == (8, 16)
        slow.until(lambda: slow.captured() == 1, "the payment is made")


def test_of_an_answer_without_a_body_the_head_is_cut(faulty: Faulty) -> None:
    with faulty.on(plan("truncated_body")), Raw(faulty.port) as raw:
        raw.send(HEALTH.replace(b"GET", b"HEAD"))
        data, how = raw.rest()
    assert data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n") and not data.endswith(b"\r\n\r\n")
    assert how == "closed"


def test_all_of_it_is_no_part() -> None:
    with pytest.raises(ValueError, match="below 100%"):
        FAULTS["truncated_body"].parse({"keep": 1.0})
    with pytest.raises(ValueError, match="close or reset"):
        FAULTS["truncated_body"].parse({"end": "fin"})
