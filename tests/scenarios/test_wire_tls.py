"""HTTPS: the certificate is always checked, and the rest is as without TLS."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import gevent
import pytest
from gevent import socket, ssl
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks import tls
from scenarios.wire import Answer, NeverSentError, NoAnswerError, Wire
from tests.scenarios.serving import Kept, always, answer, request_of, reset, serving


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.prepare(tmp_path_factory.mktemp("tls"), datetime.now(UTC))


@pytest.fixture(autouse=True)
def trusting(files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here trusts the authority by the environment, as a user's process does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))


def context(files: tls.TlsFiles) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.certificate, files.key)
    return made


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_one_connection_serves_request_after_request(files: tls.TlsFiles, version: str, host: str) -> None:
    server = context(files)
    server.minimum_version = server.maximum_version = getattr(ssl.TLSVersion, version)
    seen: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            seen.append(request[-1:])
            connection.sendall(answer(request[-1:]))

    with serving(handler, tls=server, host=host) as (wire, connections):
        for n in range(4):
            assert wire.post("/", b"%d" % n, {}, 5) == Answer(201, b"%d" % n)
            gevent.sleep(0.002)  # session tickets come when they come, and are nobody's answer
        assert len(connections) == wire.open_connections == 1
    assert seen == [b"0", b"1", b"2", b"3"]


def test_an_authority_that_is_not_trusted_is_refused_before_anything_leaves(
    files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    asked: list[int] = []
    with serving(lambda _: asked.append(1), tls=context(files)) as (wire, _):
        with pytest.raises(
            NeverSentError, match=r"^TLS: certificate not accepted: unable to get local issuer"
        ):
            wire.post("/", b"{}", {}, 5)
        assert wire.open_connections == 0
    assert not asked


@pytest.mark.parametrize(
    ("flaw", "why"), [("expired", "certificate has expired"), ("other_name", "IP address mismatch")]
)
def test_a_certificate_with_a_flaw_is_refused(
    files: tls.TlsFiles, flaw: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "ssl", ssl)  # a server in this process must not block it
    flawed = tls.flawed_context(files.certificate, flaw, datetime.now(UTC))
    with (
        serving(always(answer(b"ok")), tls=flawed) as (wire, _),
        pytest.raises(NeverSentError, match=f"^TLS: certificate not accepted: .*{why}"),
    ):
        wire.post("/", b"{}", {}, 5)


def test_a_server_that_speaks_no_tls_was_sent_nothing(files: tls.TlsFiles) -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer(b"plain"))

    with serving(plain) as (wire, _):
        secure = Wire(f"https://127.0.0.1:{wire._target.port}")
        with pytest.raises(NeverSentError, match=r"^TLS: "):
            secure.post("/", b"{}", {}, 5)


def test_a_server_that_accepts_and_never_shakes_hands_was_sent_nothing(files: tls.TlsFiles) -> None:
    with serving(lambda _: gevent.sleep(30)) as (wire, _):
        secure = Wire(f"https://127.0.0.1:{wire._target.port}", connect_timeout=0.05)
        with pytest.raises(NeverSentError, match=r"^no connection within 0.05 s$"):
            secure.post("/", b"{}", {}, 5)


def test_a_waiting_exchange_gets_a_connection_that_becomes_free_before_its_own_is_made(
    files: tls.TlsFiles,
) -> None:
    release = gevent.event.Event()
    shaken: list[int] = []

    def handler(connection: socket.socket) -> None:
        if shaken:
            gevent.sleep(30)
        shaken.append(1)
        with context(files).wrap_socket(connection, server_side=True) as secure:
            request_of(secure)
            release.wait()
            secure.sendall(answer(b"first"))
            request_of(secure)
            secure.sendall(answer(b"second"))
            request_of(secure)

    with serving(handler) as (plain, _):
        wire = Wire(f"https://127.0.0.1:{plain._target.port}", connect_timeout=20)
        first, second = Kept(wire), Kept(wire)
        try:
            wire.send(first)
            with gevent.Timeout(5):
                while first.connection is None:
                    gevent.sleep(0.001)
            wire.send(second)
            gevent.sleep(0.01)
            assert second.connection is None
            release.set()
            assert second.over.wait(5)
            assert (first.endings, second.endings) == ([Answer(201, b"first")], [Answer(201, b"second")])
            assert wire.open_connections == 1
        finally:
            wire.close()


def test_a_connection_that_is_lost_after_sending_is_unknown(files: tls.TlsFiles) -> None:
    def closes(connection: ssl.SSLSocket) -> None:
        request_of(connection)
        connection.unwrap()

    def cuts_off(connection: ssl.SSLSocket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it, or")
        socket.socket.close(connection)

    def resets(connection: ssl.SSLSocket) -> None:
        request_of(connection)
        reset(connection)

    for handler, why in (
        (closes, "connection closed before the answer was whole"),
        # Without TLS's own end, somebody may have cut the answer short.
        (cuts_off, "connection lost before the answer: unexpected eof"),
        (resets, "connection lost before the answer: connection reset"),
    ):
        with (
            serving(handler, tls=context(files)) as (wire, _),
            pytest.raises(NoAnswerError, match=why),
        ):
            wire.post("/", b"{}", {}, 5)


def test_large_requests_and_answers_pass_whole(files: tls.TlsFiles) -> None:
    body = os.urandom(700_000)

    def handler(connection: socket.socket) -> None:
        while request := request_of(connection):
            gevent.sleep(0.01)
            connection.sendall(answer(request.partition(b"\r\n\r\n")[2]))

    with serving(handler, tls=context(files)) as (wire, connections):
        for _ in range(2):
            assert wire.post("/", body, {}, 10) == Answer(201, body)
        assert len(connections) == 1


@settings(max_examples=10)
@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=6))
def test_any_cut_of_an_answer_is_the_same_answer(files: tls.TlsFiles, body: bytes, cuts: list[int]) -> None:
    def handler(connection: socket.socket) -> None:
        request_of(connection)
        raw = answer(body)
        for cut in cuts:
            connection.sendall(raw[:cut])
            raw = raw[cut:]
            gevent.sleep(0)
        connection.sendall(raw)

    with serving(handler, tls=context(files)) as (wire, _):
        assert wire.post("/", b"{}", {}, 5) == Answer(201, body)
