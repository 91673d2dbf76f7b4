"""The admin interface, held to its description."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from mocks.admin import FURTHEST_S, Admin
from mocks.admin_interface import Routes
from mocks.faults import FaultPlan
from tests.mocks.running import Running, stripe_call, stripe_payment

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "admin-api.yaml").read_text())


@pytest.fixture
def running() -> Iterator[Running]:
    with Running("stripe", admin_port=0) as running:
        yield running


@pytest.fixture
def admin(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{running.ready['admin_port']}") as client:
        yield client


def documented(path: str, method: str, response: httpx.Response) -> Any:
    """The body, after its properties have been compared with the description's."""
    schema = DOCUMENT["paths"][path][method]["responses"][str(response.status_code)]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["responses"][schema["$ref"].rpartition("/")[2]]
    schema = schema["content"]["application/json"]["schema"]
    body = response.json()
    assert set(body) == set(schema["required"]) == set(schema["properties"])
    return body


def routes(running: Running) -> Routes:
    assert running.service.admin is not None
    interface = running.service.admin.application
    assert isinstance(interface, Admin)
    return interface.routes


def pay(running: Running, order: str) -> None:
    status, _, _ = stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment(order))
    assert status == 200


def test_every_route_is_described_and_nothing_else(running: Running) -> None:
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == set(routes(running))
    assert (
        DOCUMENT["paths"]["/clock/advance"]["post"]["requestBody"]["content"]["application/json"]["schema"][
            "properties"
        ]["seconds"]["maximum"]
        == FURTHEST_S
    )


def test_the_ledger_and_its_movements(running: Running, admin: httpx.Client) -> None:
    assert documented("/ledger", "get", admin.get("/ledger"))["sums"] == {}
    for order in ("o1", "o2", "o3"):
        pay(running, order)
    ledger = documented("/ledger", "get", admin.get("/ledger"))
    zero = {"refund": 0, "dispute": 0, "fee": 0, "payout": 0}
    assert ledger == {"gateway": "stripe", "movements": 3, "sums": {"EUR": {"capture": 3870, **zero}}}
    first = documented("/movements", "get", admin.get("/movements", params={"limit": 2}))
    rest = documented("/movements", "get", admin.get("/movements", params={"after": first["next"]}))
    assert [row["order_id"] for row in first["movements"] + rest["movements"]] == ["o1", "o2", "o3"]
    assert rest["next"] == 3
    required = DOCUMENT["paths"]["/movements"]["get"]["responses"]["200"]["content"]["application/json"]
    assert set(first["movements"][0]) == set(
        required["schema"]["properties"]["movements"]["items"]["required"]
    )


def test_events_and_their_delivery(running: Running, admin: httpx.Client) -> None:
    pay(running, "o1")
    page = documented("/events", "get", admin.get("/events", params={"after": 1}))
    assert [row["kind"] for row in page["events"]] == ["charge.succeeded", "payment_intent.succeeded"]
    assert page["next"] == 3 and page["events"][0]["id"] in page["events"][0]["payload"]
    assert documented("/events", "get", admin.get("/events", params={"after": 99}))["events"] == []
    told = documented("/webhooks", "get", admin.get("/webhooks"))
    assert told == {"events": 3, "waiting": 0, "abandoned": 0, "held": False}


def test_the_clock_goes_forward_and_things_fall_due(running: Running, admin: httpx.Client) -> None:
    before = documented("/clock", "get", admin.get("/clock"))
    assert before["ahead_s"] == 0 and abs(before["now"] - time.time()) < 60
    parameters = {**stripe_payment("o1"), "capture_method": "manual"}
    _, _, intent = stripe_call(running.connection(), "POST", "/v1/payment_intents", parameters)
    after = documented("/clock/advance", "post", admin.post("/clock/advance", json={"seconds": 8 * 86_400}))
    assert after["fired"] == 1 and after["ahead_s"] == pytest.approx(8 * 86_400)
    assert after["now"] - before["now"] >= 8 * 86_400
    _, _, found = stripe_call(running.connection(), "GET", f"/v1/payment_intents/{intent['id']}")
    assert found["status"] == "canceled"


@pytest.mark.parametrize(
    "body", [b"", b"7", b"{", b'{"seconds": -1}', b'{"seconds": true}', b'{"seconds": 1e300}', b"{}"]
)
def test_no_other_way_to_set_the_clock(admin: httpx.Client, body: bytes) -> None:
    answer = admin.post("/clock/advance", content=body)
    assert answer.status_code == 400 and documented("/clock/advance", "post", answer)["error"]
    assert admin.get("/clock").json()["ahead_s"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x", "page=1"])
def test_wrong_pages(admin: httpx.Client, query: str) -> None:
    for path in ("/movements", "/events"):
        answer = admin.get(f"{path}?{query}")
        assert answer.status_code == 400 and documented(path, "get", answer)["error"]


def test_unknown_paths_and_methods(admin: httpx.Client) -> None:
    assert admin.get("/nothing").status_code == 404
    assert admin.post("/ledger").status_code == 405


def test_the_overview_says_what_it_is(running: Running, admin: httpx.Client) -> None:
    pay(running, "o1")
    told = documented("/", "get", admin.get("/"))
    assert (told["gateway"], told["seed"], told["url"]) == ("stripe", 7, running.url)
    assert (told["movements"], told["events"], told["kept"]) == (1, 3, False)
    assert set(told["routes"]) == {f"{method} {path}" for method, path in routes(running)}


def test_a_reset_brings_the_start_back(running: Running, admin: httpx.Client) -> None:
    def create(key: str) -> dict[str, Any]:
        answer = stripe_call(
            running.connection(), "POST", "/v1/payment_intents", stripe_payment("o1"), key=key
        )
        assert answer[0] == 200 and "idempotent-replayed" not in answer[1]
        return answer[2]

    first = create("k1")
    create("k2")
    admin.post("/clock/advance", json={"seconds": 3600})
    told = documented("/reset", "post", admin.post("/reset"))
    assert (told["movements"], told["events"], told["clock"]["ahead_s"]) == (0, 0, 0)
    assert admin.get("/ledger").json()["sums"] == {}
    assert admin.get("/events").json()["events"] == []
    status, _, _ = stripe_call(running.connection(), "GET", f"/v1/payment_intents/{first['id']}")
    assert status == 404
    # The seed's identifiers start over, and the key is free.
    again = create("k1")
    assert again["id"] == first["id"] and again["client_secret"] == first["client_secret"]
    assert admin.get("/ledger").json()["movements"] == 1


def test_a_reset_loses_what_is_in_flight() -> None:
    with Running("stripe", p50_ms=5000, admin_port=0) as running:
        connection = running.connection()
        connection.request("POST", "/v1/payment_intents", b"", {"Authorization": "Bearer sk_test_1"})
        running.until(lambda: bool(running.gateway._in_flight), "the request has arrived")
        assert httpx.post(f"http://127.0.0.1:{running.ready['admin_port']}/reset").status_code == 200
        with pytest.raises(ConnectionResetError):
            connection.getresponse()


def test_faults_outlast_a_reset() -> None:
    dark = FaultPlan("f1", "outage", at_ns=0, for_ns=3_600_000_000_000)
    with Running("stripe", faults=(dark,), admin_port=0) as running:
        running.until(lambda: running.gateway.outbox.held, "the outage has begun")
        assert httpx.post(f"http://127.0.0.1:{running.ready['admin_port']}/reset").status_code == 200
        assert running.gateway.outbox.held and running.gateway.faults
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{running.url}/health")
