"""Customers through Stripe's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.mocks.running import Running
from tests.mocks_stripe_methods.sdk import pay, refusal, told


def test_a_customer_from_its_creation_to_its_end(client: stripe.StripeClient, running: Running) -> None:
    customer = client.v1.customers.create(
        {
            "email": "jo@example.test",
            "name": "Jo",
            "metadata": {"a": "1", "b": "2"},
            "address": {"city": "Bremen", "country": "DE"},
        }
    )
    assert (customer.email, customer.name, customer.phone) == ("jo@example.test", "Jo", None)
    assert customer.address is not None and customer.address.city == "Bremen"
    assert customer.address.line1 is None
    changed = client.v1.customers.update(
        customer.id, {"name": "", "phone": "1", "metadata": {"a": "", "c": "3"}}
    )
    assert (changed.email, changed.name, changed.phone) == ("jo@example.test", None, "1")
    assert changed.metadata is not None and changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert client.v1.customers.retrieve(customer.id).phone == "1"
    deleted = client.v1.customers.delete(customer.id)
    assert deleted.deleted is True
    assert client.v1.customers.retrieve(customer.id).deleted is True
    error = refusal(
        lambda: client.v1.customers.update(customer.id, {"name": "X"}), stripe.InvalidRequestError
    )
    assert (error["code"], error["message"]) == ("resource_missing", f"No such customer: '{customer.id}'")
    assert customer.id not in [row.id for row in client.v1.customers.list({"limit": 100}).data]
    events = told(running, customer.id)
    assert [kind for kind, _ in events] == ["customer.created", "customer.updated", "customer.deleted"]
    assert [body["phone"] for _, body in events] == [None, "1", "1"]


def test_customers_are_listed_newest_first_and_by_email(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"email": "list@example.test"}).id for _ in range(5)]
    client.v1.customers.create({"email": "other@example.test"})
    first = client.v1.customers.list({"email": "list@example.test", "limit": 2})
    assert first.has_more and [row.id for row in first.data] == made[:2:-1]
    assert [row.id for row in first.auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "@example.test"}, "email"),
        ({"colour": "red"}, "colour"),
        ({"address": {"planet": "Mars"}}, "address"),
        ({"payment_method": "pm_none"}, "payment_method"),
        ({"invoice_settings": {"default_payment_method": "pm_none"}}, None),
    ],
)
def test_wrong_parameters(client: stripe.StripeClient, parameters: Any, param: str | None) -> None:
    error = refusal(lambda: client.v1.customers.create(parameters), stripe.InvalidRequestError)
    assert error["param"] == (param or "invoice_settings[default_payment_method]")


def test_a_payment_of_no_such_customer(client: stripe.StripeClient, running: Running) -> None:
    error = refusal(
        lambda: pay(client, "nobody", "pm_card_visa", customer="cus_none"), stripe.InvalidRequestError
    )
    assert (error["code"], error["param"]) == ("resource_missing", "customer")
    gone = client.v1.customers.create({})
    client.v1.customers.delete(gone.id)
    refusal(lambda: pay(client, "nobody", "pm_card_visa", customer=gone.id), stripe.InvalidRequestError)
    assert not [m for m in running.movements if m.order_id == "nobody"]


def test_a_customer_takes_its_methods_along(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    updated = client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    assert updated.invoice_settings is not None
    assert updated.invoice_settings.default_payment_method == method.id
    client.v1.customers.delete(customer.id)
    assert client.v1.payment_methods.retrieve(method.id).customer is None
    error = refusal(lambda: pay(client, "gone", method.id), stripe.InvalidRequestError)
    assert "may not be used again" in error["message"]
