"""One key, one resource: replays, lost answers, and requests that run side by side."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]

from mocks.faults import Fault, FaultPlan
from mocks.faults.fault import Call
from mocks.gateways.call import Call as GatewayCall
from mocks.gateways.gocardless.application import GoCardless
from mocks.latency import Latency
from mocks.reply import Reply
from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import (
    client,
    exchange_of,
    mandate,
    moved,
    pay,
    raw,
    refund,
    service,
    simulate,
)

LONG = 3600 * 10**9


class LostAnswers(Fault):
    """A load balancer that answers the first requests with a page of its own after they were executed."""

    name = "lost_answers"

    def touches(self, call: Call) -> bool:
        return call.endpoint in ("payments.create", "refunds.create") and self.hits < 2

    def answering(self, call: Call, reply: Reply) -> Reply:
        return Reply(503, b"<html>no backend</html>", reply.result)


class Refusing(LostAnswers):
    """The same, before anything of them was executed."""

    name = "refusing"

    def arrive(self, call: Call) -> None:
        call.fail(503)


def lose(running: Running, kind: type[LostAnswers]) -> LostAnswers:
    fault = kind(FaultPlan(id="f1", fault=kind.name, at_ns=0, for_ns=LONG), running.gateway, 7)
    running.gateway.faults = [fault]
    return fault


def test_a_replayed_key_gives_the_first_payment(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk)
    key = {"Idempotency-Key": "replay"}
    first = pay(sdk, agreed.id, "replay", headers=key)
    before = len(running.requests)
    again = pay(sdk, agreed.id, "replay", 99, headers=key)
    assert (again.id, again.amount) == (first.id, 1290)
    new = running.requests[before:]
    assert [(r.endpoint, r.status, r.replayed) for r in new] == [
        ("payments.create", 409, True),
        ("payments.get", 200, False),
    ], "the SDK fetches the payment by itself"
    assert {r.order_id for r in new} == {"replay"}
    assert len(list(sdk.payments.all(params={"mandate": agreed.id}))) == 1


def test_the_conflict_can_be_raised_instead(running: Running) -> None:
    sdk = client(running, raise_on_idempotency_conflict=True)
    agreed = mandate(sdk)
    key = {"Idempotency-Key": "raise"}
    first = pay(sdk, agreed.id, "raise", headers=key)
    with pytest.raises(errors.IdempotentCreationConflictError) as conflict:
        pay(sdk, agreed.id, "raise", headers=key)
    assert conflict.value.conflicting_resource_id == first.id and conflict.value.code == 409


def test_what_was_refused_takes_no_key_and_kinds_of_resources_are_apart(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk)
    key = {"Idempotency-Key": "refused"}
    with pytest.raises(errors.ValidationFailedError):
        pay(sdk, agreed.id, "refused", 0, headers=key)
    payment = pay(sdk, agreed.id, "refused", headers=key)
    simulate(sdk, "payment_confirmed", payment.id)
    given = sdk.refunds.create(
        params={"amount": 5, "total_amount_confirmation": 5, "links": {"payment": payment.id}}, headers=key
    )
    assert given.id.startswith("RF")


def test_keys_are_forgotten_after_thirty_days() -> None:
    with Running("gocardless") as running:
        sdk = client(running)
        agreed = mandate(sdk)
        key = {"Idempotency-Key": "old"}
        first = pay(sdk, agreed.id, "old", headers=key)
        running.thread.call(lambda: running.gateway.mock_clock.advance(30 * 24 * 3600 - 60))
        assert pay(sdk, agreed.id, "old", headers=key).id == first.id
        running.thread.call(lambda: running.gateway.mock_clock.advance(61))
        assert pay(sdk, agreed.id, "old", headers=key).id != first.id


@pytest.mark.parametrize("kind", [LostAnswers, Refusing])
def test_a_503_that_is_no_json_is_tried_again_without_a_double_payment(kind: type[LostAnswers]) -> None:
    with Running("gocardless") as running:
        agreed = mandate(client(running))
        fault = lose(running, kind)
        payment = pay(type("S", (), {"payments": service(running, "payments")}), agreed.id, "503")
        assert fault.hits == 2
        sent = [r for r in running.requests if r.endpoint == "payments.create"]
        assert len(sent) == 3 and len({r.idempotency_key for r in sent}) == 1 and sent[0].idempotency_key
        assert sent[0].status == 503
        running.gateway.faults = []
        sdk = client(running)
        assert [p.id for p in sdk.payments.all()] == [payment.id]
        simulate(sdk, "payment_confirmed", payment.id)
        assert moved(running, "503") == [("capture", 1290)]
        lose(running, kind)
        refunds = type("S", (), {"refunds": service(running, "refunds")})
        given = refund(refunds, payment.id, 500)
        running.gateway.faults = []
        assert [r.id for r in sdk.refunds.all()] == [given.id]
        assert moved(running, "503") == [("capture", 1290), ("refund", 500)]


def test_a_503_in_json_is_an_error_and_not_tried_again() -> None:
    with Running("gocardless", faults=()) as running:
        sdk = client(running)
        agreed = mandate(sdk)

        class Json(LostAnswers):
            name = "json"

            def answering(self, call: Call, reply: Reply) -> Reply:
                return running.gateway.error(503)

        lose(running, Json)
        with pytest.raises(errors.GoCardlessInternalError) as error:
            pay(sdk, agreed.id, "json")
        assert error.value.code == 503
        assert len([r for r in running.requests if r.endpoint == "payments.create"]) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_key_is_taken_in_the_moment_of_creation(order: tuple[int, int]) -> None:
    gateway = GoCardless("gocardless", Latency(0, 0), 7)
    asked = {"customers": {"company_name": "x"}}
    prepared = []
    for _ in order:
        exchange = exchange_of("POST", "/customers", asked, "same")
        answer = gateway.prepare(GatewayCall(gateway, exchange, 0, "customers.create"))
        assert not isinstance(answer, Reply), "neither has been executed yet"
        prepared.append(answer)
    first, second = (prepared[place](0) for place in order)
    assert (first.status, second.status) == (201, 409)
    (conflict,) = json.loads(second.body)["error"]["errors"]
    assert conflict["links"]["conflicting_resource_id"] == json.loads(first.body)["customers"]["id"]


def test_side_by_side_one_key_makes_one_payment() -> None:
    with Running("gocardless", p50_ms=20, p99_ms=40) as running:
        agreed = mandate(client(running))
        body = json.dumps(
            {"payments": {"amount": 500, "currency": "GBP", "links": {"mandate": agreed.id}}}
        ).encode()

        def one(number: int) -> tuple[int, Any]:
            status, _, answer = raw(running, "POST", "/payments", body, idempotency_key=f"same-{number % 5}")
            if status == 201:
                return number % 5, answer["payments"]["id"]
            (conflict,) = answer["error"]["errors"]
            assert status == 409 and conflict["reason"] == "idempotent_creation_conflict"
            return number % 5, conflict["links"]["conflicting_resource_id"]

        with ThreadPoolExecutor(20) as pool:
            found = set(pool.map(one, range(60)))
        assert len(found) == 5, "every answer under a key names the same payment"
        assert len(list(client(running).payments.all())) == 5
        assert sum(r.status == 201 and r.endpoint == "payments.create" for r in running.requests) == 5
