"""``paydrill mock`` from outside: HTTPS by its own authority, what it prints, and its life after a kill."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import Adyen
import gocardless_pro  # type: ignore[import-untyped,unused-ignore]
import httpx
import pytest
import stripe
from paypalserversdk.configuration import (  # type: ignore[import-untyped,unused-ignore]
    Configuration,
    Environment,
    Server,
)
from paypalserversdk.http.auth.o_auth_2 import (  # type: ignore[import-untyped,unused-ignore]
    ClientCredentialsAuthCredentials,
)
from paypalserversdk.paypal_serversdk_client import (  # type: ignore[import-untyped,unused-ignore]
    PaypalServersdkClient,
)
from typer.testing import CliRunner

from mocks.exchange import Exchange
from mocks.gateways import GATEWAYS
from paydrill.__main__ import app
from tests.mocks.running import adyen_payment
from tests.mocks.serving import Serving
from tests.mocks_paypal.client import order_request
from tests.paydrill.commands import CARD_PAYMENT


class Mock:
    """A ``paydrill mock`` that serves; ``said`` is what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None and process.stdout is not None
        self.process = process
        # Said last: what is on stdout by now is all there will be.
        self.last = process.stderr.readline()
        os.set_blocking(process.stdout.fileno(), False)
        self.said = process.stdout.read() or ""
        self.urls = dict(re.findall(r"^([\w-]+) (https?://\S+)$", self.said, re.MULTILINE))

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return self.process.returncode


@contextlib.contextmanager
def mocking(*arguments: str) -> Iterator[Mock]:
    command = [sys.executable, "-m", "paydrill", "mock", *arguments, "--latency", "1ms,2ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Mock(process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=20)


def follow(said: str, name: str) -> Any:
    """Do what the two lines for a gateway's SDK say; returns the client."""
    lines = said.split(f"{name}, with its Python SDK:\n")[1].splitlines()[:2]
    known: dict[str, Any] = {
        "Adyen": Adyen,
        "ClientCredentialsAuthCredentials": ClientCredentialsAuthCredentials,
        "Configuration": Configuration,
        "Environment": Environment,
        "PaypalServersdkClient": PaypalServersdkClient,
        "Server": Server,
        "gocardless_pro": gocardless_pro,
        "stripe": stripe,
    }
    for line in lines:
        exec(line.strip(), known)
    return known["client"]


def test_over_tls_the_sdks_do_as_they_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [
        *(f"{kind}:0" for kind in GATEWAYS),
        "--admin",
        "0",
        "--tls",
        "--tls-dir",
        str(tmp_path / "tls"),
    ]
    with mocking(*arguments) as mock:
        assert "Ctrl-C" in mock.last
        assert [url.partition(":")[0] for url in mock.urls.values()] == ["https", "http"] * 4
        assert "whsec_" in mock.said and "HMAC key: " in mock.said and "webhook id: " in mock.said
        authority = tmp_path / "tls" / "ca.pem"
        for line in (
            f"export NODE_EXTRA_CA_CERTS={authority}",
            f"export SSL_CERT_FILE={authority} REQUESTS_CA_BUNDLE={authority}",
            f'stripe.ca_bundle_path = "{authority}"',
            f"curl --cacert {authority} {mock.urls['stripe']}/health",
        ):
            assert line in mock.said
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(authority))
        monkeypatch.setattr(stripe, "ca_bundle_path", str(authority))
        assert len(follow(mock.said, "stripe").v1.payment_intents.list().data) == 1
        paid = follow(mock.said, "adyen").checkout.payments_api.payments(adyen_payment())
        assert paid.message["resultCode"] == "Authorised"
        assert follow(mock.said, "gocardless").customers.list().records[0].given_name == "Ada"
        paypal = follow(mock.said, "paypal")
        try:
            order = paypal.orders.create_order({"body": order_request()}).body
        finally:
            paypal.config.http_client.session.close()
        assert all(link.href.startswith(f"{mock.urls['paypal']}/") for link in order.links)
        trust = ssl.create_default_context(cafile=authority)
        assert httpx.get(f"{mock.urls['stripe']}/health", verify=trust).status_code == 200
        assert httpx.get(f"{mock.urls['stripe-admin']}/").json()["url"] == mock.urls["stripe"]
        first = authority.read_bytes()
    with mocking("stripe:0", "--tls", "--tls-dir", str(tmp_path / "tls")):
        assert authority.read_bytes() == first


