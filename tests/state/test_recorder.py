"""A served gateway with a state file: what was in flight, what is not kept, what cannot be done again."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mocks.gateways.paypal.application import PayPal
from mocks.state import StateError, StateFile
from tests.mocks.running import Running, stripe_call, stripe_payment


def crash(running: Running) -> None:
    """From here on nothing reaches the file, as if the process had been killed now."""
    recorder = running.service._recorder
    assert recorder is not None

    def cut() -> None:
        running.gateway.recorder = None
        running.gateway.mock_clock.observer = running.gateway.outbox.attempted = None
        os.close(recorder._file._file)
        running.service._recorder = None

    running.thread.call(cut)


def records(path: Path) -> list[list[Any]]:
    return [json.loads(line[9:]) for line in path.read_text().splitlines()[1:]]


def pay(running: Running, key: str | None = None, **more: Any) -> Any:
    return stripe_call(running.connection(), "POST", "/v1/payment_intents", stripe_payment(**more), key=key)


def test_what_was_in_flight_is_lost_and_its_key_free(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", p50_ms=30_000, state=str(path)) as running:
        connection = running.connection()
        headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": "k1"}
        body = "amount=1290&currency=eur&confirm=true&payment_method=pm_card_visa"
        connection.request("POST", "/v1/payment_intents", body, headers)
        running.until(lambda: len(running.gateway.keys) == 1, "the key is taken")
        # Something else that is written takes the pending record along.
        running.thread.call(lambda: running.gateway.mock_clock.advance(1))
        crash(running)
    assert [row[0] for row in records(path)] == ["start", "reserve", "request", "advance"]
    with Running("stripe", state=str(path)) as running:
        assert len(running.gateway.ledger) == 0
        status, headers, _ = pay(running, key="k1")
        assert status == 200 and "idempotent-replayed" not in headers


def test_what_was_executed_but_not_answered_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", p50_ms=2000, state=str(path)) as running:
        connection = running.connection()
        headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": "k1"}
        body = "amount=1290&currency=eur&confirm=true&payment_method=pm_card_visa"
        connection.request("POST", "/v1/payment_intents", body, headers)
        running.until(lambda: len(running.gateway.ledger) == 1, "the money has moved")
        crash(running)
        names = [(row.reference, row.amount_minor) for row in running.gateway.ledger]
    with Running("stripe", state=str(path)) as running:
        assert [(row.reference, row.amount_minor) for row in running.gateway.ledger] == names
        asked = {"amount": 1290, "currency": "eur", "confirm": "true", "payment_method": "pm_card_visa"}
        status, told, intent = stripe_call(
            running.connection(), "POST", "/v1/payment_intents", asked, key="k1"
        )
        assert (status, intent["id"], told["idempotent-replayed"]) == (200, names[0][0], "true")


def test_reads_replays_and_refusals_are_not_kept_and_their_numbers_do_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", state=str(path)) as running:
        _, zeroth, _ = pay(running, key="k1")
        size = path.stat().st_size
        _, first, _ = pay(running, key="k1")
        assert first["idempotent-replayed"] == "true"
        connection = running.connection()
        assert stripe_call(connection, "GET", "/v1/payment_intents")[0] == 200
        assert stripe_call(connection, "POST", "/v1/payment_intents", {"amount": "x"})[0] == 400
        live = {"Authorization": "Bearer sk_live_1234567890"}
        assert stripe_call(connection, "POST", "/v1/refunds", {}, headers=live)[0] == 401
        _, last, _ = stripe_call(connection, "GET", "/v1/payment_intents")
        assert path.stat().st_size == size
    assert b"sk_live" not in path.read_bytes()
    with Running("stripe", state=str(path)) as running:
        _, anew, _ = stripe_call(running.connection(), "GET", "/v1/payment_intents")
        assert anew["request-id"] not in [told["request-id"] for told in (zeroth, first, last)]


def test_a_payment_takes_some_hundred_bytes(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", state=str(path)) as running:
        pay(running, key="0")
        before = path.stat().st_size
        for number in range(1, 11):
            assert pay(running, key=str(number), order=f"o{number}")[0] == 200
        size = (path.stat().st_size - before) / 10
    assert 300 < size < 600


def test_timers_fire_again_at_the_same_moment(tmp_path: Path) -> None:
    path = tmp_path / "s"

    def events(running: Running) -> list[tuple[str, int, bytes]]:
        return running.thread.call(
            lambda: [(row.kind, row.created, row.payload()) for row in running.gateway.outbox]
        )

    with Running("stripe", state=str(path), clock_speed=600_000) as running:
        _, _, intent = stripe_call(
            running.connection(),
            "POST",
            "/v1/payment_intents",
            {**stripe_payment(), "capture_method": "manual"},
        )
        # Real time does it: seven days are over in one second.
        running.until(
            lambda: any(row.kind == "payment_intent.canceled" for row in running.gateway.outbox), "it expires"
        )
        crash(running)
        before = events(running)
    assert any(row[0] == "fire" for row in records(path))
    with Running("stripe", state=str(path), clock_speed=600_000) as running:
        assert events(running)[: len(before)] == before
        _, _, found = stripe_call(running.connection(), "GET", f"/v1/payment_intents/{intent['id']}")
        assert found["status"] == "canceled"


def test_a_file_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", state=str(path)) as running:
        pay(running)
    lines = path.read_bytes().splitlines()
    # The same request, had the code of its time answered it in another way.
    place = next(number for number, line in enumerate(lines) if line[9:].startswith(b'["execute"'))
    record = json.loads(lines[place][9:])
    record[-1] ^= 1
    body = json.dumps(record).encode()
    lines[place] = b"%08x %b" % (zlib.crc32(body), body)
    path.write_bytes(b"\n".join(lines) + b"\n")
    again = Running("stripe", state=str(path))
    refused = pytest.raises(ValueError, match=r"another version of paydrill.*is answered differently now")
    with again.thread, refused:
        again.thread.wait(again.service.start(again.plan))
    file = StateFile(path, json.loads(lines[0][9:])[1])  # nobody holds it any more
    try:
        assert len(list(file.records())) == len(lines) - 1
    finally:
        file.close()


def test_a_mock_that_cannot_keep_its_state_does_not_answer_as_if_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: list[bool] = []
    with Running("stripe", state=str(tmp_path / "s")) as running:
        recorder = running.service._recorder
        assert recorder is not None
        recorder._failed = lambda: ended.append(True)

        def full(file: StateFile) -> None:
            raise StateError("the state file cannot be written: No space left on device")

        monkeypatch.setattr(StateFile, "flush", full)
        status, _, _ = pay(running)
        assert status == 500 and ended == [True]
        assert "No space left" in capfd.readouterr().err


def test_identifiers_that_were_drawn_in_vain_are_not_drawn_again(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with Running("stripe", state=str(path)) as running:
        # As a request does that is refused after it has drawn one: it is not kept.
        running.thread.call(lambda: running.gateway.next_id(24, "ab"))
        _, _, first = pay(running)
        crash(running)
    with Running("stripe", state=str(path)) as running:
        _, _, found = stripe_call(running.connection(), "GET", f"/v1/payment_intents/{first['id']}")
        assert found["client_secret"] == first["client_secret"]
        assert pay(running)[2]["id"] != first["id"]


def test_a_certificate_that_was_fetched_does_not_keep_paypal_from_going_on(tmp_path: Path) -> None:
    path = tmp_path / "s"
    for _ in range(2):  # another process has another key, and its certificate another place
        with Running("paypal", state=str(path)) as running:
            gateway = running.gateway
            assert isinstance(gateway, PayPal)
            target = urlsplit(gateway.signer.cert_url).path
            connection = running.connection()
            connection.request("GET", target)
            with connection.getresponse() as response:
                assert response.status == 200
                response.read()
    assert {row[0] for row in records(path)} == {"start", "reserve"}


def test_deliveries_go_on_to_where_the_process_was_told_before_it_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    nowhere = {"urls": ["http://127.0.0.1:1/hooks"], "events": ["payment_intent.succeeded"]}
    with Running("stripe", state=str(path)) as running:
        running.thread.call(lambda: running.service.deliver(nowhere))
        assert pay(running)[0] == 200
        crash(running)
    with Running("stripe", state=str(path), webhooks=nowhere) as running:
        outbox = running.gateway.outbox
        pending = running.thread.call(lambda: {event.kind: outbox.pending(event) for event in outbox})
        assert pending["payment_intent.succeeded"] == 1
        assert sum(pending.values()) == 1  # of the others, nobody was to hear


def test_nothing_falls_due_once_the_file_is_closed(tmp_path: Path) -> None:
    with Running("gocardless", state=str(tmp_path / "s")) as running:
        gateway, fired = running.gateway, list[str]()
        close = gateway.outbox.close

        async def slowly() -> None:
            gateway.mock_clock.advance(3600)
            await close()

        gateway.outbox.close = slowly  # type: ignore[method-assign]
        running.thread.call(lambda: gateway.mock_clock.call_later(60, lambda: fired.append("unrecorded")))
    assert fired == []
