"""Whatever is done with customers, PaymentMethods, payers and debits, in whatever order: money moves once."""

from __future__ import annotations

from collections import Counter
from http.client import HTTPConnection
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.stripe.sepa_debit import USUAL_S, is_iban
from tests.mocks.running import Running, stripe_call

NAMES = (
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_applePayVisa",
    "pm_card_authenticationRequired",
    "pm_card_authenticationRequiredOnSetup",
    "pm_card_threeDSecureRequiredChargeDeclined",
    "pm_success_de",
    "pm_failed_de",
)
MANDATE = {
    "mandate_data[customer_acceptance][type]": "offline",
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "attach",
                "detach",
                "create",
                "pay",
                "again",
                "confirm",
                "visit",
                "fail",
                "cancel",
                "capture",
                "delete",
                "wait",
            ]
        ),
        st.integers(0, 7),
        st.integers(0, 7),
    ),
    min_size=3,
    max_size=14,
)


class Shop:
    """A caller without any manners, and everything that it has heard of."""

    def __init__(self, running: Running, connection: HTTPConnection) -> None:
        self._running = running
        self._connection = connection
        self.customers = [self._call("POST", "/v1/customers")["id"] for _ in range(2)]
        self.methods: list[str] = []
        self.intents: list[str] = []
        self.pages: list[str] = []

    def do(self, step: str, first: int, second: int) -> None:
        customer = self.customers[first % 2]
        method = self.methods[second % len(self.methods)] if self.methods else NAMES[second]
        intent = self.intents[first % len(self.intents)] if self.intents else "pi_none"
        if step == "attach":
            self._method(
                self._call("POST", f"/v1/payment_methods/{NAMES[second]}/attach", {"customer": customer})
            )
        elif step == "detach":
            self._call("POST", f"/v1/payment_methods/{method}/detach")
        elif step in ("create", "pay", "again"):
            asked = {"payment_method": NAMES[second] if step == "pay" else method} | MANDATE
            if first % 2:
                asked |= {"customer": customer}
            if first % 3 == 0:
                asked |= {"setup_future_usage": "off_session"}
            if first % 5 == 0:
                asked |= {"off_session": "true"}
            if first == 7:
                asked |= {"capture_method": "manual"}
            self._intent(
                self._call(
                    "POST",
                    "/v1/payment_intents",
                    asked
                    | {
                        "amount": "1290",
                        "currency": "eur",
                        "confirm": "false" if step == "create" else "true",
                    },
                )
            )
        elif step == "confirm":
            self._intent(
                self._call(
                    "POST", f"/v1/payment_intents/{intent}/confirm", {"payment_method": method} | MANDATE
                )
            )
        elif step in ("visit", "fail") and self.pages:
            path = self.pages[first % len(self.pages)]
            outcome = "failed" if step == "fail" else "authenticated"
            self._call("GET", path, {"outcome": outcome})
        elif step in ("cancel", "capture"):
            self._call("POST", f"/v1/payment_intents/{intent}/{step}")
        elif step == "delete" and first == 0:
            self._call("DELETE", f"/v1/customers/{customer}")
        elif step == "wait":
            self.wait()

    def wait(self) -> None:
        clock = self._running.gateway.mock_clock
        self._running.thread.call(lambda: clock.advance(USUAL_S + 1))

    def see(self, name: str) -> Any:
        return self._call("GET", f"/v1/payment_intents/{name}", {"expand[]": "latest_charge"})

    def _intent(self, body: Any) -> None:
        intent = body.get("error", body).get("payment_intent", body)
        if intent.get("object") != "payment_intent":
            return
        if intent["id"] not in self.intents:
            self.intents.append(intent["id"])
        if isinstance(intent["payment_method"], str):
            self.methods.append(intent["payment_method"])
        action = intent["next_action"]
        if action is not None:
            self.pages.append(
                "/3d_secure/" + action["use_stripe_sdk"]["stripe_js"].partition("/3d_secure/")[2]
            )

    def _method(self, body: Any) -> None:
        if body.get("object") == "payment_method":
            self.methods.append(body["id"])

    def _call(self, method: str, path: str, parameters: dict[str, str] | None = None) -> Any:
        status, _, body = stripe_call(self._connection, method, path, parameters)
        assert status in (200, 400, 402, 404), (status, body)
        return body


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_money_moves_once(running: Running, steps: list[tuple[str, int, int]]) -> None:
    # One connection is enough; the fixture closes it.
    connection: HTTPConnection = running.__dict__.setdefault("invariants", running.connection())
    shop = Shop(running, connection)
    seen: dict[str, bytes] = {}
    for step in steps:
        shop.do(*step)
        seen = payloads(running) | seen
    shop.wait()
    captures = Counter(m.reference for m in running.movements if m.kind == "capture")
    for name in shop.intents:
        intent = shop.see(name)
        paid = intent["status"] == "succeeded"
        assert captures[name] == (1 if paid else 0), intent
        assert intent["amount_received"] == (1290 if paid else 0)
        assert (intent["next_action"] is not None) == (intent["status"] == "requires_action")
        assert intent["status"] != "processing"
        charge = intent["latest_charge"]
        if paid:
            assert (charge["status"], charge["amount_captured"]) == ("succeeded", 1290)
            assert charge["failure_code"] is None
        elif charge is not None and intent["status"] == "requires_payment_method":
            assert charge["status"] == "failed" and not charge["paid"]
    # An event tells of its own moment, however late it is read.
    now = payloads(running)
    assert {name: now[name] for name in seen if name in now} == {
        name: seen[name] for name in seen if name in now
    }


def payloads(running: Running) -> dict[str, bytes]:
    """The latest events' payloads, by their identifiers."""
    outbox = running.gateway.outbox
    return running.thread.call(
        lambda: {
            outbox[place].id: outbox[place].payload()
            for place in range(max(0, len(outbox) - 200), len(outbox))
        }
    )


@given(place=st.integers(2, 21), digit=st.integers(1, 9))
def test_one_wrong_digit_is_no_iban(place: int, digit: int) -> None:
    iban = "DE89370400440532013000"
    changed = str((int(iban[place]) + digit) % 10)
    assert not is_iban(iban[:place] + changed + iban[place + 1 :])


@given(st.text(max_size=40))
def test_any_text_is_an_iban_or_not(text: str) -> None:
    assert is_iban(text) in (True, False)
