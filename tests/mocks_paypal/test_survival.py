"""A restart keeps what is PayPal's own, too: reviews, disputes, webhooks, the account."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks.gateways.gateway import Gateway
from tests.state.test_survival import Life
from tests.state.traffic import PayPalTraffic

DAY = 86_400
PAYERS = ("", "PENDING-REVIEW", "PENDING-ECHECK-DENIED", "DISPUTE-UNAUTHORISED", "DISPUTE-NOT-RECEIVED")
BALANCES = "/v1/reporting/balances?as_of_time=2999-01-01T00:00:00Z"


class MoreTraffic(PayPalTraffic):
    """Orders that are paid at once by whoever pays late or disputes, answers to disputes, webhooks."""

    ACTS = 4

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.paid = 0

    def act(self, which: int, value: int, key: str) -> None:
        if not self.token:
            self.sign_in()
        if which == 0:
            self.paid += 1
            unit = {"custom_id": f"o{self.paid}", "amount": {"currency_code": "EUR", "value": "12.90"}}
            source = {"paypal": {"vault_id": "v", "name": {"given_name": PAYERS[value % len(PAYERS)]}}}
            asked = {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source}
            self.post("orders", "/v2/checkout/orders", asked, key or f"paid-{self.paid}")
        elif which == 1:
            rows = json.loads(self.call("GET", "/v1/customer/disputes?page_size=50")[0][1])["items"]
            if rows:
                path = f"/v1/customer/disputes/{rows[value % len(rows)]['dispute_id']}"
                action = ("accept-claim", "provide-evidence")[value % 2]
                self.call("POST", f"{path}/{action}", b'{"evidences": [{"notes": "sent"}]}')
        elif which == 2:
            body = {"url": f"http://127.0.0.1:1/{value}", "event_types": [{"name": "PAYMENT.CAPTURE.DENIED"}]}
            self.post("hooks", "/v1/notifications/webhooks", body, "")
        else:
            rows = json.loads(self.call("GET", "/v1/notifications/webhooks")[0][1])["webhooks"]
            if rows:
                self.call("DELETE", f"/v1/notifications/webhooks/{rows[0]['id']}")

    def looks(self) -> list[str]:
        disputes = "/v1/customer/disputes?page_size=50"
        rows = json.loads(self.call("GET", disputes)[0][1]).get("items", [])
        return [
            *super().looks(),
            *(f"/v1/customer/disputes/{row['dispute_id']}" for row in rows),
            disputes,
            "/v1/notifications/webhooks",
            "/v1/notifications/webhooks-events?page_size=300",
        ]

    def everything(self) -> dict[str, Any]:
        # The rest of this answer tells the time of day.
        balances = json.loads(self.call("GET", BALANCES)[0][1])["balances"]
        return super().everything() | {"balances": balances}


steps = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from(["", "a", "b"])),
        st.sampled_from([3600.0, 1.5 * DAY, 11.0 * DAY, 40.0 * DAY]),
        st.just("kill"),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_everything_is_as_it_was(steps: list[tuple[int, int, str] | float | str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life("paypal", Path(folder) / "state")
        try:
            traffic = MoreTraffic(life.gateway)
            traffic.sign_in()
            for step in [*steps, "kill"]:
                if isinstance(step, tuple):
                    traffic.act(step[0], step[1], step[2])
                elif isinstance(step, float):
                    life.gateway.mock_clock.advance(step)
                    traffic.sign_in()
                else:
                    before = traffic.everything()
                    life.killed()
                    traffic.gateway = life.born()
                    assert traffic.everything() == before
        finally:
            life.killed()
