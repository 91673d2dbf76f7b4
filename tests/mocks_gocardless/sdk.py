"""The official GoCardless client against the mock, and the steps that most tests take."""

from __future__ import annotations

import json
from typing import Any

import gocardless_pro  # type: ignore[import-untyped]

from mocks.exchange import Exchange, Request
from mocks.transmission import Transmission
from tests.mocks.running import Running

ACCOUNTS = {
    "GBP": {"country_code": "GB", "branch_code": "200000", "account_number": "55779911"},
    "EUR": {"iban": "DE89370400440532013000"},
}
"""The test accounts that GoCardless publishes."""


def client(running: Running, **options: Any) -> Any:
    """The SDK; it waits for nothing between its attempts."""
    return gocardless_pro.Client(access_token="sandbox_1", base_url=running.url, **options)


def service(running: Running, name: str, **options: Any) -> Any:
    """One service of the SDK, without the pause before it tries again."""
    service = getattr(client(running, **options), name)
    service.retry_delay_in_seconds = 0
    return service


def named(sdk: Any, given_name: str) -> Any:
    """The mandate of a new customer of this name, as it was created."""
    return mandate(sdk, active=False, given_name=given_name)


def mandate(sdk: Any, currency: str = "GBP", *, active: bool = True, given_name: str = "Ada") -> Any:
    """A new customer with an account and a mandate, activated where the scheme has that."""
    person = {"given_name": given_name, "family_name": "Byron", "email": "ada@example.test"}
    customer = sdk.customers.create(params=person)
    account = sdk.customer_bank_accounts.create(
        params={
            "account_holder_name": "Ada Byron",
            **ACCOUNTS[currency],
            "links": {"customer": customer.id},
        }
    )
    made = sdk.mandates.create(params={"links": {"customer_bank_account": account.id}})
    if active and currency == "GBP":
        simulate(sdk, "mandate_activated", made.id)
    return made


def pay(sdk: Any, mandate_id: str, order: str, amount: int = 1290, currency: str = "GBP", **more: Any) -> Any:
    """A payment that belongs to an order."""
    return sdk.payments.create(
        params={
            "amount": amount,
            "currency": currency,
            "links": {"mandate": mandate_id},
            "metadata": {"order_id": order},
        },
        **more,
    )


def refund(sdk: Any, payment: str, amount: int, total: int | None = None) -> Any:
    """A refund of a payment; ``total`` confirms the sum of its refunds, this one included."""
    return sdk.refunds.create(
        params={
            "amount": amount,
            "total_amount_confirmation": amount if total is None else total,
            "links": {"payment": payment},
        }
    )


def simulate(sdk: Any, simulator: str, resource: str) -> None:
    """Have a scenario simulator act on a resource."""
    sdk.scenario_simulators.run(simulator, params={"links": {"resource": resource}})


def moved(running: Running, order: str) -> list[tuple[str, int]]:
    """What truly moved for an order."""
    return [(m.kind, m.amount_minor) for m in running.movements if m.order_id == order]


def events(sdk: Any, **filters: str) -> list[tuple[str, str, str]]:
    """Type, action and cause of events, oldest first."""
    found = [(e.resource_type, e.action, e.details.cause) for e in sdk.events.all(params=filters)]
    return found[::-1]


class Nobody:
    """A connection that sends nothing: the answer is read from the exchange."""

    stopping = False
    scheme = "http"

    def flush(self) -> None:
        """Nothing is sent."""

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Nothing is sent."""

    def reset(self) -> None:
        """Nothing is cut."""


def exchange_of(method: str, target: str, body: object = None, key: str = "") -> Exchange:
    """A request that no socket carries, to be given to a gateway by hand."""
    headers = {
        "authorization": "Bearer sandbox_1",
        "gocardless-version": "2015-07-06",
        "content-type": "application/json",
    }
    if key:
        headers["idempotency-key"] = key
    path, _, query = target.partition("?")
    request = Request(method, path, query, headers, json.dumps(body).encode() if body else b"", 0)
    return Exchange(request, Nobody(), keep_alive=True, old=False)


def raw(
    running: Running, method: str, path: str, body: bytes | None = None, **headers: str | None
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """One call without the SDK; a header that is None is left out (``_`` stands for ``-``)."""
    sent: dict[str, str | None] = {
        "authorization": "Bearer sandbox_1",
        "gocardless-version": "2015-07-06",
        "content-type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    connection = running.connection()
    connection.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
    with connection.getresponse() as response:
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            json.loads(response.read()),
        )
