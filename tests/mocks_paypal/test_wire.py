"""The PayPal mock without its SDK: what the SDK can't send."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks.gateways import GATEWAYS
from mocks.gateways.paypal.application import PayPal
from mocks.gateways.paypal.errors import ISSUES, NAMES
from mocks.gateways.paypal.order import order_request as read_order
from mocks.gateways.paypal.tokens import LIFETIME, Tokens
from mocks.mock_clock import MockClock
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, moved, order_request, token

ORDERS = "/v2/checkout/orders"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_token(running: Running) -> None:
    basic = FORM | {"Authorization": "Basic Y2xpZW50OnNlY3JldA=="}
    grant = b"grant_type=client_credentials"
    status, headers, body = call(running, "POST", "/v1/oauth2/token", grant, basic, bearer="")
    assert status == 200 and "paypal-debug-id" in headers
    assert (body["token_type"], body["expires_in"]) == ("Bearer", LIFETIME)
    for authorization in ("", "Basic", "Basic %%%", "Basic Y2xpZW50", "Basic Y2xpZW50Og==", "Bearer x"):
        wrong = FORM | {"Authorization": authorization}
        status, _, body = call(running, "POST", "/v1/oauth2/token", grant, wrong, bearer="")
        assert (status, body["error"]) == (401, "invalid_client")
    for form in (b"", b"grant_type=password", b"\xff=\xff"):
        status, _, body = call(running, "POST", "/v1/oauth2/token", form, basic, bearer="")
        assert (status, body["error"]) == (400, "unsupported_grant_type")


def test_a_token_expires_and_the_sdk_gets_a_new_one() -> None:
    with Running("paypal") as running:
        gateway = running.gateway
        assert isinstance(gateway, PayPal)
        old = token(running)
        assert call(running, "GET", f"{ORDERS}/X", bearer=old)[0] == 404
        running.thread.call(lambda: gateway.mock_clock.advance(LIFETIME))
        assert call(running, "GET", f"{ORDERS}/X", bearer=old)[0] == 401
        client = Client(running)
        try:
            assert client.create("again").status == "CREATED"
        finally:
            client.close()


def test_tokens() -> None:
    clock = MockClock(lambda: 0.0)
    tokens = Tokens(clock)
    tokens.lifetime = 2
    assert tokens.issue("a")["expires_in"] == 2
    assert not tokens.good("") and not tokens.good("b")
    clock.advance(1.999)
    assert tokens.good("a")
    clock.advance(0.001)
    assert not tokens.good("a")
    for number in range(3000):
        tokens.issue(f"t{number}")
        clock.advance(1)
    assert tokens.good("t2999") and len(tokens._ends) <= 1001


@pytest.mark.parametrize("bearer", ["", "none", "sk_live_x"])
def test_without_a_token(running: Running, bearer: str) -> None:
    for method, path in (("POST", ORDERS), ("GET", f"{ORDERS}/X"), ("GET", "/v2/nothing")):
        body = order_request("no") if method == "POST" else None
        status, headers, answer = call(running, method, path, body, bearer=bearer)
        assert (status, answer["name"]) == (401, "AUTHENTICATION_FAILURE")
        assert answer["debug_id"] == headers["paypal-debug-id"]
        assert "sk_live_x" not in str(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/nothing"), ("DELETE", f"{ORDERS}/X"), ("GET", ORDERS), ("POST", f"{ORDERS}/X/capture/y")],
)
def test_unknown_paths(running: Running, method: str, path: str) -> None:
    status, _, body = call(running, method, path)
    assert (status, body["name"]) == (404, "RESOURCE_NOT_FOUND")
    assert (running.requests[-1].endpoint, running.requests[-1].result) == ("", "error")


def test_a_payer_without_an_order(running: Running) -> None:
    for path in ("/checkoutnow", "/checkoutnow?token=NONE", "/checkoutnow?token=%ff%00&token=2"):
        assert call(running, "GET", path, bearer="")[0] == 404


@pytest.mark.parametrize("data", [b"{", b"[", b"\xff", b"1", b'"x"', b"null", b"{} {}", b"{'a': 1}"])
def test_bad_json(running: Running, data: bytes) -> None:
    status, _, body = call(running, "POST", ORDERS, data)
    assert (status, body["details"][0]["issue"]) == (400, "MALFORMED_REQUEST_JSON")


def test_another_content_type(running: Running) -> None:
    status, _, body = call(running, "POST", ORDERS, b"intent=CAPTURE", FORM)
    assert (status, body["name"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    utf8 = {"Content-Type": "application/json; charset=utf-8"}
    assert call(running, "POST", ORDERS, order_request(), utf8)[0] == 201


AMOUNT = {"currency_code": "EUR", "value": "12.90"}


@pytest.mark.parametrize(
    ("change", "status", "issue", "field"),
    [
        ({"intent": None}, 400, "MISSING_REQUIRED_PARAMETER", "/intent"),
        ({"intent": "SALE"}, 400, "INVALID_PARAMETER_VALUE", "/intent"),
        ({"intent": 1}, 400, "INVALID_PARAMETER_SYNTAX", "/intent"),
        ({"purchase_units": None}, 400, "MISSING_REQUIRED_PARAMETER", "/purchase_units"),
        ({"purchase_units": {}}, 400, "INVALID_PARAMETER_SYNTAX", "/purchase_units"),
        ({"purchase_units": []}, 400, "INVALID_ARRAY_MIN_ITEMS", "/purchase_units"),
        ({"purchase_units": [{}] * 11}, 400, "INVALID_ARRAY_MAX_ITEMS", "/purchase_units"),
        ({"purchase_units": [1]}, 400, "INVALID_PARAMETER_SYNTAX", "/purchase_units/0"),
        ({"purchase_units": [{}]}, 400, "MISSING_REQUIRED_PARAMETER", "/purchase_units/0/amount"),
        (
            {"purchase_units": [{"amount": AMOUNT, "custom_id": "c" * 128}]},
            400,
            "INVALID_STRING_LENGTH",
            "/purchase_units/0/custom_id",
        ),
        ({"purchase_units": [{"amount": AMOUNT}] * 2}, 422, "REFERENCE_ID_REQUIRED", "/purchase_units"),
        (
            {
                "purchase_units": [
                    {"reference_id": "a", "amount": AMOUNT},
                    {"reference_id": "b", "amount": AMOUNT | {"currency_code": "USD"}},
                ]
            },
            422,
            "MULTI_CURRENCY_ORDER",
            "/purchase_units",
        ),
        (
            {
                "purchase_units": [
                    {"amount": AMOUNT | {"breakdown": {"item_total": AMOUNT, "shipping": AMOUNT}}}
                ]
            },
            422,
            "AMOUNT_MISMATCH",
            "/purchase_units/0/amount/value",
        ),
        ({"payment_source": {"ideal": {}}}, 400, "NOT_SUPPORTED", "/payment_source"),
        ({"payment_source": {"paypal": 1}}, 400, "INVALID_PARAMETER_SYNTAX", "/payment_source/paypal"),
        (
            {"application_context": {"return_url": "https://x/\r\nSet-Cookie: a"}},
            400,
            "INVALID_PARAMETER_SYNTAX",
            "/application_context/return_url",
        ),
    ],
)
def test_wrong_orders(running: Running, change: dict[str, Any], status: int, issue: str, field: str) -> None:
    answer = call(running, "POST", ORDERS, order_request("wrong") | change)
    assert answer[0] == status
    assert answer[2]["name"] == NAMES[status][0]
    (detail,) = answer[2]["details"]
    assert (detail["issue"], detail["field"]) == (issue, field)


def test_a_breakdown_that_adds_up(running: Running) -> None:
    parts = {"item_total": "12.00", "tax_total": "2.00", "shipping_discount": "1.10", "handling": "0"}
    breakdown = {name: {"currency_code": "EUR", "value": value} for name, value in parts.items()}
    units = [{"amount": AMOUNT | {"breakdown": breakdown}}]
    headers = {"Prefer": "return=representation"}
    status, _, body = call(running, "POST", ORDERS, order_request() | {"purchase_units": units}, headers)
    assert status == 201
    assert body["purchase_units"][0]["amount"]["breakdown"] == breakdown


@pytest.mark.parametrize("name", ["custom_id", "reference_id", "invoice_id"])
def test_what_the_journal_calls_an_order(running: Running, name: str) -> None:
    ids = ["custom_id", "reference_id", "invoice_id"]
    unit: dict[str, Any] = {"amount": AMOUNT} | {row: f"{name}-{row}" for row in ids[ids.index(name) :]}
    body = {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": {"paypal": {"vault_id": "v"}}}
    assert call(running, "POST", ORDERS, body, {"PayPal-Request-Id": name})[0] == 201
    assert moved(running, f"{name}-{name}") == [("capture", 1290)]
    assert running.requests[-1].order_id == f"{name}-{name}"


def test_a_half_sent_request_moves_nothing(running: Running) -> None:
    before = len(running.movements)
    head = f"POST {ORDERS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + '{"intent"'
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
        sending.sendall(head.encode())
        sending.shutdown(socket.SHUT_WR)
        sending.recv(1000)
    assert len(running.movements) == before
    assert call(running, "POST", ORDERS, order_request())[0] == 201


def test_a_request_without_a_host(running: Running) -> None:
    head = f"GET {ORDERS}/X HTTP/1.0\r\nAuthorization: Bearer {token(running)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
        sending.sendall(head.encode())
        assert sending.recv(1000).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_errors_of_its_own_making(running: Running, status: int) -> None:
    reply = running.thread.call(lambda: running.gateway.error(status))
    body = json.loads(reply.body)
    assert reply.status == status and body["message"]
    assert reply.headers == (("Paypal-Debug-Id", body["debug_id"]),)
    assert json.loads(GATEWAYS["paypal"].error_body(status))["name"] == body["name"]


def test_the_tables_agree() -> None:
    assert {status for status, _ in ISSUES.values()} <= set(NAMES)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["EUR", "1.00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "intent",
                    "purchase_units",
                    "amount",
                    "currency_code",
                    "value",
                    "paypal",
                    "name",
                    "op",
                    "path",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything, st.sampled_from(["create", "patch", "capture", "refund"]), st.text(max_size=5))
def test_no_body_is_more_than_a_client_error(running: Running, body: Any, what: str, text: str) -> None:
    gateway = running.gateway
    assert isinstance(gateway, PayPal)
    bearer = running.thread.call(lambda: str(gateway.tokens.issue("FUZZ")["access_token"]))
    order = running.thread.call(lambda: _order(gateway))
    method, path = {
        "create": ("POST", ORDERS),
        "patch": ("PATCH", f"{ORDERS}/{order}"),
        "capture": ("POST", f"/v2/payments/authorizations/{order}/capture"),
        "refund": ("POST", f"/v2/payments/captures/{order}/refund"),
    }[what]
    headers = {"PayPal-Mock-Response": json.dumps({"mock_application_codes": text})}
    connection = running.connection()
    try:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}", **headers}
        connection.request(method, path, body=json.dumps(body), headers=sent)
        with connection.getresponse() as response:
            data = response.read()
            assert response.status in (201, 204, 400, 404, 422), data
    finally:
        connection.close()


def _order(gateway: PayPal) -> str:
    return gateway.orders.create(read_order(order_request("fuzz"), "2026-01"), 0).id
