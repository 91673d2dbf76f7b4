"""``paydrill mock`` with webhooks and admin interfaces, from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import gocardless_pro  # type: ignore[import-untyped]
import httpx
import pytest
import stripe
from typer.testing import CliRunner

from mocks.exchange import Exchange
from mocks.gateways.stripe.events import WEBHOOK_SECRET
from paydrill.__main__ import app
from paydrill.mock import _extras, _set_time
from tests.mocks.serving import Serving
from tests.mocks_gocardless.sdk import mandate, pay


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


def test_the_platform_that_is_served_beside_them_hears_of_payouts() -> None:
    command = [sys.executable, "-m", "paydrill", "mock", "stripe:0", "platform:0", "--latency", "1ms,2ms"]
    with subprocess.Popen([*command, "--admin", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            urls = dict(process.stdout.readline().split()[:2] for _ in range(3))
            order = {"order_id": "o1", "amount_minor": 1290, "currency": "EUR"}
            order |= {"method": "card", "instrument": "card_visa"}
            paid = httpx.post(f"{urls['platform']}/payments", json=order, headers={"Idempotency-Key": "o1"})
            assert paid.status_code == 201
            httpx.post(f"{urls['stripe-admin']}/clock/advance", json={"seconds": 4 * 86_400})
            give_up = time.monotonic() + 20
            kinds: list[str] = []
            while "payout" not in kinds and time.monotonic() < give_up:
                entries = httpx.get(f"{urls['platform']}/ledger").json()
                more = httpx.get(f"{urls['platform']}/ledger?after={entries['next'] or 'e0'}").json()
                kinds = [entry["kind"] for entry in entries["entries"] + more["entries"]]
                time.sleep(0.05)
            assert sorted(kinds) == ["fee", "payment", "payout"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


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


def test_a_fast_clock_and_timed_settlement_are_asked_for() -> None:
    extras: dict[str, dict[str, object]] = {"stripe": {}, "gocardless": {}}
    _set_time(extras, 1.0, False)
    assert extras == {"stripe": {}, "gocardless": {}}
    _set_time(extras, 20_000.0, True)
    assert extras == {
        "stripe": {"clock_speed": 20_000.0},
        "gocardless": {"clock_speed": 20_000.0, "settlement": "timed"},
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--clock-speed", "0"], "above 0"), (["--timed-settlement"], "GoCardless', which is not served")],
)
def test_times_that_cannot_be_are_refused(options: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["mock", "stripe:0", *options])
    assert done.exit_code == 2 and said in done.stderr


def test_a_debit_settles_in_a_moment_when_asked() -> None:
    command = ["mock", "gocardless:0", "--latency", "1ms,2ms", "--admin", "0", "--timed-settlement"]
    with subprocess.Popen(
        [sys.executable, "-m", "paydrill", *command, "--clock-speed", "1000000"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            urls = dict(process.stdout.readline().split() for _ in range(2))
            sdk = gocardless_pro.Client(access_token="sandbox_1", base_url=urls["gocardless"])
            payment = pay(sdk, mandate(sdk, "EUR").id, "o1", currency="EUR")
            give_up = time.monotonic() + 20
            while sdk.payments.get(payment.id).status != "paid_out":
                assert time.monotonic() < give_up
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert process.returncode == 0
