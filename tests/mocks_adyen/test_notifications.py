"""The webhooks' bodies, judged by the SDK's own check, and their delivery to a listener."""

from __future__ import annotations

import copy
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from Adyen.util import generate_notification_sig, is_valid_hmac_notification
from hypothesis import given
from hypothesis import strategies as st

from journal.records import Webhook
from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.currencies import DECIMALS
from mocks.gateways.adyen.notifications import HMAC_KEY, RULES, Notice, item, notification, signature
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import advance, sdk

CAPTURE = Notice(
    "CAPTURE",
    "PSP0000000000002",
    "PSP0000000000001",
    "Shop",
    "order-1",
    Amount("EUR", 1290),
    True,
    "",
    "visa",
)


def test_the_body_of_a_webhook() -> None:
    body = json.loads(notification(CAPTURE, 1_600_000_000))
    (wrapped,) = body.pop("notificationItems")
    assert body == {"live": "false"}
    inside = wrapped["NotificationRequestItem"]
    assert inside.pop("additionalData").keys() == {"hmacSignature"}
    assert inside == {
        "amount": {"currency": "EUR", "value": 1290},
        "eventCode": "CAPTURE",
        "eventDate": "2020-09-13T12:26:40+00:00",
        "merchantAccountCode": "Shop",
        "merchantReference": "order-1",
        "originalReference": "PSP0000000000001",
        "paymentMethod": "visa",
        "pspReference": "PSP0000000000002",
        "reason": "",
        "success": "true",
    }


def test_an_authorisation_has_no_original_and_names_what_can_follow() -> None:
    authorisation = CAPTURE._replace(code="AUTHORISATION", original_reference="")
    body = item(authorisation, 0)
    assert "originalReference" not in body
    assert body["operations"] == ["CANCEL", "CAPTURE", "REFUND"]
    refused = item(authorisation._replace(success=False, reason="Refused"), 0)
    assert "operations" not in refused and refused["success"] == "false"


@pytest.mark.parametrize(
    "change",
    [
        {"pspReference": "PSP0000000000009"},
        {"originalReference": ""},
        {"merchantAccountCode": "Shop2"},
        {"merchantReference": "order-2"},
        {"amount": {"currency": "EUR", "value": 1291}},
        {"amount": {"currency": "USD", "value": 1290}},
        {"eventCode": "REFUND"},
        {"success": "false"},
    ],
)
def test_each_of_the_eight_fields_is_signed(change: dict[str, Any]) -> None:
    body = json.loads(notification(CAPTURE, 0))
    assert is_valid_hmac_notification(copy.deepcopy(body), HMAC_KEY)
    body["notificationItems"][0]["NotificationRequestItem"] |= change
    assert not is_valid_hmac_notification(body, HMAC_KEY)


def test_another_key_signs_otherwise() -> None:
    body = json.loads(notification(CAPTURE, 0, "00" * 32))
    assert is_valid_hmac_notification(copy.deepcopy(body), "00" * 32)
    assert not is_valid_hmac_notification(body, HMAC_KEY)
    with pytest.raises(ValueError, match="hexadecimal"):
        notification(CAPTURE, 0, "no hex")


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 10**12), st.booleans())
def test_the_sdk_computes_the_same_signature(
    merchant: str, reference: str, value: int, success: bool
) -> None:
    notice = CAPTURE._replace(
        merchant=merchant, merchant_reference=reference, amount=Amount("JPY", value), success=success
    )
    body = item(notice, 0)
    assert signature(body, HMAC_KEY) == generate_notification_sig(body, HMAC_KEY).decode()


def test_decimals_are_adyens_where_iso_4217_says_otherwise() -> None:
    assert {code: DECIMALS[code] for code in ("CLP", "CVE", "IDR", "ISK")} == {
        "CLP": 2,
        "CVE": 0,
        "IDR": 0,
        "ISK": 2,
    }
    assert (DECIMALS["JPY"], DECIMALS["EUR"], DECIMALS["KWD"]) == (0, 2, 3)


@pytest.mark.parametrize(("currency", "value"), [("JPY", 1290), ("ISK", 129000), ("KWD", 12900)])
def test_amounts_stay_in_the_minor_unit(currency: str, value: int) -> None:
    with Running("adyen") as running:
        body = adyen_payment("minor") | {"amount": {"currency": currency.lower(), "value": value}}
        message = sdk(running).payments_api.payments(body).message
        assert message["amount"] == {"currency": currency, "value": value}
        (movement,) = running.movements
        assert (movement.currency, movement.amount_minor) == (currency, value)


class _Listener:
    """A merchant's server, which refuses so many webhooks, then accepts them."""

    def __init__(self, refused: int = 1) -> None:
        received: queue.Queue[bytes] = queue.Queue()
        statuses = iter((500,) * refused)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.put(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(next(statuses, 200))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.received = received
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def test_webhooks_are_delivered_and_redelivered_by_adyens_schedule() -> None:
    listener = _Listener()
    try:
        with Running("adyen") as running:
            outbox, clock = running.gateway.outbox, running.gateway.mock_clock
            running.thread.call(lambda: outbox.deliver_to([listener.url]))
            sdk(running).payments_api.payments(adyen_payment("delivered"))
            first = listener.received.get(timeout=20)
            assert is_valid_hmac_notification(json.loads(first), HMAC_KEY)
            running.until(lambda: outbox.waiting == 1, "the refused webhook waits")
            running.thread.call(lambda: clock.advance(RULES.redelivery_s[0]))
            assert listener.received.get(timeout=20) == first
            running.until(lambda: outbox.idle and outbox.waiting == 0, "the webhook is accepted")
    finally:
        listener.close()


def test_a_webhook_is_tried_for_30_days_at_the_published_intervals() -> None:
    minute, hour, day = 60, 3600, 86_400
    waits = RULES.redelivery_s
    assert waits[:12] == (
        *(9, 18, 27),
        *(2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute),
        *(1 * hour, 2 * hour, 4 * hour, 8 * hour),
    )
    assert set(waits[12:]) == {8 * hour}
    assert 30 * day - 8 * hour < sum(waits) <= 30 * day


def test_each_attempt_comes_at_its_time_and_none_before() -> None:
    listener = _Listener(refused=len(RULES.redelivery_s) + 1)
    try:
        with Running("adyen") as running:
            outbox, clock = running.gateway.outbox, running.gateway.mock_clock
            running.thread.call(lambda: setattr(clock, "_real", lambda: 1e9))
            running.thread.call(lambda: outbox.deliver_to([listener.url]))
            # Without a capture there is nothing to settle, of which another webhook would tell.
            manual = adyen_payment("refused") | {"additionalData": {"manualCapture": "true"}}
            sdk(running).payments_api.payments(manual)
            first = listener.received.get(timeout=20)
            for wait in RULES.redelivery_s:
                running.until(lambda: outbox.waiting == 1 and outbox.idle, "the refused webhook waits")
                advance(running, wait - 1)
                assert running.thread.call(lambda: outbox.idle and outbox.waiting == 1)
                advance(running, 1)
                assert listener.received.get(timeout=20) == first
            running.until(lambda: outbox.abandoned == 1, "the webhook is given up")
            attempts = [r for r in running.writer.records if isinstance(r, Webhook)]
            assert [r.attempt for r in attempts] == list(range(1, len(RULES.redelivery_s) + 2))
            assert {r.status for r in attempts} == {500}
    finally:
        listener.close()
