"""Mocks over TLS: the SDKs take them, URLs in answers fit, faults reach the socket, nonsense does no harm."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import Adyen
import httpx
import pytest
import stripe

from mocks import tls
from mocks.faults import FaultPlan
from tests.mocks.running import Running, adyen_payment, stripe_payment


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.prepare(tmp_path_factory.mktemp("tls"), tls.now())


def plan(files: tls.TlsFiles) -> dict[str, str]:
    return {"certificate": str(files.certificate), "key": str(files.key)}


@contextlib.contextmanager
def serving(kind: str, files: tls.TlsFiles, **more: Any) -> Iterator[Running]:
    with Running(kind, tls=plan(files), **more) as running:
        running.url = f"https://localhost:{running.port}"
        yield running


@pytest.fixture(scope="module")
def stripe_mock(files: tls.TlsFiles) -> Iterator[Running]:
    with serving("stripe", files) as running:
        yield running


def pay(running: Running, files: tls.TlsFiles) -> int:
    trust = ssl.create_default_context(cafile=files.authority)
    with httpx.Client(base_url=running.url, verify=trust) as client:
        headers = {"Authorization": "Bearer sk_test_1"}
        return client.post("/v1/payment_intents", data=stripe_payment(), headers=headers).status_code


def test_stripes_sdk(stripe_mock: Running, files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "ca_bundle_path", str(files.authority))
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": stripe_mock.url})
    intent = client.v1.payment_intents.create(
        {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    )
    assert intent.status == "succeeded"
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create(
            {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_chargeDeclined"}
        )


def test_stripes_sdk_refuses_what_it_was_not_told_to_trust(stripe_mock: Running) -> None:
    options: Any = {"base_addresses": {"api": stripe_mock.url}, "max_network_retries": 0}
    client = stripe.StripeClient("sk_test_1", **options)
    with pytest.raises(stripe.APIConnectionError, match=r"(?i)certificate"):
        client.v1.payment_intents.list()


def test_adyens_sdk_and_the_redirect_it_gets(files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.authority))
    with serving("adyen", files) as running:
        adyen = Adyen.Adyen(xapikey="AQtest", platform="test")
        adyen.checkout.payments_api.baseUrl = running.url + "/v72"
        paid = adyen.checkout.payments_api.payments(adyen_payment())
        assert paid.message["resultCode"] == "Authorised"
        asked = adyen_payment("o2", encryptedCardNumber="test_4212345678901237")
        asked["returnUrl"] = "https://shop.example.test/return"
        answer = adyen.checkout.payments_api.payments(asked).message
        assert answer["resultCode"] == "RedirectShopper"
        assert answer["action"]["url"].startswith(running.url + "/")
        trust = ssl.create_default_context(cafile=files.authority)
        visit = httpx.get(answer["action"]["url"], verify=trust)
        assert visit.status_code == 302


def test_paypals_links(files: tls.TlsFiles) -> None:
    trust = ssl.create_default_context(cafile=files.authority)
    with serving("paypal", files) as running, httpx.Client(base_url=running.url, verify=trust) as client:
        grant = {"grant_type": "client_credentials"}
        token = client.post("/v1/oauth2/token", data=grant, auth=("client", "secret")).json()["access_token"]
        unit = {"amount": {"currency_code": "EUR", "value": "12.90"}}
        order = client.post(
            "/v2/checkout/orders",
            json={"intent": "CAPTURE", "purchase_units": [unit]},
            headers={"Authorization": f"Bearer {token}"},
        ).json()
        assert order["links"] and all(link["href"].startswith(running.url + "/") for link in order["links"])


@pytest.mark.parametrize(
    "nonsense",
    [b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\x00\x05hello", b""],
)
def test_what_is_no_tls_is_cut_off_and_nobody_else_notices(
    stripe_mock: Running, files: tls.TlsFiles, nonsense: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", stripe_mock.port), timeout=20) as plain:
        plain.sendall(nonsense)
        plain.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in plain.recv(1000)
    assert pay(stripe_mock, files) == 200
    assert capfd.readouterr().err == ""


def test_a_client_that_says_nothing_holds_nobody_up(stripe_mock: Running, files: tls.TlsFiles) -> None:
    with socket.create_connection(("127.0.0.1", stripe_mock.port)):
        assert pay(stripe_mock, files) == 200


def test_the_kernels_own_refusal_can_be_read(stripe_mock: Running, files: tls.TlsFiles) -> None:
    trust = ssl.create_default_context(cafile=files.authority)
    with (
        socket.create_connection(("127.0.0.1", stripe_mock.port), timeout=20) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n")
        assert secured.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_reset_reaches_the_socket(files: tls.TlsFiles) -> None:
    cut = FaultPlan("f1", "outage", at_ns=0, for_ns=3_600_000_000_000, endpoint="payment_intents.create")
    with (
        serving("stripe", files, faults=(cut,)) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as plain,
    ):
        # Python's own TLS sockets report a reset as an ordinary end: only the bare socket tells.
        trust = ssl.create_default_context(cafile=files.authority)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        secured.write(b"POST /v1/payment_intents HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        plain.sendall(outgoing.read())
        with pytest.raises(ConnectionResetError):
            while plain.recv(65536):  # what TLS itself says after the handshake
                pass


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_files_that_are_not_there(files: tls.TlsFiles, tmp_path: Path, missing: str) -> None:
    with pytest.raises(FileNotFoundError):
        tls.server_context(
            **{"certificate": files.certificate, "key": files.key, missing: tmp_path / "none.pem"}
        )
