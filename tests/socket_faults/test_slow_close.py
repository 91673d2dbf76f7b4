"""Connections that stay open and take nothing more."""

from __future__ import annotations

import httpx
import pytest

from tests.socket_faults.faulty import CREATE, HEALTH, MS, Faulty, Raw, payment, plan


@pytest.mark.parametrize(("header", "said"), [("keep-alive", None), ("close", "close")])
def test_the_answer_comes_and_the_end_does_not(faulty: Faulty, header: str, said: str | None) -> None:
    with (
        faulty.on(plan("slow_close", delay=3600 * 1000 * MS, header=header)) as fault,
        Raw(faulty.port) as raw,
    ):
        raw.send(payment("first"))
        status, headers, _ = raw.answer()
        assert (status, headers.get("connection")) == (200, said)
        raw.send(payment("second"))
        assert raw.silent()
        assert [(r.status, r.fault) for r in faulty.requests] == [(200, "slow_close")]
        faulty.off(fault.plan)
        # The second request was taken from the socket, so the end is a proper one.
        assert raw.rest() == (b"", "closed")
    assert (fault.hits, faulty.captures) == (1, 1)


def test_the_end_comes_after_the_delay(faulty: Faulty) -> None:
    with faulty.on(plan("slow_close", delay=100 * MS)), Raw(faulty.port) as raw:
        raw.send(payment())
        assert raw.answer()[0] == 200
        received_ns = faulty.requests[-1].received_ns
        assert raw.rest() == (b"", "closed")
        assert faulty.thread.call(lambda: faulty.gateway._clock.now_ns()) - received_ns >= 100 * MS


def test_httpx_hangs_on_a_pooled_connection_and_recovers(faulty: Faulty) -> None:
    with httpx.Client(base_url=faulty.url, timeout=10) as client:
        with faulty.on(plan("slow_close", delay=100 * MS)) as fault:
            assert client.get("/health").status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                client.get("/health")
            assert fault.hits == 1
        assert client.get("/health").status_code == 200


def test_other_connections_and_other_endpoints_go_on(faulty: Faulty) -> None:
    slow = plan("slow_close", delay=3600 * 1000 * MS, endpoint=CREATE)
    with faulty.on(slow), Raw(faulty.port) as raw, Raw(faulty.port) as other:
        raw.send(HEALTH + payment())
        assert [raw.answer()[0], raw.answer()[0]] == [200, 200]
        for _ in range(3):
            other.send(HEALTH)
            assert other.answer()[0] == 200
