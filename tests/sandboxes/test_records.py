"""Records read from a sandbox are the movements that truly happened: the mocks' own ledgers say which."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import orjson
import pytest

from journal.records import Movement
from mocks.outbound import Answer, Call, Client, LostError
from mocks.platform.connectors.access_token import TokenClient
from mocks.platform.connectors.paypal import token_request
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes import records as reading
from mocks.sandboxes.keys import read
from mocks.sandboxes.records import Ask, Records, RecordsError, Run, get
from mocks.sandboxes.sandbox import Forwarded, Notes
from tests.mocks.running import Running, adyen_payment, stripe_call, stripe_payment
from tests.mocks_adyen.sdk import advance
from tests.mocks_gocardless import sdk as gocardless
from tests.mocks_paypal import client as paypal
from tests.platform.rig import run as play
from tests.sandboxes.test_keys import ENVIRONMENT

T = TypeVar("T")
SECOND = 1_000_000_000
RUN = Run("abc123", time.time())


def records(
    running: Running, notes: Notes | None = None, wrap: Callable[[Ask], Ask] = lambda ask: ask
) -> Records:
    sandbox = SANDBOXES[running.gateway.name]

    async def main() -> Records:
        caller = sandbox.caller(Client(running.url), read(sandbox.keys, ENVIRONMENT))

        async def ask(call: Call) -> Answer:
            return await caller.call(call, 5 * SECOND)

        try:
            return await sandbox.records(wrap(ask), RUN, notes or sandbox.notes())
        finally:
            await caller.close()

    return play(main())


def what(movements: Iterable[Movement]) -> list[tuple[object, ...]]:
    """All but references of refunds and disputes, which need only be told apart, and times."""
    return sorted(
        (m.kind, m.reference if m.kind == "capture" else "", m.parent, m.order_id, m.amount_minor, m.currency)
        for m in movements
        if m.kind != "fee"
    )


def truth(running: Running) -> list[tuple[object, ...]]:
    return what(m for m in running.movements if m.kind != "payout" and RUN.owns(m.order_id))


def check_times(found: Records) -> None:
    now = time.time_ns()
    assert all(now - 120 * SECOND < m.at_ns < now + 2 * SECOND for m in found.movements)


def test_stripe() -> None:
    with Running("stripe") as running:
        connection = running.connection()

        def pay(order: str, **more: Any) -> dict[str, Any]:
            return stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment(order, **more))[2]

        paid = [pay(f"abc123-{number:07d}", amount=1000 + number) for number in range(130)]
        pay("probe-abc123-1")
        pay("other-0000001")
        pay("abc1234-0000001")
        pay("abc123-0000200", card="pm_card_chargeDeclined")
        held = stripe_payment("abc123-0000201") | {"capture_method": "manual"}
        stripe_call(connection, "POST", "/v1/payment_intents", held)
        pay("abc123-0000202", card="pm_card_createDispute")
        for amount in (100, 200):
            stripe_call(
                connection, "POST", "/v1/refunds", {"payment_intent": paid[3]["id"], "amount": amount}
            )
        advance(running, 2)  # the dispute comes a moment after its payment
        found = records(running)
        assert what(found.movements) == truth(running)
        assert len([m for m in found.movements if m.kind == "capture"]) == 132
        assert len([m for m in found.movements if m.kind == "dispute"]) == 1
        assert (found.payments, found.others, found.missing) == (136, 2, "")
        fees = {m.currency: m.amount_minor for m in found.movements if m.kind == "fee"}
        booked = stripe_call(connection, "GET", "/v1/balance_transactions", {"limit": 100})[2]["data"]
        assert fees.keys() == {"EUR"} and fees["EUR"] > sum(line["fee"] for line in booked[:90]) > 0
        check_times(found)


def test_what_a_failed_refund_gave_back_has_come_back() -> None:
    with Running("stripe") as running:
        connection = running.connection()
        paid = stripe_call(
            connection,
            "POST",
            "/v1/payment_intents",
            stripe_payment("abc123-0000001", card="pm_card_refundFail"),
        )[2]
        stripe_call(connection, "POST", "/v1/refunds", {"payment_intent": paid["id"], "amount": 300})
        assert [m.kind for m in records(running).movements if m.kind != "fee"] == ["capture", "refund"]
        advance(running, 10)
        truth = [m.amount_minor for m in running.movements if m.kind == "refund"]
        assert truth == [300, -300]
        assert [m.kind for m in records(running).movements if m.kind != "fee"] == ["capture"]


def test_gocardless() -> None:
    with Running("gocardless") as running:
        sdk = gocardless.client(running)
        mandate = gocardless.mandate(sdk).id

        def pay(order: str, *steps: str) -> str:
            payment = str(gocardless.pay(sdk, mandate, order).id)
            for step in steps:
                gocardless.simulate(sdk, step, payment)
            return payment

        pay("abc123-0000001")
        confirmed = pay("abc123-0000002", "payment_confirmed")
        pay("abc123-0000003", "payment_failed")
        pay("abc123-0000004", "payment_confirmed", "payment_charged_back")
        pay("abc123-0000005", "payment_paid_out")
        pay("abc123-0000006", "payment_late_failure")
        pay("other-0000001", "payment_confirmed")
        gocardless.refund(sdk, confirmed, 300)
        found = records(running)
        assert what(found.movements) == truth(running)
        kinds = [m.kind for m in found.movements]
        assert (kinds.count("capture"), kinds.count("refund"), kinds.count("dispute")) == (4, 1, 2)
        assert (found.payments, found.others) == (7, 1)
        check_times(found)


def test_gocardless_reads_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mocks.sandboxes.gocardless._PAGE", "2")
    with Running("gocardless") as running:
        sdk = gocardless.client(running)
        mandate = gocardless.mandate(sdk).id
        for number in range(5):
            payment = gocardless.pay(sdk, mandate, f"abc123-{number:07d}").id
            gocardless.simulate(sdk, "payment_confirmed", payment)
        found = records(running)
        assert what(found.movements) == truth(running) and len(found.movements) == 5


class Noting:
    """Sends requests as the platform does, and notes what passes, as the proxy does."""

    def __init__(self, running: Running, caller: Callable[[Client], Any] = lambda client: client) -> None:
        self.notes = SANDBOXES[running.gateway.name].notes()
        self._url = running.url
        self._caller = caller

    def post(
        self, target: str, body: object, key: str = "", *, lost: bool = False, sent: bool = True
    ) -> dict[str, Any]:
        header = "paypal-request-id" if target.startswith("/v2") else "idempotency-key"
        headers = (("x-api-key", "k"), ("content-type", "application/json"), (header, key))
        call = Call("POST", target, headers, orjson.dumps(body))

        async def main() -> Answer:
            caller = self._caller(Client(self._url))
            try:
                answer: Answer = await caller.call(call, 5 * SECOND)
                return answer
            finally:
                await caller.close()

        answer = play(main()) if sent else None
        assert self.notes.wants("POST", target)
        if answer is not None and key.endswith("-packed"):
            packed = Answer(answer.status, {"content-encoding": "gzip"}, gzip.compress(answer.body))
            self.notes.take(Forwarded("POST", target, dict(headers), call.body, packed))
        else:
            self.notes.take(Forwarded("POST", target, dict(headers), call.body, None if lost else answer))
        return {} if answer is None else orjson.loads(answer.body)


def test_adyen_is_known_by_what_it_answered() -> None:
    with Running("adyen") as running:
        shop = Noting(running)
        paid = shop.post("/v72/payments", adyen_payment("abc123-0000001"), "k1-packed")
        shop.post("/v72/payments", adyen_payment("abc123-0000001"), "k1-packed")  # a replay of its key
        shop.post("/v72/payments", adyen_payment("abc123-0000002", holderName="DECLINED"), "k2")
        shop.post("/v72/payments", adyen_payment("other-0000003"), "k3")
        # The answer was lost, and the platform asked again.
        shop.post("/v72/payments", adyen_payment("abc123-0000004", 500), "k4", lost=True)
        shop.post("/v72/payments", adyen_payment("abc123-0000004", 500), "k4")
        refund = {
            "amount": {"currency": "EUR", "value": 290},
            "merchantAccount": "PaydrillECOM",
            "reference": "r1",
        }
        shop.post(f"/v72/payments/{paid['pspReference']}/refunds", refund, "k5")
        advance(running, 2)
        found = records(running, shop.notes)
        assert what(found.movements) == truth(running)
        assert [m.kind for m in found.movements] == ["capture", "capture", "refund"]
        assert (found.payments, found.others, found.missing) == (4, 1, "")
        check_times(found)


def test_what_adyen_never_answered_is_named() -> None:
    with Running("adyen") as running:
        shop = Noting(running)
        paid = shop.post("/v72/payments", adyen_payment("abc123-0000001"), "k1")
        shop.post("/v72/payments", adyen_payment("abc123-0000002"), "k2", lost=True)
        shop.post("/v72/payments", adyen_payment("other-0000003"), "k3", lost=True)
        refund = {
            "amount": {"currency": "EUR", "value": 290},
            "merchantAccount": "PaydrillECOM",
            "reference": "r1",
        }
        shop.post(f"/v72/payments/{paid['pspReference']}/refunds", refund, "k4", sent=False)
        found = records(running, shop.notes)
        assert "2 orders" in found.missing
        assert "abc123-0000001, abc123-0000002" in found.missing and "other" not in found.missing


def test_paypal_is_asked_for_every_order_that_passed() -> None:
    with Running("paypal") as running:
        fetch = token_request("client", "secret")
        shop = Noting(running, lambda client: TokenClient(client, fetch))
        sdk = paypal.Client(running)
        try:
            names = []
            for number, value in ((1, "12.90"), (2, "7.00"), (3, "5.00")):
                body = paypal.order_request(f"abc123-{number:07d}", value)
                names.append(shop.post("/v2/checkout/orders", body, f"k{number}-packed")["id"])
            other = shop.post("/v2/checkout/orders", paypal.order_request("other-1"), "k4")["id"]
            for name in (*names[:2], other):
                approve(running, name)
                shop.post(f"/v2/checkout/orders/{name}/capture", {}, f"capture-{name}")
            capture = sdk.orders.get_order({"id": names[0]}).body.purchase_units[0].payments.captures[0].id
            money = {"currency_code": "EUR", "value": "2.90"}
            sdk.payments.refund_captured_payment({"capture_id": capture, "body": {"amount": money}})
            found = records(running, shop.notes)
            assert what(found.movements) == truth(running)
            assert sorted(m.kind for m in found.movements) == ["capture", "capture", "refund"]
            assert (found.payments, found.others, found.missing) == (4, 1, "")
            check_times(found)
            shop.post("/v2/checkout/orders", paypal.order_request("abc123-0000009"), "k9", lost=True)
            assert "1 new order" in records(running, shop.notes).missing
        finally:
            sdk.close()


def approve(running: Running, order: str) -> None:
    connection = running.connection()
    connection.request("GET", f"/checkoutnow?token={order}")
    response = connection.getresponse()
    response.read()
    assert response.status in (200, 302)


def asked(answers: list[Answer | Exception]) -> tuple[Ask, list[Call]]:
    calls: list[Call] = []

    async def ask(call: Call) -> Answer:
        calls.append(call)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask, calls


def test_reads_are_repeated_until_they_succeed() -> None:
    ask, calls = asked(
        [Answer(429, {}, b""), Answer(503, {}, b""), LostError("gone"), Answer(200, {}, b"{}")]
    )
    assert play(get(ask, "/v1/refunds", {"created[gte]": "5"}, pause_s=0)) == {}
    assert [call.target for call in calls] == ["/v1/refunds?created%5Bgte%5D=5"] * 4


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([Answer(401, {}, b"{}")], "HTTP 401"),
        ([Answer(200, {}, b"[]")], "JSON object"),
        ([Answer(200, {}, b"<html>")], "JSON object"),
        ([Answer(500, {}, b"")] * 5, "HTTP 500"),
        ([LostError("the connection was reset")] * 5, "reset"),
    ],
)
def test_what_cannot_be_read_is_said(answers: list[Answer | Exception], says: str) -> None:
    ask, _ = asked(answers)
    with pytest.raises(RecordsError, match=says):
        play(get(ask, "/v1/refunds", pause_s=0))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"data": 5, "has_more": false}', b'{"data": [5], "has_more": false}']
)
def test_a_list_of_another_form_is_no_list(body: bytes) -> None:
    ask, _ = asked([Answer(200, {}, body)])
    sandbox = SANDBOXES["stripe"]
    with pytest.raises(RecordsError):
        play(sandbox.records(ask, RUN, sandbox.notes()))


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_PAGES", 3)
    page = Answer(200, {}, b'{"data": [{"id": "pi_1"}], "has_more": true}')
    ask, _ = asked([page] * 3)
    sandbox = SANDBOXES["stripe"]
    with pytest.raises(RecordsError, match="no end"):
        play(sandbox.records(ask, RUN, sandbox.notes()))