@pytest.mark.slow
def test_the_platform_pays_through_gateways_that_speak_tls(tmp_path: Path) -> None:
    with mocking("stripe:0", "platform:0", "--tls", "--tls-dir", str(tmp_path)) as mock:
        assert mock.urls["stripe"].startswith("https:") and mock.urls["platform"].startswith("http:")
        paid = httpx.post(
            f"{mock.urls['platform']}/payments",
            headers={"Idempotency-Key": "k1"},
            json=CARD_PAYMENT,
            timeout=10,
        )
        assert (paid.status_code, paid.json()["status"]) == (201, "succeeded")


def gateway_pids(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@pytest.mark.parametrize("end", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_life_after_the_end(tmp_path: Path, end: signal.Signals) -> None:
    file = tmp_path / "mocks"
    arguments = ("stripe:0", "--admin", "0", "--state", str(file))

    def pay(mock: Mock, key: str) -> Any:
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": mock.urls["stripe"]})
        return client.v1.payment_intents.create(
            {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"},
            {"idempotency_key": key},
        )

    def seen(mock: Mock) -> list[str]:
        base = mock.urls["stripe-admin"]
        return [httpx.get(f"{base}/{path}").text for path in ("ledger", "movements", "events")]

    with mocking(*arguments) as mock:
        first, second = pay(mock, "k1"), pay(mock, "k2")
        httpx.post(f"{mock.urls['stripe-admin']}/clock/advance", json={"seconds": 3600})
        assert httpx.get(f"{mock.urls['stripe-admin']}/").json()["kept"] is True
        before = seen(mock)
        if end == signal.SIGKILL:
            for pid in gateway_pids(mock.process.pid):
                os.kill(pid, end)
            assert mock.process.wait(20) == 4
        else:
            assert mock.end(end) == 0
    with mocking(*arguments) as mock:
        assert seen(mock) == before
        assert httpx.get(f"{mock.urls['stripe-admin']}/clock").json()["ahead_s"] == pytest.approx(3600, abs=1)
        assert pay(mock, "k1").id == first.id and seen(mock) == before
        assert pay(mock, "k3").id not in (first.id, second.id)
        # A reset holds for the file, too.
        httpx.post(f"{mock.urls['stripe-admin']}/reset")
    with mocking(*arguments) as mock:
        assert httpx.get(f"{mock.urls['stripe-admin']}/ledger").json()["movements"] == 0
        assert pay(mock, "k1").id == first.id
    done = CliRunner().invoke(app, ["mock", "stripe:0", "--state", str(file), "--seed", "5"])
    assert done.exit_code == 4
    assert "written with seed 1, this mock has 5" in done.stderr


@pytest.mark.slow
def test_what_was_not_delivered_is_delivered_after_a_kill(tmp_path: Path) -> None:
    arrived: list[bytes] = []
    complete = threading.Event()

    def take(exchange: Exchange) -> None:
        arrived.append(exchange.request.body)
        exchange.answer(204 if accepting else 500)
        if len(arrived) >= 3:
            complete.set()

    accepting = False
    with Serving(take) as receiver:
        hooks = f"http://127.0.0.1:{receiver.port}/hooks"
        arguments = ("stripe:0", "--admin", "0", "--state", str(tmp_path / "s"), "--webhooks", hooks)
        with mocking(*arguments) as mock:
            client = stripe.StripeClient("sk_test_1", base_addresses={"api": mock.urls["stripe"]})
            client.v1.payment_intents.create(
                {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
            )
            assert complete.wait(20)
            for pid in gateway_pids(mock.process.pid):
                os.kill(pid, signal.SIGKILL)
            assert mock.process.wait(20) == 4
        refused = set(arrived)
        arrived.clear()
        complete.clear()
        accepting = True
        with mocking(*arguments) as mock:
            httpx.post(f"{mock.urls['stripe-admin']}/clock/advance", json={"seconds": 10})
            assert complete.wait(20)
            bodies = {re.sub(rb'"pending_webhooks":\d+', b"", body) for body in arrived}
            assert bodies == {re.sub(rb'"pending_webhooks":\d+', b"", body) for body in refused}
    assert len(refused) == 3


def test_wrong_options(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["mock", "stripe:0", "--tls-dir", str(tmp_path)])
    assert done.exit_code == 2 and "give --tls" in done.stderr
    (tmp_path / "ca.pem").write_text("")
    done = CliRunner().invoke(app, ["mock", "stripe:0", "--tls", "--tls-dir", str(tmp_path)])
    assert done.exit_code == 2 and "delete the folder" in done.stderr
