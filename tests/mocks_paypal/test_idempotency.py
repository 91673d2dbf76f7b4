"""``PayPal-Request-Id``: one id, one payment."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mocks.gateways.paypal.application import PayPal
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, issue, moved, order_request, refused, token

ORDERS = "/v2/checkout/orders"


def test_a_replay_of_a_create_shows_the_order_as_it_is_now(client: Client, running: Running) -> None:
    options = {"body": order_request("create"), "paypal_request_id": "create-1"}
    first = client.orders.create_order(options)
    client.approve(first.body)
    again = client.orders.create_order(options)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.body.id == first.body.id
    assert (first.body.status, again.body.status) == ("CREATED", "APPROVED")
    requests = [r for r in running.requests if r.idempotency_key == "create-1"]
    assert [(r.replayed, r.order_id) for r in requests] == [(False, "create"), (True, "create")]


def test_a_replay_of_a_capture_moves_nothing(client: Client, running: Running) -> None:
    options = {"id": client.approved("capture"), "paypal_request_id": "capture-1"}
    first, again = (client.orders.capture_order(options) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    captures = [answer.body.purchase_units[0].payments.captures for answer in (first, again)]
    assert [len(rows) for rows in captures] == [1, 1] and captures[0][0].id == captures[1][0].id
    assert moved(running, "capture") == [("capture", 1290)]


def test_replays_of_refunds_and_captures_of_an_authorization(client: Client, running: Running) -> None:
    name = client.approved("held", intent="AUTHORIZE")
    order = client.orders.authorize_order({"id": name, "paypal_request_id": "auth-1"}).body
    again = client.orders.authorize_order({"id": name, "paypal_request_id": "auth-1"}).body
    (held,) = order.purchase_units[0].payments.authorizations
    assert again.purchase_units[0].payments.authorizations[0].id == held.id
    body = {"amount": {"currency_code": "EUR", "value": "5.00"}}
    options: dict[str, Any] = {"authorization_id": held.id, "paypal_request_id": "part-1", "body": body}
    parts = [client.payments.capture_authorized_payment(options) for _ in range(2)]
    assert [part.status_code for part in parts] == [201, 201] and parts[0].body.id == parts[1].body.id
    back: dict[str, Any] = {"capture_id": parts[0].body.id, "paypal_request_id": "back-1"}
    refunds = [client.payments.refund_captured_payment(back).body.id for _ in range(2)]
    assert refunds[0] == refunds[1]
    void = {"authorization_id": held.id, "paypal_request_id": "void-1"}
    assert [client.payments.void_payment(void).status_code for _ in range(2)] == [204, 204]
    assert moved(running, "held") == [("capture", 500), ("refund", 500)]


def test_the_same_id_with_another_body_or_resource(client: Client, running: Running) -> None:
    client.create("mine", paypal_request_id="other-1")
    other = {"body": order_request("other", "1.00"), "paypal_request_id": "other-1"}
    error = refused(client.orders.create_order, other)
    assert (error.response_code, error.name) == (400, "DUPLICATE_REQUEST_ID")
    one, two = client.approved("one"), client.approved("two")
    client.orders.capture_order({"id": one, "paypal_request_id": "other-2"})
    capture = client.orders.capture_order
    assert refused(capture, {"id": two, "paypal_request_id": "other-2"}).name == "DUPLICATE_REQUEST_ID"
    assert moved(running, "two") == []


def test_ids_are_kept_per_endpoint(client: Client, running: Running) -> None:
    created = client.create("both", paypal_request_id="both-1")
    client.approve(created)
    paid = client.orders.capture_order({"id": created.id, "paypal_request_id": "both-1"}).body
    assert paid.status == "COMPLETED" and moved(running, "both") == [("capture", 1290)]


def test_an_error_leaves_its_id_free(client: Client, running: Running) -> None:
    created = client.create("free")
    options = {"id": created.id, "paypal_request_id": "free-1"}
    assert issue(client.orders.capture_order, options) == (422, "ORDER_NOT_APPROVED")
    client.approve(created)
    assert client.orders.capture_order(options).body.status == "COMPLETED"
    assert moved(running, "free") == [("capture", 1290)]


def test_a_request_that_failed_with_a_5xx_may_be_sent_again(client: Client, running: Running) -> None:
    options = {"id": client.approved("again"), "paypal_request_id": "again-1"}
    broken = options | {"paypal_mock_response": '{"mock_application_codes": "INTERNAL_SERVER_ERROR"}'}
    error = refused(client.orders.capture_order, broken)
    assert (error.response_code, error.name) == (500, "INTERNAL_SERVER_ERROR")
    assert moved(running, "again") == []
    assert [client.orders.capture_order(options).status_code for _ in range(2)] == [201, 200]
    assert moved(running, "again") == [("capture", 1290)]


def test_a_replay_shows_how_a_pending_capture_ended() -> None:
    with Running("paypal") as running:
        body = order_request("pending", payer={"name": {"given_name": "PENDING-REVIEW"}})
        body["payment_source"] = {"paypal": {"vault_id": "v"}}
        headers = {"PayPal-Request-Id": "pending-1", "Prefer": "return=representation"}

        def status() -> Any:
            answer = call(running, "POST", ORDERS, body, headers)[2]
            return answer["purchase_units"][0]["payments"]["captures"][0]["status"]

        running.gateway.keys.lifetime_s = 7 * 86_400
        assert status() == "PENDING" and moved(running, "pending") == []
        running.thread.call(lambda: running.gateway.mock_clock.advance(86_400 + 1))
        assert status() == "COMPLETED" and moved(running, "pending") == [("capture", 1290)]
        assert [r.replayed for r in running.requests if r.idempotency_key == "pending-1"] == [False, True]


def test_a_declined_capture_is_replayed_declined(client: Client, running: Running) -> None:
    payer = {"name": {"given_name": "CCREJECT-REFUSED"}}
    options = {"id": client.approved("no", payer=payer), "paypal_request_id": "no-1"}
    answers = [client.orders.capture_order(options).body for _ in range(2)]
    assert {row.purchase_units[0].payments.captures[0].status for row in answers} == {"DECLINED"}
    assert [r.result for r in running.requests if r.idempotency_key == "no-1"] == ["declined", "declined"]


def test_ids_are_forgotten_in_time() -> None:
    with Running("paypal") as running:
        gateway = running.gateway
        assert isinstance(gateway, PayPal)

        def wait(seconds: float) -> None:
            running.thread.call(lambda: gateway.mock_clock.advance(seconds))

        source = {"paypal": {"vault_id": "v"}}
        body = order_request("time", payment_source=source)
        headers = {"PayPal-Request-Id": "time-1"}

        def post(path: str) -> Any:
            return call(running, "POST", path, body if path == ORDERS else None, headers)[2]["id"]

        first = post(ORDERS)
        wait(6 * 3600 - 60)
        assert post(ORDERS) == first
        capture = running.movements[0].reference
        refund = post(f"/v2/payments/captures/{capture}/refund")
        wait(60)
        assert post(ORDERS) != first
        wait(44 * 86_400)
        assert post(f"/v2/payments/captures/{capture}/refund") == refund
        assert moved(running, "time") == [("capture", 1290), ("refund", 1290), ("capture", 1290)]
        done = next(iter(gateway._done.values()))
        for number in range(1100):
            gateway._keep(f"orders.create gone-{number}", done)
        assert len(gateway._done) < 1010


def test_a_concurrent_use_is_a_conflict() -> None:
    with Running("paypal", p50_ms=300) as running:
        bearer = token(running)
        body = order_request("slow", payment_source={"paypal": {"vault_id": "v"}})
        headers = {"PayPal-Request-Id": "slow-1"}
        gateway = running.gateway
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(call, running, "POST", "/v2/checkout/orders", body, headers, bearer=bearer)
            running.until(lambda: len(gateway.keys) == 1, "the first request holds its id")
            second = call(running, "POST", "/v2/checkout/orders", body, headers, bearer=bearer)
            assert first.result()[0] == 201
        assert (second[0], second[2]["name"]) == (409, "RESOURCE_CONFLICT")
        assert second[2]["details"][0]["issue"] == "PREVIOUS_REQUEST_IN_PROGRESS"
        assert moved(running, "slow") == [("capture", 1290)]


def test_a_lost_answer_can_be_asked_for_again() -> None:
    with Running("paypal", p50_ms=5) as running:
        client = Client(running)
        try:
            name = client.approved("lost")
            bearer = token(running)
            head = (
                f"POST /v2/checkout/orders/{name}/capture HTTP/1.1\r\nHost: x\r\nPayPal-Request-Id: lost-1\r\n"
                f"Authorization: Bearer {bearer}\r\nContent-Length: 0\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
                sending.sendall(head.encode())
                running.until(lambda: len(running.gateway.ledger) == 1, "the money has moved")
            running.until(lambda: not running.gateway._in_flight, "the request is over")
            again = client.orders.capture_order({"id": name, "paypal_request_id": "lost-1"})
            assert (again.status_code, again.body.status) == (200, "COMPLETED")
            assert moved(running, "lost") == [("capture", 1290)]
        finally:
            client.close()


def test_what_is_lost_before_it_is_executed_leaves_its_id_free() -> None:
    with Running("paypal", p50_ms=60_000) as running:
        gateway = running.gateway
        assert isinstance(gateway, PayPal)
        bearer = running.thread.call(lambda: str(gateway.tokens.issue("T")["access_token"]))
        body = (
            b'{"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "EUR", "value": "1"}}]}'
        )
        head = (
            "POST /v2/checkout/orders HTTP/1.1\r\nHost: x\r\nPayPal-Request-Id: dark-1\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {bearer}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
            sending.sendall(head.encode() + body)
            running.until(lambda: len(gateway.keys) == 1, "the request holds its id")
            running.thread.call(lambda: gateway.go_dark("outage"))
            assert running.thread.call(lambda: len(gateway.keys)) == 0
        (request,) = running.requests
        assert (request.status, request.fault, request.idempotency_key) == (0, "outage", "dark-1")
