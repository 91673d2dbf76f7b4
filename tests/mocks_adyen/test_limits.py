"""How long a key is kept, how much may be asked in a second, and what a limit does to a payment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from Adyen.exceptions import AdyenAPIResponseError, AdyenAPIUnprocessableEntity

from mocks.gateways.adyen.application import LONGEST_KEY
from tests.mocks.running import Running, adyen_call, adyen_payment
from tests.mocks_adyen.sdk import advance, moved, sdk

DAY = 86_400


def test_a_key_has_at_most_64_characters(running: Running) -> None:
    pay = sdk(running).payments_api.payments
    longest = "k" * LONGEST_KEY
    answers = [pay(adyen_payment("longest"), idempotency_key=longest).message for _ in range(2)]
    assert answers[0] == answers[1] and moved(running, "longest") == [("capture", 1290)]
    with pytest.raises(AdyenAPIUnprocessableEntity):
        pay(adyen_payment("too-long"), idempotency_key=longest + "k")
    assert moved(running, "too-long") == []


def test_a_key_is_kept_for_31_days() -> None:
    with Running("adyen") as running:
        pay = sdk(running).payments_api.payments
        first = pay(adyen_payment("kept"), idempotency_key="kept").message
        advance(running, 31 * DAY - 60)
        assert pay(adyen_payment("kept"), idempotency_key="kept").message == first
        advance(running, 61)
        assert pay(adyen_payment("kept"), idempotency_key="kept").message != first
        assert moved(running, "kept") == [("capture", 1290)] * 2


def test_regions_do_not_share_keys() -> None:
    with Running("adyen", seed=1) as europe, Running("adyen", seed=2) as america:
        answers = [
            sdk(region).payments_api.payments(adyen_payment("region"), idempotency_key="same").message
            for region in (europe, america)
        ]
        assert answers[0]["pspReference"] != answers[1]["pspReference"]
        assert moved(europe, "region") == moved(america, "region") == [("capture", 1290)]


def test_one_key_from_many_clients_pays_once() -> None:
    with Running("adyen", p50_ms=20) as running:
        start = threading.Barrier(16)

        def pay(number: int) -> str:
            start.wait()
            try:
                message = sdk(running).payments_api.payments(adyen_payment("many"), idempotency_key="one")
            except AdyenAPIUnprocessableEntity as error:
                assert error.error_code == "704" and error.headers["Transient-Error"] == "true"
                return "transient"
            return str(message.message["pspReference"])

        with ThreadPoolExecutor(16) as pool:
            answers = set(pool.map(pay, range(16)))
        assert len(answers - {"transient"}) == 1
        assert moved(running, "many") == [("capture", 1290)]
        again = sdk(running).payments_api.payments(adyen_payment("many"), idempotency_key="one")
        assert again.message["pspReference"] in answers


def test_there_is_no_limit_unless_it_is_asked_for(running: Running) -> None:
    assert not running.gateway.rate_limit.enforced


def test_beyond_the_limit_is_429_and_pays_nothing() -> None:
    with Running("adyen", rate_limit=3) as running:
        # The clock stands still but for what the test adds, so that no token comes back by itself.
        running.thread.call(lambda: setattr(running.gateway.mock_clock, "_real", lambda: 1e9))
        running.thread.call(lambda: running.gateway.rate_limit.enforce(3))
        pay = sdk(running).payments_api.payments
        for number in range(3):
            pay(adyen_payment(f"within-{number}"))
        with pytest.raises(AdyenAPIResponseError) as caught:
            pay(adyen_payment("beyond"), idempotency_key="beyond")
        assert caught.value.status_code == 429
        assert (caught.value.error_code, caught.value.message["errorType"]) == ("000", "security")
        assert "Transient-Error" not in caught.value.headers
        assert moved(running, "beyond") == []
        advance(running, 1)
        pay(adyen_payment("beyond"), idempotency_key="beyond")
        assert moved(running, "beyond") == [("capture", 1290)]


def test_who_is_unknown_uses_up_nobodys_limit() -> None:
    with Running("adyen", rate_limit=1) as running:
        connection = running.connection()
        for _ in range(5):
            answer = adyen_call(connection, "/v72/payments", adyen_payment(), headers={"X-API-Key": ""})
            assert answer[0] == 401
        assert adyen_call(connection, "/v72/payments", adyen_payment())[0] == 200
