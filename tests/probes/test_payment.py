"""The payment probe: every answer it can get, and what it makes of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from probes.payment import judge, judge_refund, probe
from probes.probe import Attempt, Finding
from probes.wire import Answer
from tests.probes.attempts import attempt, with_attempt
from tests.probes.listener import Listener, free_port, reset

URL = "http://127.0.0.1:1"
PAYMENTS = f"{URL}/payments"
REFUNDS = f"{URL}/payments/pay_1/refunds"
ORDER = {
    "order_id": "probe-test-1",
    "amount_minor": 100,
    "currency": "EUR",
    "method": "card",
    "instrument": "card_visa",
}
PAID = {
    "id": "pay_1",
    "order_id": "probe-test-1",
    "amount_minor": 100,
    "currency": "EUR",
    "status": "succeeded",
    "gateway": "stripe",
    "reference": "pi_1",
}
REFUNDED = {"id": "re_1", "payment_id": "pay_1", "amount_minor": 100, "status": "succeeded"}
UNKNOWN = {**PAID, "status": "unknown", "gateway": "", "reference": ""}
FAILED = {**PAID, "status": "failed", "gateway": "", "reference": ""}


def seen(finding: Finding) -> tuple[str, str | None]:
    return finding.outcome, finding.phase


def answer(status: int, body: object) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else orjson.dumps(body), 1)


def sent(route: respx.Route) -> list[tuple[str, Any]]:
    """Idempotency key and body of each request to a route."""
    return [(c.request.headers["Idempotency-Key"], orjson.loads(c.request.content)) for c in route.calls]


@respx.mock
def test_a_payment_is_made_verified_and_refunded() -> None:
    create = respx.post(PAYMENTS).respond(201, json=PAID)
    refund = respx.post(REFUNDS).respond(201, json=REFUNDED)
    finding = attempt("payment", f"{URL}/")
    assert seen(finding) == ("ok", None)
    assert finding.cleanup is None
    assert sent(create) == [("probe-test-1", ORDER)]
    assert sent(refund) == [("probe-test-1-refund", {})]


@respx.mock
def test_its_parameters_are_what_is_ordered() -> None:
    paid = {**PAID, "amount_minor": 250, "currency": "JPY"}
    create = respx.post(PAYMENTS).respond(201, json=paid)
    respx.post(REFUNDS).respond(201, json={**REFUNDED, "amount_minor": 250})
    params: dict[str, int | str | bool | None] = {
        "amount_minor": 250,
        "currency": "JPY",
        "instrument": "card_amex",
    }
    assert seen(attempt("payment", URL, params=params)) == ("ok", None)
    assert sent(create) == [("probe-test-1", {**ORDER, **params})]


@pytest.mark.parametrize(
    ("status", "body", "expected", "exposed", "detail"),
    [
        (201, PAID, ("ok", None), True, ""),
        (201, {**PAID, "amount_minor": 101}, ("fail", "verify"), True, "amount_minor 101, not 100"),
        (201, {**PAID, "amount_minor": 100.0}, ("fail", "verify"), True, "amount_minor 100.0, not 100"),
        (201, {**PAID, "amount_minor": "100"}, ("fail", "verify"), True, "amount_minor '100', not 100"),
        (201, {**PAID, "currency": "eur"}, ("fail", "verify"), True, "currency 'eur', not 'EUR'"),
        (201, {**PAID, "order_id": "other"}, ("fail", "verify"), True, "order_id 'other'"),
        (201, {**PAID, "id": "../ledger"}, ("fail", "verify"), True, "names no payment"),
        (201, {**PAID, "id": ""}, ("fail", "verify"), True, "names no payment"),
        (201, {**PAID, "status": "pending"}, ("fail", "verify"), True, "answered 201 'pending'"),
        (201, {**PAID, "status": "declined"}, ("fail", "verify"), False, "answered 201 'declined'"),
        (201, b"{", ("fail", "verify"), True, "answered 201, not 201 'succeeded'"),
        (201, [], ("fail", "verify"), True, "answered 201, not"),
        (200, PAID, ("fail", "verify"), True, "answered 200 'succeeded'"),
        (202, UNKNOWN, ("unknown", "answer"), True, "answered 202 'unknown'"),
        (202, b"", ("unknown", "answer"), True, "answered 202"),
        (402, {**PAID, "status": "declined"}, ("fail", "verify"), False, "answered 402 'declined'"),
        (402, b"", ("fail", "verify"), False, "answered 402"),
        (402, PAID, ("fail", "verify"), True, "answered 402 'succeeded'"),
        (400, {"error": {"message": "no"}}, ("fail", "verify"), False, "answered 400"),
        (429, b"", ("fail", "verify"), False, "answered 429"),
        (408, b"", ("fail", "verify"), True, "answered 408"),
        (409, b"", ("fail", "verify"), True, "answered 409"),
        (500, b"", ("fail", "verify"), True, "answered 500"),
        (503, FAILED, ("fail", "verify"), False, "answered 503 'failed'"),
        (503, b"no backend", ("fail", "verify"), True, "answered 503, not"),
        (503, PAID, ("fail", "verify"), True, "answered 503 'succeeded'"),
        (302, b"", ("fail", "verify"), True, "answered 302"),
    ],
)
def test_the_answer_is_judged(
    status: int, body: object, expected: tuple[str, str], exposed: bool, detail: str
) -> None:
    judgement = judge(answer(status, body), ORDER)
    assert seen(judgement.finding) == expected
    assert judgement.exposed is exposed
    assert detail in judgement.finding.detail
    assert bool(judgement.finding.detail) == bool(detail)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, REFUNDED, ("ok", None)),
        (201, {**REFUNDED, "amount_minor": 99}, ("fail", "refund")),
        (201, {**REFUNDED, "status": "pending"}, ("fail", "refund")),
        (201, b"<html>", ("fail", "refund")),
        (200, REFUNDED, ("fail", "refund")),
        (202, {"status": "unknown"}, ("unknown", "refund")),
        (422, {"error": "too much"}, ("fail", "refund")),
        (503, {"status": "failed"}, ("fail", "refund")),
    ],
)
def test_the_refund_is_judged(status: int, body: object, expected: tuple[str, str | None]) -> None:
    assert seen(judge_refund(answer(status, body), 100)) == expected


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(PAID)), inner, max_size=7)
    ),
    max_leaves=12,
)


@given(st.integers(200, 599), st.binary(max_size=40) | _JSON.map(orjson.dumps) | st.none())
def test_only_the_whole_right_answer_is_ok(status: int, body: bytes | None) -> None:
    judgement = judge(Answer(status, b"" if body is None else body, 1), ORDER)
    assert judgement.finding.outcome != "ok"


@given(st.dictionaries(st.sampled_from(sorted(PAID)), _JSON))
def test_a_changed_answer_is_ok_only_if_what_matters_is_unchanged(change: dict[str, Any]) -> None:
    body = {**PAID, **change}
    judgement = judge(answer(201, body), ORDER)
    same = all(
        type(body[name]) is type(PAID[name]) and body[name] == PAID[name]
        for name in ("order_id", "amount_minor", "currency", "status")
    )
    if judgement.finding.outcome == "ok":
        assert same
        assert judgement.id == body["id"]
    # Whatever else it says: an answer that claims success may have moved money.
    if body["status"] == "succeeded":
        assert judgement.exposed


@respx.mock
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (402, {**PAID, "status": "declined"}, ("fail", "verify")),
        (503, FAILED, ("fail", "verify")),
    ],
)
def test_what_was_surely_not_taken_needs_no_cleanup(
    status: int, body: dict[str, Any], expected: tuple[str, str]
) -> None:
    respx.post(PAYMENTS).respond(status, json=body)
    finding = attempt("payment", URL)
    assert seen(finding) == expected
    assert finding.cleanup is None


def settled(*tries: str) -> Callable[[Attempt], Any]:
    """Run the probe, then its cleanup as often as there are ``tries``, each of which must leave this."""

    async def work(one: Attempt) -> Finding:
        finding = await probe(one)
        assert one.exposure
        assert one.exposure in finding.detail
        for left in tries:
            assert finding.cleanup is not None
            said = await finding.cleanup()
            assert left in said
            assert bool(said) == bool(left)
        return finding

    return work


@respx.mock
def test_an_unknown_outcome_is_asked_for_again_under_its_key_and_refunded() -> None:
    create = respx.post(PAYMENTS)
    create.side_effect = [
        httpx.Response(202, json=UNKNOWN),
        httpx.Response(202, json=UNKNOWN),
        httpx.ReadTimeout("slow"),
        httpx.Response(201, json=PAID),
    ]
    read = respx.get(f"{PAYMENTS}/pay_1").respond(200, json=UNKNOWN)
    refund = respx.post(REFUNDS).respond(201, json=REFUNDED)
    finding = with_attempt(
        "payment", URL, settled("the platform says 'unknown'", "no whole answer", ""), timeout_ms=500
    )
    assert seen(finding) == ("unknown", "answer")
    assert sent(create) == [("probe-test-1", ORDER)] * 4
    assert read.call_count == 1
    assert sent(refund) == [("probe-test-1-refund", {})]


@respx.mock
@pytest.mark.parametrize("status", ["declined", "failed", "canceled"])
def test_an_unknown_outcome_that_turns_out_not_taken_is_settled(status: str) -> None:
    # The replay repeats the stored 202; what became of the payment is told by reading it.
    respx.post(PAYMENTS).respond(202, json=UNKNOWN)
    respx.get(f"{PAYMENTS}/pay_1").respond(200, json={**PAID, "status": status})
    with_attempt("payment", URL, settled(""))


@respx.mock
def test_an_error_to_the_replay_says_nothing_of_the_first_request() -> None:
    create = respx.post(PAYMENTS)
    create.side_effect = [
        httpx.ReadError("reset"),
        httpx.Response(429),
        httpx.Response(500),
        httpx.ConnectError("refused"),
        httpx.Response(503, json=FAILED),
    ]
    finding = with_attempt(
        "payment", URL, settled("'no outcome'", "'no outcome'", "may have been charged: refused", "")
    )
    assert seen(finding) == ("unknown", "answer")


@respx.mock
def test_a_wrong_amount_fails_and_is_refunded_as_it_was_taken() -> None:
    respx.post(PAYMENTS).respond(201, json={**PAID, "amount_minor": 10000})
    refund = respx.post(REFUNDS).respond(201, json={**REFUNDED, "amount_minor": 10000})
    finding = with_attempt("payment", URL, settled(""))
    assert seen(finding) == ("fail", "verify")
    assert "amount_minor 10000, not 100" in finding.detail
    assert refund.call_count == 1


@respx.mock
@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (httpx.Response(503, json={"status": "failed"}), ("fail", "refund")),
        (httpx.Response(202, json={"status": "unknown"}), ("unknown", "refund")),
        (httpx.Response(201, json={**REFUNDED, "amount_minor": 1}), ("fail", "refund")),
        (httpx.ReadTimeout("slow"), ("unknown", "refund")),
        (httpx.ConnectError("refused"), ("fail", "refund")),
    ],
)
def test_a_refund_that_did_not_succeed_is_sent_again_under_its_key(
    first: httpx.Response | Exception, expected: tuple[str, str]
) -> None:
    create = respx.post(PAYMENTS).respond(201, json=PAID)
    refund = respx.post(REFUNDS)
    refund.side_effect = [first, httpx.Response(503), httpx.Response(201, json=REFUNDED)]
    finding = with_attempt("payment", URL, settled("was charged: refund answered 503", ""))
    assert seen(finding) == expected
    assert "was charged and may not have been refunded" in finding.detail
    assert {key for key, _ in sent(create)} == {"probe-test-1"}
    assert sent(refund) == [("probe-test-1-refund", {})] * 3


def test_nobody_listens() -> None:
    finding = attempt("payment", f"http://127.0.0.1:{free_port()}")
    assert seen(finding) == ("fail", "connect")
    assert finding.detail == "connection refused"
    assert finding.cleanup is None


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{"], ids=["before", "in the middle of"]
)
@pytest.mark.parametrize("how", ["reset", "close", "hang"])
def test_a_connection_that_is_lost_after_sending_leaves_the_outcome_unknown(part: bytes, how: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(part)
        if how == "reset":
            reset(connection)
        elif how == "hang":
            listener.over.wait(10)

    with Listener(serve) as listener:
        finding = attempt("payment", f"http://127.0.0.1:{listener.port}", timeout_ms=300)
    assert seen(finding) == ("unknown", "answer")
    assert "probe-test-1 may have been charged" in finding.detail
    assert finding.cleanup is not None


def test_the_refund_has_what_the_payment_left_of_the_time_out() -> None:
    body = orjson.dumps(PAID)
    paid = b"HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def serve(connection: socket.socket) -> None:
        if listener.accepted == 1:
            connection.sendall(paid)
        else:
            listener.over.wait(10)

    with Listener(serve) as listener:
        finding = attempt("payment", f"http://127.0.0.1:{listener.port}", timeout_ms=400)
        assert listener.heard[1].startswith(b"POST /payments/pay_1/refunds HTTP/1.1\r\n")
    assert seen(finding) == ("unknown", "refund")
