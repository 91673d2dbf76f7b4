"""Payouts: batches whose rows add up, their reports as CSV, and the fees that were withheld."""

from __future__ import annotations

import csv
import io
import json
import ssl
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journal.records import Movement
from mocks import tls
from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.application import Adyen
from mocks.gateways.adyen.currencies import DECIMALS
from mocks.gateways.adyen.disputes import DEFENSE_S
from mocks.gateways.adyen.fees import PROCESSING, costs_of, processing_fee
from mocks.gateways.adyen.modifications import SEVERAL_CAPTURES
from mocks.gateways.adyen.request import payment_request
from mocks.gateways.adyen.settlement import AGAIN_S, SETTLEMENT_S
from mocks.gateways.adyen.settlement_report import COLUMNS
from mocks.inprocess import gateways
from mocks.latency import Latency
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import ACCOUNT, advance, modification, sdk, told

KEY = {"X-API-Key": "report-user"}


def fetch(url: str, headers: dict[str, str] = KEY, verify: ssl.SSLContext | bool = True) -> httpx.Response:
    return httpx.get(url, headers=headers, verify=verify, timeout=30)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def minor(text: str, currency: str) -> int:
    return int(Decimal(text or "0").scaleb(DECIMALS[currency]))


def net(row: dict[str, str]) -> int:
    currency = row["Net Currency"]
    return minor(row["Net Credit (NC)"], currency) - minor(row["Net Debit (NC)"], currency)


def gross(row: dict[str, str]) -> int:
    currency = row["Net Currency"]
    return minor(row["Gross Credit (GC)"], currency) - minor(row["Gross Debit (GC)"], currency)


def fee(row: dict[str, str]) -> int:
    return sum(
        minor(row[f"{part} (NC)"], row["Net Currency"]) for part in ("Markup", "Scheme Fees", "Interchange")
    )


def test_a_batch_is_paid_out_and_reported() -> None:
    with Running("adyen") as running:
        checkout = sdk(running)
        paid = checkout.payments_api.payments(adyen_payment("first", 10_000)).message["pspReference"]
        api = checkout.modifications_api
        refund = api.refund_captured_payment(modification(1_000), paid).message["pspReference"]
        checkout.payments_api.payments(adyen_payment("second", 1_290))
        advance(running, SETTLEMENT_S - 60)
        assert told(running, "") == []
        advance(running, 61)
        (available,) = told(running, "")
        assert (available["eventCode"], available["success"]) == ("REPORT_AVAILABLE", "true")
        assert available["pspReference"] == "settlement_detail_report_batch_1.csv"
        assert available["merchantAccountCode"] == ACCOUNT
        assert available["amount"] == {"currency": "EUR", "value": 0}
        assert "paymentMethod" not in available and "originalReference" not in available
        assert available["reason"].startswith(running.url)
        answer = fetch(available["reason"])
        assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv"
        rows = rows_of(answer.text)
        assert answer.text.splitlines()[0].split(",") == list(COLUMNS)
        assert [row["Type"] for row in rows] == ["Settled", "Refunded", "Settled", "Fee", "MerchantPayout"]
        assert (rows[0]["Psp Reference"], rows[0]["Merchant Reference"]) == (paid, "first")
        assert (rows[1]["Psp Reference"], rows[1]["Modification Reference"]) == (paid, refund)
        # 0.60%, 0.10% and 0.20% of 100.00, then of 12.90.
        assert [fee(row) for row in rows[:3]] == [90, 0, 8 + 1 + 3]
        assert [net(row) for row in rows] == [9_910, -1_000, 1_278, -22, -10_166]
        assert {row["Batch Number"] for row in rows} == {"1"}
        payout, fees = (next(m for m in running.movements if m.kind == kind) for kind in ("payout", "fee"))
        assert (payout.amount_minor, payout.currency) == (10_166, "EUR")
        assert (fees.amount_minor, fees.parent) == (90 + 12 + 22, payout.reference)
        assert payout.reference in rows[-1]["Modification Reference"]
        assert [r.endpoint for r in running.requests][-1] == "reports"


def test_a_day_later_the_next_batch_follows_and_debits_wait_for_credits() -> None:
    with Running("adyen") as running:
        checkout = sdk(running)
        paid = checkout.payments_api.payments(adyen_payment("o", 1_000)).message["pspReference"]
        advance(running, SETTLEMENT_S)
        checkout.modifications_api.refund_captured_payment(modification(1_000), paid)
        advance(running, SETTLEMENT_S + AGAIN_S)
        assert len(told(running, "")) == 1
        checkout.payments_api.payments(adyen_payment("more", 2_000))
        advance(running, SETTLEMENT_S + AGAIN_S)
        first, second = told(running, "")
        assert second["pspReference"] == "settlement_detail_report_batch_2.csv"
        rows = rows_of(fetch(second["reason"]).text)
        assert [row["Type"] for row in rows] == ["Refunded", "Settled", "Fee", "MerchantPayout"]
        assert first["reason"] != second["reason"]


