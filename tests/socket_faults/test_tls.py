"""Handshakes that fail, and certificates that are not in order."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from mocks import tls
from mocks.faults import FAULTS, FaultPlan
from mocks.gateways.service import GatewayService
from tests.socket_faults.faulty import HEALTH, LONG, Faulty, Raw, head_and_body, payment, plan


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.prepare(tmp_path_factory.mktemp("tls"), tls.now())


@pytest.fixture(scope="module")
def trust(files: tls.TlsFiles) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.authority)


@pytest.fixture(scope="module")
def _served(files: tls.TlsFiles) -> Iterator[Faulty]:
    served = {"certificate": str(files.certificate), "key": str(files.key)}
    with Faulty("stripe", tls=served) as faulty:
        faulty.url = f"https://localhost:{faulty.port}"
        yield faulty


def healthy(faulty: Faulty, trust: ssl.SSLContext) -> bool:
    with Raw(faulty.port, trust) as raw:
        raw.send(HEALTH)
        return raw.answer()[0] == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_handshake_ends_with_an_alert(
    faulty: Faulty, files: tls.TlsFiles, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(cafile=files.authority)
    context.minimum_version = context.maximum_version = version
    with faulty.on(plan("tls_handshake_failure")) as fault:
        for _ in range(3):
            with pytest.raises(ssl.SSLError) as raised:
                Raw(faulty.port, context)
            assert re.search("ALERT_HANDSHAKE_FAILURE", raised.value.reason or "")
    assert fault.hits == 3 and faulty.requests == []
    assert healthy(faulty, context)


def test_the_handshake_ends_with_a_reset(faulty: Faulty, trust: ssl.SSLContext) -> None:
    with faulty.on(plan("tls_handshake_failure", end="reset")) as fault, pytest.raises(ConnectionResetError):
        Raw(faulty.port, trust)
    assert fault.hits == 1 and healthy(faulty, trust)


@pytest.mark.parametrize(
    ("flaw", "code", "words"),
    [("expired", 10, "certificate has expired"), ("other_name", 62, "Hostname mismatch")],
)
def test_the_flaw_is_all_that_is_wrong(
    faulty: Faulty, files: tls.TlsFiles, trust: ssl.SSLContext, flaw: str, code: int, words: str
) -> None:
    with faulty.on(plan("expired_certificate", flaw=flaw)) as fault:
        with pytest.raises(ssl.SSLCertVerificationError, match=words) as raised:
            Raw(faulty.port, trust)
        assert raised.value.verify_code == code
        assert fault.hits == 1 and faulty.requests == []
        # Whoever doesn't look at what is wrong finds nothing else: the chain is good.
        blind = ssl.create_default_context(cafile=files.authority)
        if flaw == "other_name":
            blind.check_hostname = False
        else:
            blind.verify_flags |= ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME
        with Raw(faulty.port, blind) as raw:
            raw.send(payment())
            assert raw.answer()[0] == 200
        assert fault.hits == 2
    assert healthy(faulty, trust) and faulty.captures == 1


@pytest.mark.parametrize("fault", ["tls_handshake_failure", "expired_certificate"])
def test_clients_fail_and_recover(
    faulty: Faulty, trust: ssl.SSLContext, files: tls.TlsFiles, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe, "ca_bundle_path", str(files.authority))
    with httpx.Client(base_url=faulty.url, verify=trust) as client:
        assert client.get("/health").status_code == 200
        with faulty.on(plan(fault)):
            # The pooled connection was closed at the start: the very first request finds out.
            with pytest.raises(httpx.ConnectError):
                client.get("/health")
            sdk = stripe.StripeClient("sk_test_1", base_addresses={"api": faulty.url}, max_network_retries=0)
            with pytest.raises(stripe.APIConnectionError):
                sdk.v1.payment_intents.list()
        assert client.get("/health").status_code == 200
    assert [r.status for r in faulty.requests] == [200, 200]


def test_requests_in_flight_at_the_start_are_answered(files: tls.TlsFiles, trust: ssl.SSLContext) -> None:
    served = {"certificate": str(files.certificate), "key": str(files.key)}
    with Faulty("stripe", tls=served, p50_ms=100) as slow, Raw(slow.port, trust) as raw:
        raw.send(payment())
        slow.until(lambda: len(slow.gateway._in_flight) == 1, "the request has arrived")
        with slow.on(plan("tls_handshake_failure")):
            assert raw.answer()[0] == 200 and raw.rest() == (b"", "closed")


def test_a_share_is_drawn_for_each_connection(faulty: Faulty, trust: ssl.SSLContext) -> None:
    def seen() -> list[bool]:
        faulty.forget()
        outcomes = []
        with faulty.on(plan("expired_certificate", share=0.3)) as fault:
            for _ in range(60):
                try:
                    outcomes.append(healthy(faulty, trust))
                except ssl.SSLCertVerificationError:
                    outcomes.append(False)
            assert fault.hits == outcomes.count(False)
        return outcomes

    once = seen()
    assert once == seen()
    # 99.9999% of a binomial distribution with n = 60 and p = 0.3
    assert 3 <= once.count(False) <= 36


def test_who_has_not_said_hello_when_it_stops_is_let_go(faulty: Faulty, trust: ssl.SSLContext) -> None:
    with faulty.on(plan("tls_handshake_failure")) as fault, Raw(faulty.port) as silent:
        faulty.until(lambda: len(fault._waiting) == 1, "the connection is accepted")  # type: ignore[attr-defined]
        faulty.off(fault.plan)
        assert silent.rest() == (b"", "reset")
        assert fault.hits == 0 and not fault._waiting  # type: ignore[attr-defined]
    assert healthy(faulty, trust)


@pytest.mark.parametrize("fault", ["tls_handshake_failure", "expired_certificate"])
def test_a_server_without_tls_cannot_have_it(fault: str) -> None:
    service = GatewayService()
    message = {"gateway": "stripe", "faults": [plan(fault).message()]}
    with Faulty("stripe") as plain:
        with pytest.raises(ValueError, match=f"fault f1: {fault} needs a server that serves TLS"):
            plain.thread.wait(service.start(message))
        with pytest.raises(ValueError, match="needs a server that serves TLS"):
            plain.thread.call(lambda: plain.schedule.add(plan(fault)))
        assert plain.thread.call(plain.schedule.listed) == ()


@pytest.mark.parametrize("fault", ["tls_handshake_failure", "expired_certificate"])
@pytest.mark.parametrize("limit", [{"endpoint": "refunds.create"}, {"match": {"currency": ["eur"]}}])
def test_requests_cannot_be_chosen_before_there_are_any(
    faulty: Faulty, fault: str, limit: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="before there is a request"):
        FAULTS[fault](FaultPlan("f9", fault, 0, LONG, **limit), faulty.gateway, 7)  # type: ignore[arg-type]


def test_a_bad_certificate_needs_the_authority_beside_the_good_one(
    files: tls.TlsFiles, tmp_path: Path
) -> None:
    alone = {"certificate": tmp_path / "server.pem", "key": tmp_path / "server-key.pem"}
    alone["certificate"].write_bytes(files.certificate.read_bytes())
    alone["key"].write_bytes(files.key.read_bytes())
    with (
        Faulty("stripe", tls={name: str(path) for name, path in alone.items()}) as faulty,
        pytest.raises(ValueError, match="there is no authority"),
    ):
        faulty.thread.call(lambda: faulty.schedule.add(plan("expired_certificate")))


@pytest.mark.parametrize(
    ("spoiled", "end"),
    [
        (plan("reset"), "reset"),
        (plan("reset", when="answer"), "reset"),
        (plan("reset", when="body"), "reset"),
        (plan("truncated_body"), "closed"),
        (plan("truncated_body", end="reset"), "reset"),
    ],
)
def test_what_ends_connections_ends_them_over_tls(
    faulty: Faulty, trust: ssl.SSLContext, spoiled: FaultPlan, end: str
) -> None:
    with faulty.on(spoiled) as fault, Raw(faulty.port, trust) as raw:
        raw.send(payment())
        data, how = raw.rest()
    assert how == end and fault.hits == 1
    half = spoiled.fault == "truncated_body" or spoiled.params.get("when") == "body"
    if half:
        _, body, size = head_and_body(data)
        assert len(body) == size // 2
    else:
        assert data == b""
    assert faulty.captures == (0 if spoiled.params == {} and not half else 1)
    assert healthy(faulty, trust)


@pytest.mark.parametrize(
    "slow", [plan("bandwidth", rate=100_000.0), plan("slicer", size=200, pause=1_000_000), plan("slow_close")]
)
def test_what_slows_answers_slows_them_over_tls(
    faulty: Faulty, trust: ssl.SSLContext, slow: FaultPlan
) -> None:
    with faulty.on(slow) as fault, Raw(faulty.port, trust) as raw:
        raw.send(payment())
        assert raw.answer()[0] == 200
        if slow.fault == "slow_close":
            raw.send(HEALTH)
            assert raw.silent()
            faulty.off(slow)
            assert raw.rest() == (b"", "closed")
    assert fault.hits == 1 and healthy(faulty, trust)
