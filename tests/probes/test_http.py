"""The http probe: its judgement with respx, its phases with real sockets."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import respx

from journal.clock import MILLISECOND, SECOND
from probes.http import probe
from probes.probe import Attempt, Finding, Value
from tests.probes.attempts import attempt, with_attempt
from tests.probes.listener import OK, Listener, free_port, reset

URL = "http://127.0.0.1:1/health"


def seen(finding: Finding) -> tuple[str, str | None]:
    return finding.outcome, finding.phase


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "params", "expected"),
    [
        (200, "hello", {}, ""),
        (200, "hello", {"contains": "ell"}, ""),
        (200, "grüße", {"contains": "üß"}, ""),
        (204, "", {"status": 204}, ""),
        (301, "", {"status": 301}, ""),
        (200, "hello", {"within": SECOND}, ""),
        (503, "hello", {}, "status 503, not 200"),
        (200, "hello", {"status": 204}, "status 200, not 204"),
        (301, "", {}, "status 301, not 200"),
        (200, "hello", {"contains": "Hell"}, "the body does not contain 'Hell'"),
        (200, "hello", {"within": 1}, "not within"),
    ],
)
def test_the_answer_is_judged(status: int, body: str, params: dict[str, Value], expected: str) -> None:
    respx.get(URL).respond(status, text=body, headers={"location": "http://example.test/"})
    finding = attempt("http", URL, params=params)
    assert expected in finding.detail
    assert seen(finding) == (("fail", "verify") if expected else ("ok", None))
    assert bool(finding.detail) == bool(expected)


@respx.mock
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), ("fail", "connect")),
        (httpx.ConnectTimeout("slow"), ("fail", "connect")),
        (httpx.WriteError("broken"), ("fail", "send")),
        (httpx.ReadError("reset"), ("fail", "answer")),
        (httpx.ReadTimeout("slow"), ("fail", "answer")),
        (httpx.RemoteProtocolError("nonsense"), ("fail", "answer")),
        (httpx.LocalProtocolError("our mistake"), ("unknown", "prober")),
        (httpx.PoolTimeout("our pool"), ("unknown", "prober")),
    ],
)
def test_the_phase_of_an_error(error: Exception, expected: tuple[str, str]) -> None:
    respx.get(URL).mock(side_effect=error)
    assert seen(attempt("http", URL)) == expected


def test_nobody_listens() -> None:
    finding = attempt("http", f"http://127.0.0.1:{free_port()}/")
    assert seen(finding) == ("fail", "connect")
    assert finding.detail == "connection refused"


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # asyncio's own loop asks Python's resolver, which can be made to fail without asking a network.
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    finding = with_attempt("http", "http://nowhere.invalid/", probe, run=asyncio.run)
    assert seen(finding) == ("fail", "connect")
    assert finding.detail == "name not resolved: Name or service not known"


def test_nobody_accepts() -> None:
    # A listener with a full queue: the handshake is never finished.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        finding = attempt("http", f"http://127.0.0.1:{port}/", timeout_ms=400)
        for one in filling:
            one.close()
    assert seen(finding) == ("fail", "connect")
    assert finding.detail == "no connection within 0.2 s"


def test_reset_before_the_answer() -> None:
    with Listener(reset) as listener:
        finding = attempt("http", listener.url)
    assert seen(finding) == ("fail", "answer")
    assert finding.detail == "connection reset"


def test_closed_before_the_answer() -> None:
    with Listener(lambda connection: None) as listener:
        finding = attempt("http", listener.url)
    assert seen(finding) == ("fail", "answer")
    assert finding.detail == "connection closed before the whole answer"


@pytest.mark.parametrize(
    "part", [b"HTTP/1.1 200 OK\r\ncontent-le", OK[:-2]], ids=["in the head", "in the body"]
)
@pytest.mark.parametrize("how", ["reset", "close"])
def test_half_an_answer(part: bytes, how: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(part)
        if how == "reset":
            reset(connection)

    with Listener(serve) as listener:
        finding = attempt("http", listener.url)
    assert seen(finding) == ("fail", "answer")
    assert finding.detail in ("connection reset", "connection closed before the whole answer")


def test_an_answer_that_is_not_http() -> None:
    with Listener(lambda connection: connection.sendall(b"220 mail.example.test ESMTP\r\n\r\n")) as listener:
        finding = attempt("http", listener.url)
    assert seen(finding) == ("fail", "answer")
    assert finding.detail.startswith("not HTTP")


@pytest.mark.parametrize("part", [b"", OK[:20], OK[:-1]], ids=["nothing", "half a head", "half a body"])
def test_an_answer_that_never_ends(part: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(part)
        listener.over.wait(10)

    with Listener(serve) as listener:
        finding = attempt("http", listener.url, timeout_ms=200)
    assert seen(finding) == ("fail", "answer")
    assert finding.detail == "no whole answer within 0.2 s"


def test_a_body_without_end_is_read_to_the_limit_and_judged() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not listener.over.is_set():
            connection.sendall(b"x" * 65536)

    with Listener(serve) as listener:
        assert seen(attempt("http", listener.url, params={"contains": "xxx"})) == ("ok", None)


def test_no_file_descriptor_left_says_nothing_of_the_target() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def starved(one: Attempt) -> Finding:
        in_use = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
        taken = [socket.socket() for _ in range(in_use + 1)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(s.fileno() for s in taken) + 1, hard))
        try:
            return await probe(one)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in taken:
                each.close()

    with Listener(lambda connection: connection.sendall(OK)) as listener:
        finding = with_attempt("http", listener.url, starved)
        assert listener.accepted == 0
    assert seen(finding) == ("unknown", "prober")
    assert finding.detail == "out of file descriptors"


def test_each_probe_opens_a_connection_unless_it_is_told_to_keep_it() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(OK)
        while connection.recv(65536):
            connection.sendall(OK)

    async def twice(one: Attempt) -> tuple[str, str]:
        return (await probe(one)).outcome, (await probe(one)).outcome

    with Listener(serve) as listener:
        assert with_attempt("http", listener.url, twice) == ("ok", "ok")
        assert listener.accepted == 2
    with Listener(serve) as listener:
        assert with_attempt("http", listener.url, twice, params={"reuse_connection": True}) == ("ok", "ok")
        assert listener.accepted == 1


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with Listener(lambda connection: connection.sendall(OK)) as listener:
        assert seen(attempt("http", listener.url, params={"within": 1999 * MILLISECOND})) == ("ok", None)
        assert listener.heard[0].startswith(b"GET /health HTTP/1.1\r\n")


def test_the_first_request_loads_nothing_that_a_target_would_answer_for() -> None:
    code = """
import asyncio, sys
from probes.wire import LostError, Wire, open_clients

async def main():
    async with open_clients() as clients:
        before = set(sys.modules)
        await Wire(clients, 5_000_000_000).request("GET", sys.argv[1])
        print(*sorted(set(sys.modules) - before))

asyncio.run(main())
"""
    with Listener(lambda connection: connection.sendall(OK)) as listener:
        done = subprocess.run(
            [sys.executable, "-c", code, listener.url], capture_output=True, text=True, check=True, timeout=30
        )
    assert done.stdout.split() == []
