"""Disputes: opened by a payer's name, answered by the seller, decided by evidence or by time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mocks.gateways.paypal.triggers import DISPUTE_NAMES
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, call, issue, moved, order_request
from tests.mocks_paypal.receiver import advance

DISPUTES = "/v1/customer/disputes"
DAY = 86_400
JSON_PART = (
    b'--b\r\nContent-Disposition: form-data; name="input"\r\nContent-Type: application/json\r\n\r\n%s\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file1"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n%%PDF\r\n--b--\r\n"
)
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture
def running() -> Iterator[Running]:
    with Running("paypal") as running:
        yield running


def disputed(running: Running, order: str = "o1", payer: str = "DISPUTE-NOT-RECEIVED") -> tuple[str, Any]:
    """A capture that is disputed at once, and the dispute."""
    source = {"paypal": {"vault_id": "v", "name": {"given_name": payer}}}
    headers = {"PayPal-Request-Id": order, "Prefer": "return=representation"}
    body = order_request(order, payment_source=source)
    status, _, paid = call(running, "POST", "/v2/checkout/orders", body, headers)
    assert status == 201
    capture = paid["purchase_units"][0]["payments"]["captures"][0]
    assert capture["status"] == "COMPLETED"
    (row,) = call(running, "GET", f"{DISPUTES}?disputed_transaction_id={capture['id']}")[2]["items"]
    return capture["id"], row


def act(running: Running, row: Any, action: str, body: Any = None) -> tuple[int, str]:
    """Status of an action, and its issue if it was refused."""
    status, _, answer = call(running, "POST", f"{DISPUTES}/{row['dispute_id']}/{action}", body or {})
    return status, answer["details"][0]["issue"] if status >= 400 else ""


def state(running: Running, row: Any) -> tuple[str, str]:
    """Status and outcome."""
    shown = call(running, "GET", f"{DISPUTES}/{row['dispute_id']}")[2]
    return shown["status"], shown.get("dispute_outcome", {}).get("outcome_code", "")


def kinds(running: Running) -> list[str]:
    """The events, of disputes and reversals only."""
    events = list(running.gateway.outbox)
    return [e.kind.rpartition(".")[2] for e in events if "DISPUTE" in e.kind or "REVERSED" in e.kind]


@pytest.mark.parametrize(("payer", "reason"), DISPUTE_NAMES.items())
def test_a_dispute_and_what_it_shows(running: Running, payer: str, reason: str) -> None:
    capture, row = disputed(running, payer=payer)
    assert (row["reason"], row["status"], row["dispute_state"]) == (
        reason,
        "WAITING_FOR_SELLER_RESPONSE",
        "REQUIRED_ACTION",
    )
    status, _, shown = call(running, "GET", f"{DISPUTES}/{row['dispute_id']}")
    assert status == 200 and shown["dispute_amount"] == {"currency_code": "EUR", "value": "12.90"}
    (transaction,) = shown["disputed_transactions"]
    assert (transaction["seller_transaction_id"], transaction["custom"]) == (capture, "o1")
    assert shown["seller_response_due_date"] > shown["create_time"]
    assert running.requests[-1].order_id == "o1"
    assert moved(running, "o1") == [("capture", 1290)], (
        "what is disputed is withheld, and moves when it is lost"
    )


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("wins", [False, True])
def test_evidence_decides(running: Running, wins: bool, form: bool) -> None:
    capture, row = disputed(running)
    notes = "winning_evidence" if wins else "losing_evidence"
    body = {"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT", "notes": notes}]}
    if form:
        path = f"{DISPUTES}/{row['dispute_id']}/provide-evidence"
        data = JSON_PART % json.dumps(body).encode()
        status, _, answer = call(running, "POST", path, data, FORM)
        assert status == 200 and answer["links"][0]["rel"] == "self"
    else:
        assert act(running, row, "provide-evidence", body) == (200, "")
    outcome = "RESOLVED_SELLER_FAVOUR" if wins else "RESOLVED_BUYER_FAVOUR"
    assert state(running, row) == ("RESOLVED", outcome)
    lost = [] if wins else [("dispute", 1290)]
    assert moved(running, "o1") == [("capture", 1290), *lost]
    assert kinds(running) == ["CREATED", "UPDATED", *([] if wins else ["REVERSED"]), "RESOLVED"]
    shown = call(running, "GET", f"/v2/payments/captures/{capture}")[2]
    assert shown["status"] == ("COMPLETED" if wins else "REFUNDED")
    late = act(running, row, "provide-evidence", body)
    assert late == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    refund = call(running, "POST", f"/v2/payments/captures/{capture}/refund", {})
    assert refund[0] == (201 if wins else 422)
    advance(running, 60 * DAY)
    assert state(running, row) == ("RESOLVED", outcome)
    assert [kind for kind, _ in moved(running, "o1")].count("dispute") == len(lost)


def test_who_does_not_answer_loses(running: Running) -> None:
    _, row = disputed(running)
    advance(running, 10 * DAY - 60)
    assert state(running, row) == ("WAITING_FOR_SELLER_RESPONSE", "")
    advance(running, 120)
    assert state(running, row) == ("RESOLVED", "RESOLVED_BUYER_FAVOUR")
    assert moved(running, "o1") == [("capture", 1290), ("dispute", 1290)]
    (movement,) = [m for m in running.movements if m.kind == "dispute"]
    assert movement.parent == running.movements[0].reference
    reversal = call(running, "GET", f"/v2/payments/refunds/{movement.reference}")[2]
    assert reversal["amount"]["value"] == "12.90"


def test_other_evidence_is_reviewed_and_convinces_in_time(running: Running) -> None:
    _, row = disputed(running)
    body = {"evidences": [{"evidence_type": "OTHER", "notes": "sent by post"}]}
    assert act(running, row, "provide-evidence", body) == (200, "")
    advance(running, 29 * DAY)
    assert state(running, row) == ("UNDER_REVIEW", "")
    advance(running, 2 * DAY)
    assert state(running, row) == ("RESOLVED", "RESOLVED_SELLER_FAVOUR")
    assert moved(running, "o1") == [("capture", 1290)]


@pytest.mark.parametrize(("value", "lost"), [(None, 1290), ("5.00", 500)])
def test_a_claim_is_accepted(running: Running, value: str | None, lost: int) -> None:
    capture, row = disputed(running)
    body: dict[str, Any] = {"note": "sorry"}
    if value is not None:
        body["refund_amount"] = {"currency_code": "EUR", "value": value}
    too_much = {"refund_amount": {"currency_code": "EUR", "value": "12.91"}}
    assert act(running, row, "accept-claim", too_much) == (422, "REFUND_AMOUNT_EXCEEDED")
    assert act(running, row, "accept-claim", body) == (200, "")
    shown = call(running, "GET", f"{DISPUTES}/{row['dispute_id']}")[2]
    assert shown["dispute_outcome"]["amount_refunded"]["value"] == f"{lost / 100:.2f}"
    assert moved(running, "o1") == [("capture", 1290), ("dispute", lost)]
    status = "REFUNDED" if value is None else "PARTIALLY_REFUNDED"
    assert call(running, "GET", f"/v2/payments/captures/{capture}")[2]["status"] == status
    again = call(running, "POST", f"/v2/payments/captures/{capture}/refund", {})
    assert again[2]["details"][0]["issue"] == "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"


@pytest.mark.parametrize("outcome", ["BUYER_FAVOR", "SELLER_FAVOR"])
def test_the_sandbox_decides(running: Running, outcome: str) -> None:
    _, row = disputed(running)
    ask = {"adjudication_outcome": outcome}
    early = act(running, row, "adjudicate", ask)
    assert early == (422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    assert act(running, row, "require-evidence", {"action": "BUYER_EVIDENCE"}) == (200, "")
    assert state(running, row)[0] == "WAITING_FOR_BUYER_RESPONSE"
    advance(running, 20 * DAY)
    assert act(running, row, "require-evidence", {"action": "SELLER_EVIDENCE"}) == (200, "")
    assert act(running, row, "provide-evidence", {"evidences": []}) == (200, "")
    assert act(running, row, "adjudicate", ask) == (200, "")
    lost = outcome == "BUYER_FAVOR"
    assert state(running, row)[1] == ("RESOLVED_BUYER_FAVOUR" if lost else "RESOLVED_SELLER_FAVOUR")
    assert moved(running, "o1") == [("capture", 1290), *([("dispute", 1290)] if lost else [])]


def test_a_refund_while_a_dispute_is_open(running: Running) -> None:
    capture, row = disputed(running)
    client = Client(running)
    try:
        refund = client.payments.refund_captured_payment
        some = {"capture_id": capture, "body": {"amount": {"currency_code": "EUR", "value": "1.00"}}}
        assert issue(refund, some) == (422, "TRANSACTION_DISPUTED")
        assert refund({"capture_id": capture}).body.status == "COMPLETED"
    finally:
        client.close()
    assert state(running, row) == ("RESOLVED", "RESOLVED_BUYER_FAVOUR")
    advance(running, 60 * DAY)
    assert moved(running, "o1") == [("capture", 1290), ("refund", 1290)]


def test_disputes_are_listed_in_pages(running: Running) -> None:
    names = [disputed(running, f"o{number}")[1]["dispute_id"] for number in range(5)]
    href = f"{DISPUTES}?page_size=2&dispute_state=REQUIRED_ACTION"
    listed: list[str] = []
    while href:
        page = call(running, "GET", href)[2]
        listed += [row["dispute_id"] for row in page["items"]]
        href = next(
            (row["href"].removeprefix(running.url) for row in page["links"] if row["rel"] == "next"), ""
        )
    assert listed == names[::-1]
    assert call(running, "GET", f"{DISPUTES}?dispute_state=RESOLVED")[2]["items"] == []
    assert len(call(running, "GET", f"{DISPUTES}?dispute_state=RESOLVED,REQUIRED_ACTION")[2]["items"]) == 5
    assert call(running, "GET", f"{DISPUTES}?start_time=2999-01-01T00:00:00Z")[2]["items"] == []
    for wrong in (
        "page_size=51",
        "page_size=-1",
        "dispute_state=LOST",
        "next_page_token=%25",
        "start_time=1",
    ):
        assert call(running, "GET", f"{DISPUTES}?{wrong}")[0] == 400


@pytest.mark.parametrize(
    ("action", "body", "what"),
    [
        ("provide-evidence", {"evidences": 1}, "INVALID_PARAMETER_SYNTAX"),
        ("provide-evidence", {"evidences": [1]}, "INVALID_PARAMETER_SYNTAX"),
        ("accept-claim", {"refund_amount": 1}, "INVALID_PARAMETER_SYNTAX"),
        ("accept-claim", {"accept_claim_type": "GIFT"}, "INVALID_PARAMETER_VALUE"),
        ("adjudicate", {}, "MISSING_REQUIRED_PARAMETER"),
        ("adjudicate", {"adjudication_outcome": "DRAW"}, "INVALID_PARAMETER_VALUE"),
        ("require-evidence", {"action": 1}, "INVALID_PARAMETER_SYNTAX"),
    ],
)
def test_wrong_requests(running: Running, action: str, body: Any, what: str) -> None:
    _, row = disputed(running)
    assert act(running, row, action, body) == (400, what)
    assert act(running, {"dispute_id": "PP-D-1"}, "accept-claim") == (404, "INVALID_RESOURCE_ID")


@pytest.mark.parametrize(
    "data", [b"", b"--b", b"--b\r\n\r\n\r\n--b--", b"\xff\x00", JSON_PART % b"{", b"x" * 999]
)
def test_broken_forms(running: Running, data: bytes) -> None:
    _, row = disputed(running)
    path = f"{DISPUTES}/{row['dispute_id']}/provide-evidence"
    status, _, answer = call(running, "POST", path, data, FORM)
    assert status in (200, 400) and (status == 200 or answer["name"] == "INVALID_REQUEST")
    other = call(running, "POST", "/v2/checkout/orders", data or b"x", FORM)
    assert other[0] == 415
