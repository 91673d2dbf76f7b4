"""Whatever is sent, PayPal answers with an error of its own, and lives on."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mocks.gateways.paypal.routes import ROUTES
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, moved, order_request, token

JSON = "application/json"

_paths = [
    path.pattern.replace("(?P<id>[^/]+)", "X").removesuffix(r"\Z").replace("\\", "") for _, path, _ in ROUTES
]

keys = st.sampled_from(
    [
        "intent",
        "purchase_units",
        "amount",
        "currency_code",
        "value",
        "payment_source",
        "card",
        "number",
        "expiry",
        "attributes",
        "verification",
        "method",
        "evidences",
        "notes",
        "event_types",
        "url",
        "webhook_event",
        "transmission_id",
        "webhook_ids",
        "refund_amount",
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["EUR", "1.00", "CAPTURE", "4111111111111111", "2035-12", "SCA_ALWAYS"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
bodies = values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
ids = st.sampled_from(["", "a", "z" * 10_001, "\x7f"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    st.sampled_from([*_paths, "/v2/nothing", "/", "//", "/v2/checkout/orders/%00", "/v1/oauth2/token"]),
    bodies,
    st.sampled_from(
        [JSON, JSON, JSON, "text/plain", "multipart/form-data", "multipart/form-data; boundary=b", ""]
    ),
    st.sampled_from(["", "?page_size=9", "?page=-1", "?token=%ff", "?start_time=x&end_time", "?%"]),
    ids,
)
@example("POST", "/v2/checkout/orders", b'{"a":' * 600 + b"1" + b"}" * 600, JSON, "", "deep")
@example("POST", "/v2/checkout/orders", b"[" * 2000, JSON, "", "")
@example("POST", "/v2/checkout/orders", b'{"intent": "\\ud800"}', JSON, "", "surrogate")
@example("POST", "/v2/checkout/orders", b'{"intent": 1e999}', JSON, "", "")
def test_every_answer_is_paypals(
    running: Running, method: str, path: str, body: bytes, content_type: str, query: str, request_id: str
) -> None:
    gateway: Any = running.gateway
    bearer = running.thread.call(lambda: str(gateway.tokens.issue("FUZZ")["access_token"]))
    before = len(running.movements)
    connection = running.connection()
    try:
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": content_type}
        if request_id:
            headers["PayPal-Request-Id"] = request_id
        connection.request(method, path + query, body=body, headers=headers)
        with connection.getresponse() as response:
            data, debug_id = response.read(), response.headers["paypal-debug-id"]
    finally:
        connection.close()
    assert response.status < 500, data
    if response.status >= 400:
        answer = json.loads(data)
        if "error" in answer:
            assert path == "/v1/oauth2/token" and set(answer) == {"error", "error_description"}
        else:
            assert answer["debug_id"] == debug_id and re.fullmatch("[A-Z_]+", answer["name"])
            assert answer["message"] and "links" in answer
    assert len(running.movements) == before


def test_it_still_takes_payments_after_all_that(running: Running, client: Client) -> None:
    client.captured("alive")
    assert moved(running, "alive") == [("capture", 1290)]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_wrong_content_types(running: Running, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    status, _, body = call(running, "POST", "/v2/checkout/orders", order_request(), headers)
    assert (status, body["name"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_without_an_end_leaves_the_others_alone(running: Running, client: Client) -> None:
    head = (
        "POST /v2/checkout/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token(running)}\r\nContent-Length: 1000\r\n\r\n{{"
    )
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
        sending.sendall(head.encode())
        assert client.create("beside").status == "CREATED"
