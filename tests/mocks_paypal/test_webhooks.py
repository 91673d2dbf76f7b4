"""Webhooks: what is told, how it is signed, registered, listed and delivered again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from mocks.gateways.paypal.events import TYPES
from mocks.gateways.paypal.signing import WEBHOOK_ID
from mocks.webhooks import Event
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, issue, order_request
from tests.mocks_paypal.receiver import Receiver, advance, delivered, verify

HOOKS = "/v1/notifications/webhooks"
VERIFY = "/v1/notifications/verify-webhook-signature"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def told(receiver: Receiver) -> Iterator[Running]:
    """A mock that delivers everything to the receiver."""
    with Running("paypal", webhooks={"urls": [receiver.url]}) as running:
        yield running


@pytest.fixture
def seller(told: Running) -> Iterator[Client]:
    client = Client(told)
    try:
        yield client
    finally:
        client.close()


def register(running: Running, url: str, *types: str) -> Any:
    body = {"url": url, "event_types": [{"name": name} for name in types]}
    status, _, answer = call(running, "POST", HOOKS, body)
    assert status == 201
    return answer


def test_a_payment_and_its_refund_are_told_and_signed(
    told: Running, seller: Client, receiver: Receiver
) -> None:
    capture = seller.captured("told")
    body = {"amount": {"currency_code": "EUR", "value": "2.90"}}
    refund = seller.payments.refund_captured_payment({"capture_id": capture.id, "body": body}).body
    delivered(told)
    by_kind = {event["event_type"]: event for event in receiver.events}
    assert set(by_kind) == {
        "CHECKOUT.ORDER.APPROVED",
        "CHECKOUT.ORDER.COMPLETED",
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.REFUNDED",
    }
    for headers, data in receiver.got:
        verify(headers, data, WEBHOOK_ID)
        with pytest.raises(InvalidSignature):
            verify(headers, data + b" ", WEBHOOK_ID)
        with pytest.raises(InvalidSignature):
            verify(headers, data, "OTHER")
    assert len({headers["paypal-transmission-id"] for headers, _ in receiver.got}) == 4
    taken = by_kind["PAYMENT.CAPTURE.COMPLETED"]
    assert (taken["resource_type"], taken["resource_version"]) == ("capture", "2.0")
    assert taken["resource"]["id"] == capture.id and taken["resource"]["custom_id"] == "told"
    assert taken["summary"] == "12.90 EUR was captured"
    given = by_kind["PAYMENT.CAPTURE.REFUNDED"]["resource"]
    assert (given["id"], given["amount"]["value"]) == (refund.id, "2.90")
    assert [link["href"].rsplit("/", 1)[1] for link in given["links"] if link["rel"] == "up"] == [capture.id]


def test_an_event_tells_of_the_moment_however_late_it_is_read(running: Running, client: Client) -> None:
    name = client.approved("late", "5.00")
    where = "/purchase_units/@reference_id=='default'/amount"
    change = {"op": "replace", "path": where, "value": {"currency_code": "EUR", "value": "7.00"}}
    client.orders.patch_order({"id": name, "body": [change]})
    client.orders.capture_order({"id": name})
    capture = running.movements[-1].reference
    client.payments.refund_captured_payment({"capture_id": capture})
    events = {event.kind: json.loads(event.payload()) for event in list(running.gateway.outbox)[-4:]}
    approved = events["CHECKOUT.ORDER.APPROVED"]["resource"]
    assert (approved["id"], approved["status"]) == (name, "APPROVED")
    assert approved["purchase_units"][0]["amount"]["value"] == "5.00"
    assert "payments" not in approved["purchase_units"][0]
    completed = events["CHECKOUT.ORDER.COMPLETED"]["resource"]["purchase_units"][0]
    assert completed["amount"]["value"] == "7.00"
    assert [row["status"] for row in completed["payments"]["captures"]] == ["COMPLETED"]
    assert events["PAYMENT.CAPTURE.COMPLETED"]["resource"]["status"] == "COMPLETED"
    assert client.payments.get_captured_payment({"capture_id": capture}).body.status == "REFUNDED"


def test_authorizations_are_told(told: Running, seller: Client, receiver: Receiver) -> None:
    name = seller.approved("held", intent="AUTHORIZE")
    held = seller.orders.authorize_order({"id": name}).body.purchase_units[0].payments.authorizations[0]
    seller.payments.void_payment({"authorization_id": held.id})
    denied = seller.approved(
        "no", intent="AUTHORIZE", payment_source={"paypal": {"name": {"given_name": "CCREJECT-REFUSED"}}}
    )
    seller.orders.authorize_order({"id": denied})
    delivered(told)
    kinds = [kind for kind in receiver.kinds if kind.startswith("PAYMENT.")]
    assert sorted(kinds) == ["PAYMENT.AUTHORIZATION.CREATED", "PAYMENT.AUTHORIZATION.VOIDED"]
    states = {event["event_type"]: event["resource"]["status"] for event in receiver.events}
    assert states["PAYMENT.AUTHORIZATION.CREATED"] == "CREATED"
    assert states["PAYMENT.AUTHORIZATION.VOIDED"] == "VOIDED"


def test_a_decline_is_told(told: Running, seller: Client, receiver: Receiver) -> None:
    capture = seller.captured("no", payer={"name": {"given_name": "CCREJECT-IF"}})
    delivered(told)
    (event,) = [event for event in receiver.events if event["event_type"] == "PAYMENT.CAPTURE.DECLINED"]
    resource = event["resource"]
    assert (resource["id"], resource["status"]) == (capture.id, "DECLINED")
    assert resource["processor_response"]["response_code"] == "5120"
    assert "PAYMENT.CAPTURE.COMPLETED" not in receiver.kinds


@pytest.mark.parametrize("accepted", [True, False])
def test_a_pending_capture_ends_by_an_event(
    told: Running, seller: Client, receiver: Receiver, accepted: bool
) -> None:
    payer = "PENDING-ECHECK" if accepted else "PENDING-REVIEW-DENIED"
    capture = seller.captured("wait", payer={"name": {"given_name": payer}})
    assert (capture.status, capture.status_details.reason) == (
        "PENDING",
        "ECHECK" if accepted else "PENDING_REVIEW",
    )
    assert told.movements == [] and told.requests[-1].result == "processing"
    refund = seller.payments.refund_captured_payment
    assert issue(refund, {"capture_id": capture.id}) == (422, "PENDING_CAPTURE")
    advance(told, 24 * 3600 - 60)
    assert told.movements == []
    advance(told, 120)
    delivered(told)
    last = receiver.events[-1]
    end = "COMPLETED" if accepted else "DENIED"
    assert receiver.kinds.count("PAYMENT.CAPTURE.PENDING") == 1
    assert last["event_type"] == f"PAYMENT.CAPTURE.{end}" and last["resource"]["id"] == capture.id
    assert [(m.kind, m.amount_minor) for m in told.movements] == ([("capture", 1290)] if accepted else [])
    shown = Client(told)
    try:
        after = shown.payments.get_captured_payment({"capture_id": capture.id}).body
        assert after.status == ("COMPLETED" if accepted else "DECLINED")
        assert hasattr(after, "seller_receivable_breakdown") == accepted
    finally:
        shown.close()


def test_a_registered_url_gets_what_it_asked_for_under_its_own_id(
    running: Running, client: Client, receiver: Receiver
) -> None:
    chosen = register(running, receiver.url, "PAYMENT.CAPTURE.COMPLETED")
    other = register(running, receiver.url + "/all", "*")
    try:
        client.captured("registered")
        delivered(running)
        assert sorted(receiver.kinds) == [
            "CHECKOUT.ORDER.APPROVED",
            "CHECKOUT.ORDER.COMPLETED",
            "PAYMENT.CAPTURE.COMPLETED",
            "PAYMENT.CAPTURE.COMPLETED",
        ]
        good = {chosen["id"]: 0, other["id"]: 0}
        for headers, data in receiver.got:
            for name in good:
                try:
                    verify(headers, data, name)
                except InvalidSignature:
                    continue
                good[name] += 1
        assert good == {chosen["id"]: 1, other["id"]: 3}
        listed = call(running, "GET", HOOKS)[2]["webhooks"]
        assert [row["id"] for row in listed] == [chosen["id"], other["id"]]
        assert call(running, "GET", f"{HOOKS}/{chosen['id']}")[2]["event_types"] == chosen["event_types"]
        again = call(running, "POST", HOOKS, {"url": receiver.url, "event_types": [{"name": "*"}]})
        assert (again[0], again[2]["details"][0]["issue"]) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
    finally:
        for row in (chosen, other):
            assert call(running, "DELETE", f"{HOOKS}/{row['id']}")[0] == 204
    before = len(receiver.got)
    client.captured("after")
    delivered(running)
    assert len(receiver.got) == before and call(running, "DELETE", f"{HOOKS}/{other['id']}")[0] == 404


def test_a_registered_url_is_changed(running: Running, client: Client, receiver: Receiver) -> None:
    row = register(running, receiver.url + "/old", "*")
    path = f"{HOOKS}/{row['id']}"
    try:
        changes: list[dict[str, Any]] = [
            {"op": "replace", "path": "/url", "value": receiver.url},
            {"op": "replace", "path": "/event_types", "value": [{"name": "PAYMENT.CAPTURE.REFUNDED"}]},
        ]
        status, _, changed = call(running, "PATCH", path, changes)
        assert (status, changed["id"], changed["url"]) == (200, row["id"], receiver.url)
        capture = client.captured("changed")
        client.payments.refund_captured_payment({"capture_id": capture.id})
        delivered(running)
        assert receiver.kinds == ["PAYMENT.CAPTURE.REFUNDED"]
        verify(*receiver.got[0], row["id"])
        wrongs: list[object] = [
            {},
            [1],
            [{"op": "remove", "path": "/url"}],
            [changes[0] | {"path": "/id"}],
            [changes[0] | {"value": "http://example.test/"}],
        ]
        for wrong in wrongs:
            assert call(running, "PATCH", path, wrong)[0] == 400
        assert call(running, "GET", path)[2] == changed
    finally:
        assert call(running, "DELETE", path)[0] == 204
    assert call(running, "PATCH", path, changes)[0] == 404


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"url": "http://example.test/x", "event_types": [{"name": "*"}]}, "NOT_A_LOOPBACK_URL"),
        ({"url": "https://127.0.0.1:1/x", "event_types": [{"name": "*"}]}, "NOT_A_LOOPBACK_URL"),
        ({"url": "http://127.0.0.1:x/", "event_types": [{"name": "*"}]}, "NOT_A_LOOPBACK_URL"),
        ({"url": "http://127.0.0.1:1/", "event_types": [{"name": "NO.SUCH"}]}, "INVALID_PARAMETER_VALUE"),
        ({"url": "http://127.0.0.1:1/", "event_types": []}, "INVALID_ARRAY_MIN_ITEMS"),
        ({"url": "http://127.0.0.1:1/", "event_types": ["*"]}, "INVALID_PARAMETER_SYNTAX"),
        ({"url": "http://127.0.0.1:1/"}, "MISSING_REQUIRED_PARAMETER"),
        ({"event_types": [{"name": "*"}]}, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_urls_that_are_not_registered(running: Running, body: dict[str, Any], what: str) -> None:
    status, _, answer = call(running, "POST", HOOKS, body)
    assert (status, answer["details"][0]["issue"]) == (400, what)
    assert call(running, "GET", HOOKS)[2]["webhooks"] == []


def test_paypal_checks_a_signature(told: Running, seller: Client, receiver: Receiver) -> None:
    seller.captured("müller")
    delivered(told)
    for headers, data in receiver.got:
        asked = {
            "transmission_id": headers["paypal-transmission-id"],
            "transmission_time": headers["paypal-transmission-time"],
            "cert_url": headers["paypal-cert-url"],
            "auth_algo": headers["paypal-auth-algo"],
            "transmission_sig": headers["paypal-transmission-sig"],
            "webhook_id": WEBHOOK_ID,
            "webhook_event": json.loads(data),
        }
        answer = call(told, "POST", VERIFY, asked)
        assert (answer[0], answer[2]) == (200, {"verification_status": "SUCCESS"})
        changes: list[dict[str, Any]] = [
            {"webhook_id": "OTHER"},
            {"transmission_id": "1"},
            {"transmission_time": "2026-01-01T00:00:00Z"},
            {"transmission_sig": "bm9uZQ=="},
            {"transmission_sig": "%"},
            {"cert_url": "https://api.example.test/cert"},
            {"auth_algo": "SHA1withRSA"},
            {"webhook_event": json.loads(data) | {"summary": "other"}},
        ]
        for change in changes:
            assert call(told, "POST", VERIFY, asked | change)[2] == {"verification_status": "FAILURE"}
    missing = call(told, "POST", VERIFY, {name: asked[name] for name in asked if name != "auth_algo"})
    assert (missing[0], missing[2]["details"][0]["issue"]) == (400, "MISSING_REQUIRED_PARAMETER")


def test_events_are_listed_in_pages_and_sent_again(told: Running, seller: Client, receiver: Receiver) -> None:
    captures = [seller.captured(f"list-{number}").id for number in range(3)]
    delivered(told)
    path = "/v1/notifications/webhooks-events"
    listed: list[Any] = []
    href = f"{path}?page_size=4"
    while href:
        page = call(told, "GET", href)[2]
        assert page["count"] == len(page["events"]) <= 4
        listed += page["events"]
        href = next(
            (link["href"].removeprefix(told.url) for link in page["links"] if link["rel"] == "next"), ""
        )
    by_id = {event["id"]: event for event in receiver.events}
    assert len(listed) == len(by_id) == 9 and {event["id"]: event for event in listed} == by_id
    assert listed[0]["event_type"] == "CHECKOUT.ORDER.COMPLETED", "the newest comes first"
    of_one = call(told, "GET", f"{path}?transaction_id={captures[1]}")[2]["events"]
    assert [event["event_type"] for event in of_one] == ["PAYMENT.CAPTURE.COMPLETED"]
    approved = call(told, "GET", f"{path}?event_type=CHECKOUT.ORDER.APPROVED&start_time=2020-01-01T00:00:00Z")
    assert len(approved[2]["events"]) == 3
    assert call(told, "GET", f"{path}?end_time=2020-01-01T00:00:00Z")[2]["events"] == []
    name = of_one[0]["id"]
    assert call(told, "GET", f"{path}/{name}")[2] == of_one[0]
    status, _, sent = call(told, "POST", f"{path}/{name}/resend", {})
    assert (status, sent) == (202, of_one[0])
    delivered(told)
    assert [event["id"] for event in receiver.events].count(name) == 2
    for wrong in (f"{path}/NONE", f"{path}?start_id=NONE"):
        assert call(told, "GET", wrong)[0] == 404
    for wrong in ("page_size=0", "page_size=x", "start_time=today", "start_time=2020-01-01T00:00:00"):
        assert call(told, "GET", f"{path}?{wrong}")[0] == 400


def test_delivery_is_tried_25_times_more_over_three_days(
    told: Running, seller: Client, receiver: Receiver
) -> None:
    receiver.status = 500
    seller.create("again", payment_source={"paypal": {"vault_id": "v"}}, paypal_request_id="again")
    delivered(told)
    for _ in range(30):
        advance(told, 5 * 3600)
        delivered(told)
    assert len(receiver.got) == 2 * 26 and told.gateway.outbox.abandoned == 2
    last = max(headers["paypal-transmission-time"] for headers, _ in receiver.got)
    first = min(headers["paypal-transmission-time"] for headers, _ in receiver.got)
    assert first < last
    waits = told.gateway.outbox.rules.redelivery_s
    assert len(waits) == 25 and 71.5 * 3600 < sum(waits) <= 72 * 3600


def test_an_unknown_certificate(running: Running) -> None:
    assert call(running, "GET", "/v1/notifications/certs/CERT-none", bearer="")[0] == 404


def test_the_types_are_listed(running: Running) -> None:
    names = {
        row["name"]
        for row in call(running, "GET", "/v1/notifications/webhooks-event-types")[2]["event_types"]
    }
    assert names == set(TYPES)


def test_without_a_listener_nothing_is_rendered(running: Running, client: Client) -> None:
    rendered: list[str] = []
    events = running.gateway.events  # type: ignore[attr-defined]
    own = events._render

    def render(event: Event, *arguments: Any) -> bytes:
        rendered.append(event.kind)
        return bytes(own(event, *arguments))

    events._render = render
    try:
        call(running, "POST", "/v2/checkout/orders", order_request("idle"))
        client.captured("idle-2")
        assert rendered == []
        assert list(running.gateway.outbox)[-1].payload() and len(rendered) == 1
    finally:
        events._render = own