def test_what_is_younger_than_two_days_waits_for_the_next_batch() -> None:
    with Running("adyen") as running:
        for order in ("old", "young"):
            sdk(running).payments_api.payments(adyen_payment(order))
            advance(running, SETTLEMENT_S - 3600)
        advance(running, SETTLEMENT_S)
        reports = [rows_of(fetch(item["reason"]).text) for item in told(running, "")]
        assert [[row["Merchant Reference"] for row in rows][:-2] for rows in reports] == [["old"], ["young"]]


def test_each_account_and_currency_has_its_own_batch() -> None:
    with Running("adyen") as running:
        checkout = sdk(running)
        for account, currency, value in (("A b", "EUR", 1_000), ("A b", "JPY", 5_000), ("B", "KWD", 12_900)):
            amount = {"currency": currency, "value": value}
            checkout.payments_api.payments(adyen_payment() | {"merchantAccount": account, "amount": amount})
        advance(running, SETTLEMENT_S)
        found = {}
        for item in told(running, ""):
            rows = rows_of(fetch(item["reason"]).text)
            assert {row["Merchant Account"] for row in rows} == {item["merchantAccountCode"]}
            found[item["merchantAccountCode"], item["pspReference"][-5]] = rows[0]["Gross Credit (GC)"]
        assert found == {("A b", "1"): "10.00", ("A b", "2"): "5000", ("B", "1"): "12.900"}


def test_what_comes_back_is_in_the_report() -> None:
    with Running("adyen") as running:
        checkout = sdk(running)
        holders = ("Second Chargeback", "capture failed", "refund failed")
        for holder in holders:
            payment = adyen_payment(holder, 1_000, holderName=holder)
            paid = checkout.payments_api.payments(payment).message["pspReference"]
        checkout.modifications_api.refund_captured_payment(modification(400), paid)
        advance(running, SETTLEMENT_S)
        (available,) = told(running, "")
        rows = rows_of(fetch(available["reason"]).text)
        assert {
            h: [(r["Type"], gross(r)) for r in rows if r["Merchant Reference"] == h] for h in holders
        } == {
            "Second Chargeback": [
                ("Settled", 1_000),
                ("Chargeback", -1_000),
                ("ChargebackReversed", 1_000),
                ("SecondChargeback", -1_000),
            ],
            "capture failed": [("Settled", 1_000), ("SettledReversed", -1_000)],
            "refund failed": [("Settled", 1_000), ("Refunded", -400), ("RefundedReversed", 400)],
        }
        assert all(len(row["Modification Reference"]) == 16 for row in rows[:9])


def test_a_report_needs_a_key_and_must_exist() -> None:
    with Running("adyen") as running:
        sdk(running).payments_api.payments(adyen_payment())
        advance(running, SETTLEMENT_S)
        url = told(running, "")[0]["reason"]
        for path, headers, status in (
            (url, {}, 401),
            (url.replace("_1.csv", "_2.csv"), KEY, 404),
            (url.replace(ACCOUNT, "Another"), KEY, 404),
            (f"{running.url}/reports/download/MerchantAccount/%00%ff", KEY, 404),
        ):
            answer = fetch(path, headers)
            assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_the_report_is_found_in_process() -> None:
    with gateways("adyen") as mocked, httpx.Client(headers={"X-API-Key": "k"}) as client:
        client.post("https://checkout-test.adyen.com/v72/payments", json=adyen_payment())
        mocked.adyen.mock_clock.advance(SETTLEMENT_S)
        item = json.loads(mocked.adyen.outbox[-1].payload())["notificationItems"][0]
        answer = client.get(item["NotificationRequestItem"]["reason"])
        assert rows_of(answer.text)[-1]["Type"] == "MerchantPayout"


def test_fees_that_were_in_no_payout_are_booked_at_the_end() -> None:
    with Running("adyen") as running:
        checkout = sdk(running)
        checkout.payments_api.payments(adyen_payment("paid-out", 10_000))
        advance(running, SETTLEMENT_S)
        checkout.payments_api.payments(adyen_payment("late", 1_290))
        yen = {"amount": {"currency": "JPY", "value": 1_000}}
        checkout.payments_api.payments(adyen_payment("yen") | yen)
    fees = [(m.currency, m.amount_minor, bool(m.parent)) for m in _of(running, "fee")]
    assert fees == [("EUR", 90 + PROCESSING, True), ("EUR", 12 + PROCESSING, False), ("JPY", 9 + 11, False)]


def _of(running: Running, kind: str) -> list[Movement]:
    return [r for r in running.writer.records if isinstance(r, Movement) and r.kind == kind]


@given(st.integers(1, 10**12), st.sampled_from(["scheme", "applepay", "sepadirectdebit"]))
def test_costs_never_exceed_the_payment(amount: int, method: str) -> None:
    costs = costs_of(amount, method)
    assert all(part >= 0 for part in costs) and sum(costs) <= amount
    assert abs(sum(costs) * 10_000 - amount * (0 if method == "sepadirectdebit" else 90)) <= 15_000


