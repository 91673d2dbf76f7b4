"""The Stripe mock on the wire, where its SDK does not look."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from mocks.gateways.stripe.application import API_VERSION
from tests.mocks.running import Running, stripe_call, stripe_payment


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running("stripe") as running:
        yield running


@pytest.fixture
def connection(running: Running) -> HTTPConnection:
    return running.connection()


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer sk_test_abc", 200),
        ("bearer sk_test_abc", 200),
        (basic("sk_test_abc"), 200),
        ("", 401),
        ("Bearer", 401),
        ("Digest sk_test_abc", 401),
        ("Basic %%%", 401),
        ("Bearer sk_live_abcdef", 401),
        (basic("sk_live_abcdef"), 401),
        ("Bearer rk_live_abcdef", 401),
        ("Bearer pk_test_abcdef", 401),
    ],
)
def test_authentication(connection: HTTPConnection, authorization: str, status: int) -> None:
    headers = {"Authorization": authorization}
    answer = stripe_call(connection, "GET", "/v1/payment_intents", headers=headers)
    assert answer[0] == status
    assert "abcdef" not in str(answer)
    if status == 401:
        assert answer[2]["error"]["type"] == "invalid_request_error"


def test_a_request_without_a_key_moves_nothing(connection: HTTPConnection, running: Running) -> None:
    headers = {"Authorization": "Bearer sk_live_abcdef"}
    answer = stripe_call(
        connection, "POST", "/v1/payment_intents", stripe_payment("live"), key="live", headers=headers
    )
    assert answer[0] == 401
    assert not [m for m in running.movements if m.order_id == "live"]
    assert (
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("live"), key="live")[0] == 200
    )


def test_headers(connection: HTTPConnection) -> None:
    answers = [
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("h"), key="key-h")
        for _ in range(2)
    ]
    ids = {headers["request-id"] for _, headers, _ in answers}
    assert len(ids) == 2 and all(name.startswith("req_") for name in ids)
    assert [headers["idempotency-key"] for _, headers, _ in answers] == ["key-h", "key-h"]
    assert [headers.get("idempotent-replayed") for _, headers, _ in answers] == [None, "true"]
    assert {headers["stripe-version"] for _, headers, _ in answers} == {API_VERSION}
    version = {"Stripe-Version": "2020-08-27"}
    _, headers, _ = stripe_call(connection, "GET", "/v1/payment_intents", headers=version, key="ignored")
    assert headers["stripe-version"] == "2020-08-27" and "idempotency-key" not in headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/x/y"),
        ("GET", "/"),
    ],
)
def test_unknown_paths(connection: HTTPConnection, running: Running, method: str, path: str) -> None:
    status, _, body = stripe_call(connection, method, path)
    assert status == 404 and "Unrecognized request URL" in body["error"]["message"]
    assert (running.requests[-1].endpoint, running.requests[-1].result) == ("", "error")


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"metadata": "x"}, "metadata"),
        ({"metadata[" + "n" * 41 + "]": "x"}, "metadata"),
        ({"metadata[n]": "x" * 501}, "metadata"),
        ({"metadata[n][m]": "x"}, "metadata"),
        ({"capture_method": "later"}, "capture_method"),
        ({"amount[a]": "1"}, "amount"),
        ({"confirm": "yes"}, "confirm"),
        ({"payment_method_data": "card"}, "payment_method_data[type]"),
        ({"payment_method_data[type]": "klarna"}, "payment_method_data[type]"),
        ({"payment_method_data[type]": "card"}, "payment_method_data[card]"),
        ({"payment_method_data[type]": "card", "payment_method_data[card][exp_month]": "1"}, "number"),
        ({"expand": "latest_charge"}, "expand"),
    ],
)
def test_wrong_parameters(connection: HTTPConnection, parameters: dict[str, object], param: str) -> None:
    sent: dict[str, object] = {"amount": 1000, "currency": "eur"}
    if any(name.startswith("amount[") for name in parameters):
        del sent["amount"]
    status, _, body = stripe_call(connection, "POST", "/v1/payment_intents", sent | parameters)
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert body["error"]["param"] == param


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("exp_month", "13", "invalid_expiry_month"), ("exp_year", "-1", "invalid_expiry_year")],
)
def test_wrong_expiry(connection: HTTPConnection, field: str, value: str, code: str) -> None:
    card = {"number": "4242424242424242", "exp_month": "1", "exp_year": "2034"} | {field: value}
    parameters: dict[str, object] = {"amount": 1000, "currency": "eur", "payment_method_data[type]": "card"}
    parameters |= {f"payment_method_data[card][{name}]": text for name, text in card.items()}
    status, _, body = stripe_call(connection, "POST", "/v1/payment_intents", parameters)
    assert (status, body["error"]["code"]) == (402, code)


def test_a_form_that_cannot_be_read_is_a_400(connection: HTTPConnection) -> None:
    connection.request(
        "POST", "/v1/payment_intents", body=b"a[=1", headers={"Authorization": "Bearer sk_test_1"}
    )
    response = connection.getresponse()
    assert response.status == 400 and b"cannot be read" in response.read()


def test_a_key_that_is_too_long(connection: HTTPConnection) -> None:
    status, _, body = stripe_call(
        connection, "POST", "/v1/payment_intents", stripe_payment("long"), key="k" * 256
    )
    assert status == 400 and "255" in body["error"]["message"]


def test_metadata_may_have_numbers_for_names(connection: HTTPConnection) -> None:
    parameters = stripe_payment("numbers") | {"metadata[7]": "seven"}
    _, _, body = stripe_call(connection, "POST", "/v1/payment_intents", parameters)
    assert body["metadata"] == {"order_id": "numbers", "7": "seven"}


def test_an_intent_created_without_a_card_names_no_order_twice(
    connection: HTTPConnection, running: Running
) -> None:
    parameters: dict[str, object] = {"amount": 1000, "currency": "eur", "metadata[order_id]": "later"}
    _, _, made = stripe_call(connection, "POST", "/v1/payment_intents", parameters)
    assert (running.requests[-1].result, running.requests[-1].order_id) == ("processing", "later")
    path = f"/v1/payment_intents/{made['id']}/confirm"
    stripe_call(connection, "POST", path, {"payment_method": "pm_card_visa"})
    request = running.requests[-1]
    assert (request.endpoint, request.result, request.order_id) == (
        "payment_intents.confirm",
        "succeeded",
        "later",
    )
