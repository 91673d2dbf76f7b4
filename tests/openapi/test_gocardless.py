"""The GoCardless mock's answers, held against the types of GoCardless' own Node SDK: no OpenAPI document of its API
is published.

``pytest -s`` prints which properties were checked; ``properties_checked.json`` has them, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mocks.running import Running
from tests.openapi.distil_gocardless import RESOURCES
from tests.openapi.schema import Facts
from tests.openapi.watched import Watched, unchecked

DEVIATIONS = {
    r"\.fx\.fx_currency: is null": "The reference: present only if currencies are exchanged. They never are here.",
    r"\.account_type: is null": "The reference: accounts in US dollars have one, others must not.",
}

ACCOUNT = {"account_holder_name": "Ada Byron", "country_code": "GB", "branch_code": "200000"}
PERSON = {"given_name": "Ada", "family_name": "Byron", "email": "ada@example.test", "metadata": {"k": "v"}}


@pytest.fixture(scope="module")
def gocardless() -> Iterator[Watched]:
    with Running("gocardless") as running:
        headers = {
            "Content-Type": "application/json",
            "Authorization": "Bearer sandbox_1",
            "GoCardless-Version": "2015-07-06",
        }
        yield Watched(running, [Facts.read("gocardless")], headers, deviations=DEVIATIONS)


def create(gocardless: Watched, kind: str, **attributes: Any) -> str:
    """The id of a new resource, which is then fetched and listed, too."""
    made = gocardless.send("POST", f"/{kind}", {kind: attributes}, status=201)[kind]["id"]
    gocardless.send("GET", f"/{kind}/{made}", status=200)
    return str(made)


def mandate(gocardless: Watched) -> str:
    """A new customer's active mandate."""
    customer = create(gocardless, "customers", **PERSON)
    links = {"customer": customer}
    account = create(gocardless, "customer_bank_accounts", account_number="55779911", links=links, **ACCOUNT)
    made = create(gocardless, "mandates", links={"customer_bank_account": account})
    simulate(gocardless, "mandate_activated", made)
    return made


def pay(gocardless: Watched, agreed: str) -> str:
    links = {"mandate": agreed}
    return create(
        gocardless, "payments", amount=1290, currency="GBP", links=links, metadata={"order_id": "o"}
    )


def simulate(gocardless: Watched, simulator: str, resource: str) -> None:
    connection = gocardless.running.connection()
    body = b'{"data": {"links": {"resource": "%s"}}}' % resource.encode()
    connection.request("POST", f"/scenario_simulators/{simulator}/actions/run", body, gocardless.headers)
    with connection.getresponse() as response:
        assert response.status == 200, response.read()


def test_payments_from_agreement_to_payout(gocardless: Watched) -> None:
    agreed = mandate(gocardless)
    paid = pay(gocardless, agreed)
    simulate(gocardless, "payment_paid_out", paid)
    gocardless.send("GET", f"/payments/{paid}", status=200)
    refund = {"amount": 290, "total_amount_confirmation": 290, "links": {"payment": paid}, "reference": "r"}
    create(gocardless, "refunds", **refund)
    payout = gocardless.send("GET", "/payouts", status=200)["payouts"][0]["id"]
    gocardless.send("GET", f"/payouts/{payout}", status=200)
    gocardless.send("GET", f"/payout_items?payout={payout}", status=200)
    canceled = pay(gocardless, agreed)
    gocardless.send("POST", f"/payments/{canceled}/actions/cancel", {"data": {}}, status=200)
    failed = pay(gocardless, agreed)
    simulate(gocardless, "payment_failed", failed)
    gocardless.send("POST", f"/payments/{failed}/actions/retry", {"data": {}}, status=200)
    for _ in range(4):  # what is taken back has to be there
        simulate(gocardless, "payment_confirmed", pay(gocardless, agreed))
    for simulator in ("payment_late_failure", "payment_charged_back", "payment_chargeback_settled"):
        simulate(gocardless, simulator, pay(gocardless, agreed))
    gocardless.send("POST", f"/mandates/{agreed}/actions/cancel", {"data": {}}, status=200)


def test_lists(gocardless: Watched) -> None:
    payout = gocardless.send("GET", "/payouts", status=200)["payouts"][0]["id"]
    for kind in RESOURCES:
        query = f"?payout={payout}" if kind == "payout_items" else "?limit=100"
        assert gocardless.send("GET", f"/{kind}{query}", status=200)[kind], f"some {kind} are there"


def test_errors(gocardless: Watched) -> None:
    gocardless.send("GET", "/payments/PM0", status=404)
    gocardless.send("GET", "/payments", status=401, authorization="")
    gocardless.send("POST", "/payments", {"payments": {"amount": -1}}, status=422)
    gocardless.send("POST", "/payments", b"{", status=400)
    body = {"customers": PERSON}
    gocardless.send("POST", "/customers", body, status=201, idempotency_key="k")
    gocardless.send("POST", "/customers", body, status=409, idempotency_key="k")


def test_says_which_properties_were_checked(gocardless: Watched) -> None:
    (facts,) = gocardless.facts
    print(f"\n{facts.table()}")
    assert unchecked("gocardless", facts) == {}
    assert set(RESOURCES.values()) <= set(facts.checked)
    assert gocardless.used == set(DEVIATIONS), "every deviation is one that still exists"
