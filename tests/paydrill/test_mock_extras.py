"""``paydrill mock`` with webhooks and admin interfaces, from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import httpx
import pytest
import stripe
from typer.testing import CliRunner

from mocks.exchange import Exchange
from mocks.gateways.stripe.events import WEBHOOK_SECRET
from paydrill.__main__ import app
from paydrill.mock import _extras
from tests.mocks.serving import Serving


def test_events_arrive_signed_and_the_admin_interface_tells_of_them() -> None:
    arrived: list[str] = []
    complete = threading.Event()

    def take(exchange: Exchange) -> None:
        signature = exchange.request.headers["stripe-signature"]
        arrived.append(stripe.Webhook.construct_event(exchange.request.body, signature, WEBHOOK_SECRET).type)
        exchange.answer(204)
        if len(arrived) == 3:
            complete.set()

    with Serving(take) as receiver:
        command = ["mock", "stripe:0", "adyen:0", "--latency", "1ms,2ms", "--admin", "0"]
        command += ["--webhooks", f"http://127.0.0.1:{receiver.port}/hooks"]
        with subprocess.Popen(
            [sys.executable, "-m", "paydrill", *command], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                lines = [process.stdout.readline().split() for _ in range(4)]
                assert [line[0] for line in lines] == ["stripe", "stripe-admin", "adyen", "adyen-admin"]
                urls = dict(lines)
                client = stripe.StripeClient("sk_test_1", base_addresses={"api": urls["stripe"]})
                client.v1.payment_intents.create(
                    {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
                )
                assert complete.wait(20)
                events = httpx.get(f"{urls['stripe-admin']}/events").json()["events"]
                assert sorted(event["kind"] for event in events) == sorted(arrived)
                assert httpx.get(f"{urls['adyen-admin']}/ledger").json()["gateway"] == "adyen"
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize("url", ["https://example.test/hooks", "http://10.1.2.3/", "hooks"])
def test_webhooks_go_to_loopback_only(url: str) -> None:
    done = CliRunner().invoke(app, ["mock", "stripe:0", "--webhooks", url])
    assert done.exit_code == 2 and "no place for webhooks" in done.stderr


@pytest.mark.parametrize(
    ("asked", "planned"), [(None, {}), (0, {"rate_limit": True}), (7, {"rate_limit": 7})]
)
def test_a_rate_limit_is_asked_for(asked: int | None, planned: dict[str, object]) -> None:
    assert _extras(["stripe"], [], None, asked) == {"stripe": planned}
    assert CliRunner().invoke(app, ["mock", "stripe:0", "--rate-limit", "-1"]).exit_code == 2