def test_the_fixed_fee_is_worth_the_same_with_three_decimals() -> None:
    assert [processing_fee(currency) for currency in ("EUR", "JPY", "KWD")] == [11, 11, 110]


_HOLDERS = ("", "refund failed", "capture failed", "Chargeback", "Chargeback Reversed", "Second Chargeback")
_STEP = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 20_000), st.sampled_from(_HOLDERS)),
    st.tuples(st.just("capture"), st.integers(1, 20_000), st.just("")),
    st.tuples(st.just("refund"), st.integers(1, 20_000), st.just("")),
    st.tuples(st.just("wait"), st.integers(0, 5 * 86_400), st.just("")),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_STEP, max_size=25))
@example([("pay", 5, "refund failed"), ("refund", 3, ""), ("wait", 300_000, "")])
def test_every_payout_is_the_sum_of_its_rows(steps: list[tuple[str, int, str]]) -> None:
    gateway = Adyen("adyen", Latency(0, 0), 1)
    names: list[str] = []
    for number, (what, value, holder) in enumerate(steps):
        account = f"A{number % 2}{SEVERAL_CAPTURES if number % 3 == 0 else ''}"
        if what == "pay":
            body: dict[str, Any] = adyen_payment(f"o{number}", value, holderName=holder)
            body["merchantAccount"] = account
            body["additionalData"] = {"manualCapture": str(number % 4 == 0).lower()}
            gateway.payments.make(f"P{number}", payment_request(body), 0)
            names.append(f"P{number}")
        elif what == "wait":
            gateway.mock_clock.advance(value)
        elif names:
            payment = gateway.payments.find(names[value % len(names)])
            sent = {"merchantAccount": payment.request.merchant}
            step = gateway.modifications.capture if what == "capture" else gateway.modifications.refund
            step(payment, Amount("EUR", value), sent, 0)
    gateway.mock_clock.advance(SETTLEMENT_S + AGAIN_S + DEFENSE_S)
    settled = _check_reports(gateway)
    gateway.settle(0)
    totals = dict.fromkeys(("capture", "refund", "dispute", "fee", "payout"), 0)
    for movement in gateway.ledger:
        totals[movement.kind] += movement.amount_minor
    captures = [m for m in gateway.ledger if m.kind == "capture"]
    assert totals["fee"] == sum(sum(costs_of(m.amount_minor, "scheme")) + PROCESSING for m in captures)
    assert settled == totals["payout"]


def _check_reports(gateway: Adyen) -> int:
    """Check every report against the ledger; the sum that was paid out."""
    payouts = {m.reference: m.amount_minor for m in gateway.ledger if m.kind == "payout"}
    withheld = {m.parent: m.amount_minor for m in gateway.ledger if m.kind == "fee"}
    seen: list[tuple[str, str, str, str]] = []
    total = 0
    for event in gateway.outbox:
        if event.kind != "REPORT_AVAILABLE":
            continue
        url = json.loads(event.payload())["notificationItems"][0]["NotificationRequestItem"]["reason"]
        path = url.removeprefix("https://checkout-test.adyen.com")
        rows = rows_of(gateway.settlement.download(path).body.decode())
        *items, payout = rows
        payments = [row for row in items if row["Type"] != "Fee"]
        for row in payments:
            assert net(row) == gross(row) - fee(row)
        assert sum(map(net, rows)) == 0
        (reference,) = [name for name in payouts if name in payout["Modification Reference"]]
        assert -net(payout) == payouts[reference] > 0
        assert sum(map(gross, payments)) - withheld.get(reference, 0) == payouts[reference]
        seen += [
            (row["Psp Reference"], row["Type"], row["Modification Reference"], row["Gross Debit (GC)"])
            for row in payments
            if not row["Type"].startswith("Refunded")
        ]
        total += payouts[reference]
    assert len(set(seen)) == len(seen)
    return total


@pytest.mark.parametrize("server", ["127.0.0.1", "::1"])
def test_the_url_is_where_the_mock_is(server: str) -> None:
    with Running("adyen", host=server) as running:
        gateway = running.gateway
        assert isinstance(gateway, Adyen)
        host = f"[{server}]" if ":" in server else server
        running.thread.call(lambda: gateway.payments.make("P", payment_request(adyen_payment()), 0))
        advance(running, SETTLEMENT_S)
        url = told(running, "")[0]["reason"]
        assert url.startswith(f"http://{host}:{running.port}/reports/")
        assert fetch(url).status_code == 200


def test_the_url_is_https_where_the_mock_serves_tls(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path, tls.now())
    plan = {"certificate": str(files.certificate), "key": str(files.key)}
    with Running("adyen", tls=plan) as running:
        gateway = running.gateway
        assert isinstance(gateway, Adyen)
        running.thread.call(lambda: gateway.payments.make("P", payment_request(adyen_payment()), 0))
        advance(running, SETTLEMENT_S)
        trust = ssl.create_default_context(cafile=files.authority)
        url = told(running, "")[0]["reason"]
        assert url.startswith("https://") and fetch(url, verify=trust).status_code == 200
