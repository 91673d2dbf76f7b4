"""Requests that are never answered, and connections that are never read."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from mocks import tls
from mocks.faults import FAULTS, FaultPlan
from tests.socket_faults.faulty import CREATE, HEALTH, LONG, Faulty, Raw, payment, plan


def test_httpx_waits_until_its_own_time_out(faulty: Faulty) -> None:
    with faulty.on(plan("black_hole")) as fault, httpx.Client(base_url=faulty.url, timeout=0.1) as client:
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                client.get("/health")
    assert fault.hits == 3


def test_what_is_dropped_is_not_executed_and_its_key_is_free(faulty: Faulty) -> None:
    with faulty.on(plan("black_hole", endpoint=CREATE)) as fault, Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        assert raw.silent()
        request = faulty.requests[-1]
        assert (request.status, request.answered_ns, request.fault) == (0, None, "black_hole")
        faulty.off(fault.plan)
        assert raw.rest() == (b"", "reset")
    assert (fault.hits, faulty.captures) == (1, 0)
    with Raw(faulty.port) as raw:
        raw.send(payment(key="k"))
        status, headers, _ = raw.answer()
    assert status == 200 and "idempotent-replayed" not in headers and faulty.captures == 1


def test_pipelined_requests_behind_it_wait_and_others_do_not(faulty: Faulty) -> None:
    with (
        faulty.on(plan("black_hole", endpoint=CREATE)) as fault,
        Raw(faulty.port) as raw,
        Raw(faulty.port) as other,
    ):
        raw.send(HEALTH + payment() + HEALTH)
        assert raw.answer()[0] == 200
        assert raw.silent()
        for _ in range(3):
            other.send(HEALTH)
            assert other.answer()[0] == 200
        faulty.off(fault.plan)
        assert raw.rest() == (b"", "reset")
        other.send(HEALTH)
        assert other.answer()[0] == 200


def test_who_has_left_is_forgotten(faulty: Faulty) -> None:
    with faulty.on(plan("black_hole")) as fault:
        with Raw(faulty.port) as raw:
            raw.send(HEALTH)
            faulty.until(lambda: len(fault._held) == 1, "the request is held")  # type: ignore[attr-defined]
            raw.reset_on_close()
        faulty.until(lambda: not fault._held, "the client is forgotten")  # type: ignore[attr-defined]


def test_a_server_that_stops_does_not_wait_for_what_is_held() -> None:
    with Faulty("stripe") as other, Raw(other.port) as held, Raw(other.port) as unread:
        with other.on(plan("black_hole")):
            held.send(HEALTH)
            other.until(lambda: other.ended() == 1, "the request is held")
            with other.on(plan("black_hole", id="f2", reads="nothing")):
                unread.send(payment())
                # Closing waits until no request is without an answer, if need be longer than this test may take.
                other.thread.call(other.schedule.close)
                assert other.service.server is not None
                other.thread.wait(other.service.server.stop(grace=3600))
        assert held.rest() == (b"", "reset")


def test_nothing_is_read_until_it_stops_and_then_all_is_executed(faulty: Faulty) -> None:
    with contextlib.ExitStack() as stack, Raw(faulty.port) as old, Raw(faulty.port) as idle:
        for raw in (old, idle):
            raw.send(HEALTH)
            assert raw.answer()[0] == 200
        with faulty.on(plan("black_hole", reads="nothing")) as fault:
            assert fault.hits == 2
            new = stack.enter_context(Raw(faulty.port))
            old.send(payment("old"))
            new.send(payment("new"))
            with Raw(faulty.port) as gone:
                gone.send(payment("gone"))
            assert new.silent() and old.silent()
            assert faulty.captures == 0 and len(faulty.requests) == 2
            faulty.off(fault.plan)
            assert new.answer()[0] == old.answer()[0] == 200
        assert fault.hits == 4
        idle.send(HEALTH)
        assert idle.answer()[0] == 200
        faulty.until(lambda: faulty.captured() == 3, "the one that had left has paid, too")
    with Raw(faulty.port) as raw:
        raw.send(payment("later"))
        assert raw.answer()[0] == 200


def test_two_that_read_nothing_end_with_the_last(faulty: Faulty) -> None:
    with Raw(faulty.port) as old:
        old.send(HEALTH)
        old.answer()
        with faulty.on(plan("black_hole", reads="nothing")) as first, Raw(faulty.port) as new:
            with faulty.on(plan("black_hole", id="f2", reads="nothing")):
                old.send(HEALTH)
                new.send(HEALTH)
                faulty.off(first.plan)
                assert new.silent() and old.silent()
            assert new.answer()[0] == old.answer()[0] == 200


def test_an_outage_resets_what_was_never_read(faulty: Faulty) -> None:
    with faulty.on(plan("black_hole", reads="nothing")) as hole, Raw(faulty.port) as raw:
        raw.send(payment())
        faulty.until(lambda: hole.hits == 1, "the connection is accepted")
        with faulty.on(plan("outage", id="f2")) as outage:
            assert outage.hits == 1
            assert raw.rest() == (b"", "reset")
            with pytest.raises(ConnectionRefusedError):
                Raw(faulty.port)
        with Raw(faulty.port) as new:
            new.send(HEALTH)
            assert new.silent()
            faulty.off(hole.plan)
            assert new.answer()[0] == 200
    assert faulty.captures == 0


def test_over_tls_not_even_the_handshake_is_answered(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path, tls.now())
    served = {"certificate": str(files.certificate), "key": str(files.key)}
    with Faulty("stripe", tls=served) as faulty, faulty.on(plan("black_hole", reads="nothing")) as hole:
        plain = socket.create_connection(("127.0.0.1", faulty.port), timeout=15)
        try:
            plain.setblocking(False)
            context = ssl.create_default_context(cafile=files.authority)
            secure = context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        try:
            with pytest.raises(ssl.SSLWantReadError):
                secure.do_handshake()
            faulty.until(lambda: hole.hits == 1, "the connection is accepted")
            with pytest.raises(ssl.SSLWantReadError):
                secure.do_handshake()
            faulty.off(hole.plan)
            secure.settimeout(15)
            secure.do_handshake()
            secure.sendall(payment())
            assert secure.recv(12) == b"HTTP/1.1 200"
        finally:
            secure.close()


@pytest.mark.parametrize(
    "limit", [{"share": 0.5}, {"endpoint": CREATE}, {"ramp_ns": 1}, {"match": {"currency": ["eur"]}}]
)
def test_what_is_not_read_cannot_be_chosen(faulty: Faulty, limit: dict[str, object]) -> None:
    chosen = FaultPlan("f9", "black_hole", 0, LONG, params={"reads": "nothing"}, **limit)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"fault f9: .* cannot be limited to some requests"):
        FAULTS["black_hole"](chosen, faulty.gateway, 7)


def test_without_a_free_descriptor_clients_wait(faulty: Faulty) -> None:
    assert faulty.service.server is not None
    listener = faulty.service.server.listener
    with faulty.on(plan("black_hole", reads="nothing")) as hole:
        true = listener._socket

        class Full:
            """A socket for which there is no descriptor left, twice."""

            refused = 0

            def __getattr__(self, name: str) -> object:
                return getattr(true, name)

            def accept(self) -> object:
                assert true is not None
                if self.refused < 2:
                    self.refused += 1
                    raise OSError(errno.EMFILE, "no descriptor")
                return true.accept()

        full = Full()
        faulty.thread.call(lambda: setattr(listener, "_socket", full))
        with Raw(faulty.port) as raw:
            faulty.until(lambda: hole.hits == 1, "a descriptor is free again")
            assert full.refused == 2
            faulty.thread.call(lambda: setattr(listener, "_socket", true))
            raw.send(HEALTH)
            faulty.off(hole.plan)
            assert raw.answer()[0] == 200


def test_what_had_been_read_is_answered_and_what_follows_is_not_read() -> None:
    with Faulty("stripe", p50_ms=100) as slow, Raw(slow.port) as raw:
        raw.send(payment("before"))
        slow.until(lambda: len(slow.gateway._in_flight) == 1, "the request has arrived")
        with slow.on(plan("black_hole", reads="nothing")) as fault:
            assert raw.answer()[0] == 200
            raw.send(payment("after"))
            assert raw.silent(0.3)
            slow.off(fault.plan)
            assert raw.answer()[0] == 200
        assert slow.captures == 2
