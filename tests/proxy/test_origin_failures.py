"""When the origin can't be reached, isn't who it should be, or goes away; and whom nobody is let through to."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from mocks import tls
from mocks.exchange import Exchange
from mocks.http import Server
from mocks.listener import reset_on_close
from mocks.proxy.credentials import refusal
from mocks.proxy.origin import origin_of
from tests.mocks.running import Running
from tests.mocks.serving import LoopThread, Serving
from tests.proxy.proxying import Exact, Origin, Proxying, call, plan, read_exactly, read_to_end

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.prepare(tmp_path_factory.mktemp("tls"), tls.now())


@pytest.fixture(scope="module")
def secure(authority: tls.TlsFiles) -> Iterator[Running]:
    files = {"certificate": str(authority.certificate), "key": str(authority.key)}
    with Running("stripe", tls=files) as running:
        yield running


def fine(exchange: Exchange) -> None:
    exchange.answer(200, b"{}")


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_an_origin_that_refuses_is_answered_for() -> None:
    with Proxying(f"http://127.0.0.1:{closed_port()}") as proxying:
        connection = proxying.connection()
        for _ in range(2):  # the client's connection is as good as before
            status, headers, body = call(connection, "POST", "/x", b"hi")
            assert (status, headers["paydrill-proxy"]) == (502, "unreachable")
            assert b"refused" in body.lower()
        assert [(row.status, row.result, row.fault) for row in proxying.requests] == [(502, "error", "")] * 2


def test_an_origin_that_comes_back_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserve:
        reserve.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = reserve.getsockname()[1]
    with LoopThread() as thread, Proxying(f"http://127.0.0.1:{port}") as proxying:
        assert call(proxying.connection(), "GET", "/")[0] == 502
        server = Server(fine, port=port)
        thread.wait(server.start())
        try:
            assert call(proxying.connection(), "GET", "/")[0] == 200
        finally:
            thread.wait(server.stop(0))


@pytest.mark.parametrize("how", ["close", "reset", "garbage", "half a head", "half a body", "bad chunks"])
def test_an_answer_that_is_lost_is_a_reset_and_is_never_asked_for_again(how: str) -> None:
    def script(connection: socket.socket) -> None:
        read_exactly(connection, 2)
        if how == "reset":
            reset_on_close(connection)
        elif how == "garbage":
            connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
        elif how == "half a head":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        elif how == "half a body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        elif how == "bad chunks":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n")
        connection.close()

    with Origin(script) as origin, Proxying(origin.url) as proxying:
        client = proxying.socket()
        client.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            read_to_end(client)
        proxying.until(lambda: proxying.proxy.in_flight == 0, "it is over")
        assert [(row.status, row.answered_ns) for row in proxying.requests] == [(0, None)]
        assert origin.accepted == 1


def test_a_request_on_a_kept_connection_that_has_died_is_not_repeated() -> None:
    """Its bytes may have arrived: whether they did, only the origin knows."""
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        seen.append(read_exactly(connection, 20))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        seen.append(read_exactly(connection, 20))
        connection.close()

    with Origin(script) as origin, Proxying(origin.url) as proxying:
        client = proxying.socket()
        client.sendall(REQUEST)
        assert read_exactly(client, 38).startswith(b"HTTP/1.1 200 OK")
        client.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            read_to_end(client)
        assert len(seen) == 2


def test_an_answer_before_the_end_of_the_request_arrives() -> None:
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        read_to_end(connection)

    with Origin(script) as origin, Proxying(origin.url) as proxying:
        client = proxying.socket()
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin")
        assert client.recv(1, socket.MSG_PEEK)
        for _ in range(3):  # a client that goes on sending is not reset before it can read the answer
            proxying.until(lambda: proxying.proxy.in_flight == 0, "the answer has been passed on")
            client.sendall(bytes(1000))
        assert read_to_end(client) == answer


def test_a_client_that_leaves_takes_its_request_along() -> None:
    left: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        left.append(connection.recv(4096))

    with Origin(script) as origin, Proxying(origin.url) as proxying:
        client = proxying.socket()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        proxying.until(lambda: proxying.proxy.in_flight == 1, "it is on its way")
        reset_on_close(client)
        client.close()
        proxying.until(lambda: not proxying.proxy.upstream.connections, "the origin is left, too")
        assert proxying.requests[-1].status == 0
    assert left == [b""]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    ],
)
def test_what_could_be_misread_goes_nowhere(raw: bytes, status: bytes) -> None:
    with Origin(Exact()) as origin, Proxying(origin.url) as proxying:
        client = proxying.socket()
        client.sendall(raw)
        told = read_to_end(client)
        assert told.startswith(b"HTTP/1.1 " + status) and b"Paydrill-Proxy: refused" in told
        assert origin.accepted == 0


def test_stripes_sdk_pays_through_the_proxy_over_tls(secure: Running, authority: tls.TlsFiles) -> None:
    """The host of Stripe resolved to this machine: its name is what the certificate is checked for."""
    to = f"https://localhost:{secure.port}"
    resolve = [f"localhost:{secure.port}:127.0.0.1"]
    with Proxying(to, as_="stripe", resolve=resolve, authority=str(authority.authority)) as proxying:
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": proxying.url}, max_network_retries=0)
        intent = client.v1.payment_intents.create(
            {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
        )
        assert intent.status == "succeeded"
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(
                {
                    "amount": 1290,
                    "currency": "eur",
                    "confirm": True,
                    "payment_method": "pm_card_chargeDeclined",
                }
            )
        assert len(client.v1.payment_intents.list().data) >= 1
        rows = proxying.requests
        assert [row.endpoint for row in rows] == [*["payment_intents.create"] * 2, "payment_intents.list"]
        assert [row.result for row in rows] == ["succeeded", "declined", ""]
        assert len({id(one) for one in proxying.proxy.upstream.connections}) == 1


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_wrong_certificate_is_refused_and_said(
    secure: Running, authority: tls.TlsFiles, tmp_path: Path, wrong: str
) -> None:
    other = tls.prepare(tmp_path, tls.now())
    trusted = other.authority if wrong == "authority" else authority.authority
    to = f"https://{'localhost' if wrong == 'authority' else 'api.test'}:{secure.port}"
    resolve = [f"api.test:{secure.port}:127.0.0.1"]
    before = len(secure.requests)
    with Proxying(to, resolve=resolve, authority=str(trusted)) as proxying:
        status, headers, body = call(proxying.connection(), "POST", "/v1/payment_intents", b"amount=1")
    assert (status, headers["paydrill-proxy"]) == (502, "unreachable")
    assert b"certificate is refused" in body
    assert (b"Hostname mismatch" if wrong == "name" else b"") in body
    assert len(secure.requests) == before


def test_an_origin_without_tls_is_no_tls() -> None:
    with Serving(lambda exchange: None) as serving, Proxying(f"https://localhost:{serving.port}") as proxying:
        status, _, body = call(proxying.connection(), "GET", "/")
        assert status == 502 and b"no TLS" in body


def test_a_proxy_serves_tls_and_its_certificate_can_expire(secure: Running, authority: tls.TlsFiles) -> None:
    files = {"certificate": str(authority.certificate), "key": str(authority.key)}
    to = f"https://localhost:{secure.port}"
    context = ssl.create_default_context(cafile=authority.authority)
    with (
        Proxying(to, authority=str(authority.authority), tls=files) as proxying,
        httpx.Client(verify=context, trust_env=False) as client,
    ):
        url = f"https://localhost:{proxying.port}/health"
        assert client.get(url).status_code == 200
        schedule = proxying.service.schedule
        assert schedule is not None
        for fault, why in (
            ("expired_certificate", "expired"),
            ("tls_handshake_failure", "(?i)handshake|EOF|alert"),
        ):
            proxying.thread.call(lambda fault=fault: schedule.add(plan(fault)))  # type: ignore[misc]
            with pytest.raises(httpx.TransportError, match=why):
                client.get(url)
            assert schedule.active[0].hits == 1
            proxying.thread.call(lambda: schedule.clear())
            assert client.get(url).status_code == 200


def basic(user: bytes) -> str:
    return "Basic " + base64.b64encode(user + b":").decode()


@pytest.mark.parametrize(
    ("credential", "host", "passes"),
    [
        ("Bearer sk_test_1", "api.stripe.com", True),
        ("Bearer rk_test_1", "api.stripe.com", True),
        (basic(b"sk_test_1"), "api.stripe.com", True),
        ("Bearer sk_live_1", "api.stripe.com", False),
        ("Bearer rk_live_1", "127.0.0.1", False),
        ("bearer  sk_live_1", "127.0.0.1", False),
        (basic(b"sk_live_1"), "127.0.0.1", False),
        (basic(b"sk_live_1"), "api.stripe.com", False),
        ("Bearer something", "api.stripe.com", False),
        ("Basic no base64!", "api.stripe.com", False),
        ("Bearer sk_org_live_1", "127.0.0.1", False),
        ("Bearer sk_org_test_1", "api.stripe.com", True),
        ("Bearer live_abc", "api-sandbox.gocardless.com", False),
        ("Bearer sandbox_live_abc", "api-sandbox.gocardless.com", True),
        ("Bearer A21AALolive_x", "api-m.sandbox.paypal.com", True),
        ("Bearer something", "127.0.0.1", True),
    ],
)
def test_live_credentials_are_told_from_others(credential: str, host: str, passes: bool) -> None:
    why = refusal((credential.encode(),), host)
    assert (not why) == passes
    assert "sk_" not in why and "live_" not in why


def test_a_live_credential_never_leaves() -> None:
    seen: list[Exchange] = []
    with Serving(seen.append) as serving, Proxying(f"http://127.0.0.1:{serving.port}") as proxying:
        for headers in (
            {"Authorization": "Bearer sk_live_1"},
            {"authorization": basic(b"rk_live_1")},
            {"X-Api-Key": "sk_live_1"},
        ):
            status, told, body = call(proxying.connection(), "POST", "/v1/refunds", b"a=1", headers)
            assert (status, told["paydrill-proxy"]) == (403, "refused") and b"live credential" in body
    assert seen == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "a.test",
        "http://",
        "http://a/path",
        "http://a?x",
        "http://u:p@a",
        "http://a:99999",
        "http://a b",
    ],
)
def test_what_is_no_origin(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)


def test_origins() -> None:
    assert origin_of("https://API.Stripe.com/").authority == b"api.stripe.com"
    assert origin_of("http://localhost:8080").authority == b"localhost:8080"
    assert origin_of("http://[::1]:80").authority == b"[::1]"
    one = origin_of("https://api.test", ["other:443:10.0.0.1", "api.test:80:10.0.0.2", "api.test:443:[::1]"])
    assert (one.host, one.port, one.address) == ("api.test", 443, "::1")
    with pytest.raises(ValueError, match="resolves nothing"):
        origin_of("https://api.test", ["api.test:127.0.0.1"])


def test_another_machine_is_called_at_a_pace_only() -> None:
    with pytest.raises(ValueError, match=r"api\.test is not this machine"), Proxying("http://api.test"):
        pass


def test_requests_keep_to_the_pace() -> None:
    """Under a limit of 2 in 100 s, the second request's turn is too far away to wait for."""
    with (
        Serving(fine) as serving,
        Proxying(f"http://127.0.0.1:{serving.port}", pace={"requests": 2, "period_s": 100}) as proxying,
    ):
        assert call(proxying.connection(), "GET", "/")[0] == 200
        status, headers, _ = call(proxying.connection(), "GET", "/")
        assert (status, headers["paydrill-proxy"]) == (503, "pace")
