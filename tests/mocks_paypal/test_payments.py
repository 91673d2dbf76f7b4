"""Payments through PayPal's own SDK."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mocks.gateways.paypal.triggers import PAYER_NAMES
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, issue, moved, refused


def test_create_approve_capture(client: Client, running: Running) -> None:
    created = client.create("pay")
    assert created.status == "CREATED"
    assert {link.rel: link.method for link in created.links} == {
        "self": "GET",
        "approve": "GET",
        "update": "PATCH",
        "capture": "POST",
    }
    assert client.approve(created).status == 200
    assert client.orders.get_order({"id": created.id}).body.status == "APPROVED"
    assert moved(running, "pay") == []
    answer = client.orders.capture_order({"id": created.id})
    assert answer.status_code == 201
    paid = answer.body
    assert paid.status == "COMPLETED"
    (unit,) = paid.purchase_units
    (capture,) = unit.payments.captures
    assert (capture.status, capture.final_capture, capture.custom_id) == ("COMPLETED", True, "pay")
    assert (capture.amount.currency_code, capture.amount.value) == ("EUR", "12.90")
    (movement,) = (m for m in running.movements if m.order_id == "pay")
    assert (movement.kind, movement.amount_minor, movement.currency) == ("capture", 1290, "EUR")
    assert (movement.gateway, movement.reference) == ("paypal", capture.id)
    results = [(r.endpoint, r.result) for r in running.requests if r.order_id == "pay"]
    assert results == [
        ("orders.create", "processing"),
        ("orders.approve", "processing"),
        ("orders.retrieve", ""),
        ("orders.capture", "succeeded"),
    ]


def test_prefer_decides_how_much_an_answer_holds(client: Client) -> None:
    whole = client.create("prefer", prefer="return=representation")
    assert whole.intent == "CAPTURE" and whole.purchase_units[0].amount.value == "12.90"
    minimal = client.create("prefer", prefer="return=minimal")
    assert not hasattr(minimal, "intent") and not hasattr(minimal, "purchase_units")
    client.approve(minimal)
    paid = client.orders.capture_order({"id": minimal.id, "prefer": "return=representation"}).body
    assert paid.intent == "CAPTURE" and paid.payer.payer_id
    assert paid.payment_source.paypal.account_id == paid.payer.payer_id


def test_a_wallet_needs_an_action_of_its_payer(client: Client, running: Running) -> None:
    context = {
        "return_url": "https://shop.example.test/back?a=1",
        "cancel_url": "https://shop.example.test/no",
    }
    source = {"paypal": {"experience_context": context}}
    created = client.create("wallet", payment_source=source)
    assert created.status == "PAYER_ACTION_REQUIRED"
    assert issue(client.orders.capture_order, {"id": created.id}) == (422, "ORDER_NOT_APPROVED")
    connection = running.connection()
    connection.request("GET", f"/checkoutnow?token={created.id}&cancel=1")
    response = connection.getresponse()
    response.read()
    assert response.headers["location"] == f"https://shop.example.test/no?token={created.id}"
    assert client.orders.get_order({"id": created.id}).body.status == "PAYER_ACTION_REQUIRED"
    response = client.approve(created)
    assert response.status == 302
    back = urlsplit(str(response.headers["location"]))
    query = parse_qs(back.query)
    assert (back.netloc, back.path) == ("shop.example.test", "/back")
    assert query["a"] == ["1"] and query["token"] == [created.id] and len(query["PayerID"][0]) == 13
    assert client.orders.capture_order({"id": created.id}).body.status == "COMPLETED"
    assert moved(running, "wallet") == [("capture", 1290)]


def test_a_vaulted_wallet_is_paid_at_once(client: Client, running: Running) -> None:
    source = {"paypal": {"vault_id": "8kk8451t"}}
    options = {"body": {"intent": "CAPTURE", "purchase_units": [unit("vault")], "payment_source": source}}
    assert issue(client.orders.create_order, options) == (400, "PAYPAL_REQUEST_ID_REQUIRED")
    assert moved(running, "vault") == []
    paid = client.create("vault", payment_source=source, paypal_request_id="vault-1")
    again = client.create("vault", payment_source=source, paypal_request_id="vault-1")
    assert paid.status == again.status == "COMPLETED" and paid.id == again.id
    assert moved(running, "vault") == [("capture", 1290)]


def unit(order: str, **more: Any) -> dict[str, Any]:
    return {"custom_id": order, "amount": {"currency_code": "EUR", "value": "12.90"}, **more}


def test_the_instrument_is_declined(client: Client, running: Running) -> None:
    name = client.approved("declined")
    header = '{"mock_application_codes": "INSTRUMENT_DECLINED"}'
    error = refused(client.orders.capture_order, {"id": name, "paypal_mock_response": header})
    assert (error.response_code, error.name) == (422, "UNPROCESSABLE_ENTITY")
    assert error.details[0].issue == "INSTRUMENT_DECLINED"
    assert [(link.rel, name in link.href) for link in error.links] == [("redirect", True)]
    assert moved(running, "declined") == []
    request = running.requests[-1]
    assert (request.result, request.status, request.order_id) == ("declined", 422, "declined")
    # The payer chooses another instrument.
    assert client.orders.capture_order({"id": name}).body.status == "COMPLETED"
    assert moved(running, "declined") == [("capture", 1290)]


@pytest.mark.parametrize(("given_name", "code"), sorted(PAYER_NAMES.items()))
def test_a_completed_order_may_hold_a_declined_capture(
    client: Client, running: Running, given_name: str, code: str
) -> None:
    source = {"paypal": {"name": {"given_name": given_name, "surname": "Payer"}}}
    name = client.approved(given_name, payment_source=source)
    paid = client.orders.capture_order({"id": name}).body
    (capture,) = paid.purchase_units[0].payments.captures
    assert (paid.status, capture.status) == ("COMPLETED", "DECLINED")
    assert capture.processor_response.response_code == code
    assert moved(running, given_name) == []
    assert running.requests[-1].result == "declined"
    shown = client.payments.get_captured_payment({"capture_id": capture.id}).body
    assert shown.status == "DECLINED"
    refund = client.payments.refund_captured_payment
    assert issue(refund, {"capture_id": capture.id}) == (422, "REFUND_NOT_ALLOWED")
    assert issue(client.orders.capture_order, {"id": name}) == (422, "ORDER_ALREADY_CAPTURED")


def test_the_older_payer_object_triggers_too(client: Client) -> None:
    name = client.approved("payer", payer={"name": {"given_name": "CCREJECT-IF", "surname": "P"}})
    paid = client.orders.capture_order({"id": name}).body
    capture = paid.purchase_units[0].payments.captures[0]
    assert capture.processor_response.response_code == "5120"


def test_an_order_is_paid_once_and_as_it_was_meant(client: Client, running: Running) -> None:
    name = client.approved("once")
    assert issue(client.orders.authorize_order, {"id": name}) == (422, "ACTION_DOES_NOT_MATCH_INTENT")
    client.orders.capture_order({"id": name})
    assert issue(client.orders.capture_order, {"id": name}) == (422, "ORDER_ALREADY_CAPTURED")
    assert moved(running, "once") == [("capture", 1290)]


def test_authorize_and_capture_in_parts(client: Client, running: Running) -> None:
    name = client.approved("held", "100.00", intent="AUTHORIZE")
    order = client.orders.authorize_order({"id": name}).body
    (held,) = order.purchase_units[0].payments.authorizations
    assert (order.status, held.status) == ("COMPLETED", "CREATED")
    assert running.requests[-1].result == "processing" and moved(running, "held") == []
    capture = client.payments.capture_authorized_payment
    options: dict[str, Any] = {"authorization_id": held.id, "prefer": "return=representation"}
    first = capture(options | {"body": {"amount": {"currency_code": "EUR", "value": "30.00"}}}).body
    assert (first.status, first.amount.value, first.final_capture) == ("COMPLETED", "30.00", False)
    shown = client.payments.get_authorized_payment({"authorization_id": held.id}).body
    assert shown.status == "PARTIALLY_CAPTURED"
    too_much = options | {"body": {"amount": {"currency_code": "EUR", "value": "85.01"}}}
    assert issue(capture, too_much) == (422, "MAX_CAPTURE_AMOUNT_EXCEEDED")
    dollars = options | {"body": {"amount": {"currency_code": "USD", "value": "1.00"}}}
    assert issue(capture, dollars) == (422, "AUTH_CAPTURE_CURRENCY_MISMATCH")
    rest = capture(options).body
    assert (rest.amount.value, rest.final_capture) == ("70.00", True)
    assert issue(capture, options) == (422, "AUTHORIZATION_ALREADY_CAPTURED")
    void = client.payments.void_payment
    assert issue(void, {"authorization_id": held.id}) == (422, "PREVIOUSLY_CAPTURED")
    assert moved(running, "held") == [("capture", 3000), ("capture", 7000)]
    shown = client.orders.get_order({"id": name}).body
    assert [row.id for row in shown.purchase_units[0].payments.captures] == [first.id, rest.id]


def test_a_final_capture_closes_an_authorization(client: Client, running: Running) -> None:
    name = client.approved("final", intent="AUTHORIZE")
    held = client.orders.authorize_order({"id": name}).body.purchase_units[0].payments.authorizations[0]
    body = {"amount": {"currency_code": "EUR", "value": "2.90"}, "final_capture": True}
    capture = client.payments.capture_authorized_payment
    client.payments.capture_authorized_payment({"authorization_id": held.id, "body": body})
    assert issue(capture, {"authorization_id": held.id}) == (422, "AUTHORIZATION_ALREADY_CAPTURED")
    assert moved(running, "final") == [("capture", 290)]


def test_an_authorization_expires() -> None:
    with Running("paypal") as running:
        client = Client(running)
        try:
            name = client.approved("late", intent="AUTHORIZE")
            order = client.orders.authorize_order({"id": name}).body
            held = order.purchase_units[0].payments.authorizations[0]
            running.thread.call(lambda: running.gateway.mock_clock.advance(29 * 86_400))
        finally:
            client.close()
        late = Client(running)
        try:
            capture = late.payments.capture_authorized_payment
            assert issue(capture, {"authorization_id": held.id}) == (422, "AUTHORIZATION_EXPIRED")
            assert late.payments.void_payment({"authorization_id": held.id}).status_code == 204
            assert moved(running, "late") == []
        finally:
            late.close()


def test_void(client: Client, running: Running) -> None:
    name = client.approved("void", intent="AUTHORIZE")
    held = client.orders.authorize_order({"id": name}).body.purchase_units[0].payments.authorizations[0]
    answer = client.payments.void_payment({"authorization_id": held.id})
    assert answer.status_code == 204 and answer.body is None
    assert client.orders.get_order({"id": name}).body.status == "VOIDED"
    capture = client.payments.capture_authorized_payment
    assert issue(capture, {"authorization_id": held.id}) == (422, "AUTHORIZATION_VOIDED")
    void = client.payments.void_payment
    assert issue(void, {"authorization_id": held.id}) == (422, "PREVIOUSLY_VOIDED")
    assert moved(running, "void") == []
    name = client.approved("void-2", intent="AUTHORIZE")
    held = client.orders.authorize_order({"id": name}).body.purchase_units[0].payments.authorizations[0]
    answer = client.payments.void_payment({"authorization_id": held.id, "prefer": "return=representation"})
    assert (answer.status_code, answer.body.status) == (200, "VOIDED")


def test_a_denied_authorization(client: Client, running: Running) -> None:
    source = {"paypal": {"name": {"given_name": "CCREJECT-REFUSED"}}}
    name = client.approved("denied", intent="AUTHORIZE", payment_source=source)
    held = client.orders.authorize_order({"id": name}).body.purchase_units[0].payments.authorizations[0]
    assert held.status == "DENIED" and running.requests[-1].result == "declined"
    capture = client.payments.capture_authorized_payment
    assert issue(capture, {"authorization_id": held.id}) == (422, "AUTHORIZATION_DENIED")
    assert moved(running, "denied") == []


def test_refund_in_parts_whole_and_too_much(client: Client, running: Running) -> None:
    capture = client.captured("refund")
    refund = client.payments.refund_captured_payment
    options: dict[str, Any] = {"capture_id": capture.id, "prefer": "return=representation"}

    def part(value: str, currency: str = "EUR") -> dict[str, Any]:
        return options | {"body": {"amount": {"currency_code": currency, "value": value}}}

    first = refund(part("10.00") | {"body": {**part("10.00")["body"], "note_to_payer": "sorry"}}).body
    assert (first.status, first.amount.value, first.note_to_payer) == ("COMPLETED", "10.00", "sorry")
    get = client.payments.get_captured_payment
    assert get({"capture_id": capture.id}).body.status == "PARTIALLY_REFUNDED"
    assert issue(refund, part("2.91")) == (422, "REFUND_AMOUNT_EXCEEDED")
    assert issue(refund, part("1.00", "USD")) == (422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
    assert issue(refund, part("0.00")) == (422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    rest = refund(options).body
    assert rest.amount.value == "2.90"
    assert get({"capture_id": capture.id}).body.status == "REFUNDED"
    assert issue(refund, options) == (422, "CAPTURE_FULLY_REFUNDED")
    assert moved(running, "refund") == [("capture", 1290), ("refund", 1000), ("refund", 290)]
    assert running.movements[-1].parent == capture.id
    shown = client.payments.get_refund({"refund_id": first.id}).body
    assert (shown.id, shown.amount.value, shown.custom_id) == (first.id, "10.00", "refund")


def test_currencies_without_decimals(client: Client, running: Running) -> None:
    for currency, value, minor in (("JPY", "1290", 1290), ("HUF", "500", 50000), ("USD", "5", 500)):
        capture = client.captured(f"in-{currency}", value, currency=currency)
        assert capture.amount.currency_code == currency
        assert capture.amount.value == ("5.00" if currency == "USD" else value)
        assert moved(running, f"in-{currency}") == [("capture", minor)]
    body = {"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "JPY", "value": "12.90"}}]}
    assert issue(client.orders.create_order, {"body": body}) == (422, "DECIMALS_NOT_SUPPORTED")


def test_several_purchase_units(client: Client, running: Running) -> None:
    units = [unit("", reference_id="a"), unit("", reference_id="b")]
    for row in units:
        del row["custom_id"]
    created = client.orders.create_order({"body": {"intent": "CAPTURE", "purchase_units": units}}).body
    client.approve(created)
    paid = client.orders.capture_order({"id": created.id}).body
    assert [row.reference_id for row in paid.purchase_units] == ["a", "b"]
    assert moved(running, "a") == moved(running, "b") == [("capture", 1290)]
    create = client.orders.create_order
    twice = {"intent": "CAPTURE", "purchase_units": [units[0], units[0]]}
    assert issue(create, {"body": twice}) == (422, "DUPLICATE_REFERENCE_ID")
    held = {"intent": "AUTHORIZE", "purchase_units": units}
    assert issue(create, {"body": held}) == (422, "UNSUPPORTED_INTENT")


def test_patch(client: Client, running: Running) -> None:
    created = client.create("before")
    where = "/purchase_units/@reference_id=='default'"
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": f"{where}/amount", "value": {"currency_code": "EUR", "value": "7.00"}},
        {"op": "replace", "path": f"{where}/custom_id", "value": "after"},
        {"op": "add", "path": f"{where}/invoice_id", "value": "INV-1"},
    ]
    assert client.orders.patch_order({"id": created.id, "body": operations}).status_code == 204
    wrong = [operations[0] | {"path": f"{where}/payee"}]
    patch = client.orders.patch_order
    assert issue(patch, {"id": created.id, "body": wrong}) == (400, "FIELD_NOT_PATCHABLE")
    shown = client.orders.get_order({"id": created.id}).body.purchase_units[0]
    assert (shown.amount.value, shown.custom_id, shown.invoice_id) == ("7.00", "after", "INV-1")
    client.approve(created)
    client.orders.capture_order({"id": created.id})
    assert moved(running, "after") == [("capture", 700)] and moved(running, "before") == []
    assert issue(patch, {"id": created.id, "body": operations}) == (422, "ORDER_ALREADY_COMPLETED")


def test_unknown_ids(client: Client) -> None:
    for action, options in (
        (client.orders.get_order, {"id": "NONE"}),
        (client.orders.capture_order, {"id": "NONE"}),
        (client.orders.authorize_order, {"id": "NONE"}),
        (client.payments.get_authorized_payment, {"authorization_id": "NONE"}),
        (client.payments.capture_authorized_payment, {"authorization_id": "NONE"}),
        (client.payments.void_payment, {"authorization_id": "NONE"}),
        (client.payments.get_captured_payment, {"capture_id": "NONE"}),
        (client.payments.refund_captured_payment, {"capture_id": "NONE"}),
        (client.payments.get_refund, {"refund_id": "NONE"}),
    ):
        error = refused(action, options)
        assert (error.response_code, error.name) == (404, "RESOURCE_NOT_FOUND")
        assert error.details[0].issue == "INVALID_RESOURCE_ID"


def test_mock_response_works_on_every_endpoint(client: Client, running: Running) -> None:
    header = '{"mock_application_codes": "%s"}'
    capture = client.captured("negative")
    refund = client.payments.refund_captured_payment
    options = {"capture_id": capture.id}
    busy = options | {"paypal_mock_response": header % "PREVIOUS_REQUEST_IN_PROGRESS"}
    assert issue(refund, busy) == (409, "PREVIOUS_REQUEST_IN_PROGRESS")
    assert running.requests[-1].result == "error"
    poor = options | {"paypal_mock_response": header % "REFUND_FAILED_INSUFFICIENT_FUNDS"}
    assert issue(refund, poor) == (422, "REFUND_FAILED_INSUFFICIENT_FUNDS")
    create: dict[str, Any] = {"body": {"intent": "CAPTURE", "purchase_units": [unit("n")]}}
    lost = create | {"paypal_mock_response": header % "PERMISSION_DENIED"}
    assert issue(client.orders.create_order, lost) == (403, "PERMISSION_DENIED")
    for unknown in ("NOT_A_CODE", "", None):
        value = header % unknown if unknown is not None else "no json"
        assert client.orders.create_order(create | {"paypal_mock_response": value}).status_code == 201
    assert moved(running, "negative") == [("capture", 1290)]
