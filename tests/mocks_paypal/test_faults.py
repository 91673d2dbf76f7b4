"""Faults on the PayPal mock, as its SDK meets them."""

from __future__ import annotations

import json

import pytest
from paypalserversdk.exceptions.api_exception import (  # type: ignore[import-untyped,unused-ignore]
    ApiException,
)

from mocks.faults import FaultPlan
from tests.mocks.running import Running
from tests.mocks_paypal.client import Client, moved


def test_an_error_of_paypals_own_moves_nothing_and_has_its_shape() -> None:
    fault = FaultPlan("f1", "http_error", 0, 3600 * 10**9, endpoint="orders.capture", params={"status": 503})
    with Running("paypal", faults=(fault,)) as running:
        running.until(lambda: len(running.gateway.faults) == 1, "the fault is on")
        client = Client(running)
        try:
            name = client.approved("down")
            with pytest.raises(ApiException) as caught:
                client.orders.capture_order({"id": name, "paypal_request_id": "down-1"})
            response = caught.value.response
            body = json.loads(response.text)
            assert (caught.value.response_code, body["name"]) == (503, "SERVICE_UNAVAILABLE")
            assert body["debug_id"] == response.headers["paypal-debug-id"]
            assert moved(running, "down") == [] and len(running.gateway.keys) == 0
            request = running.requests[-1]
            assert (request.status, request.fault) == (503, "http_error")
            assert request.idempotency_key == "down-1"
            assert client.orders.get_order({"id": name}).body.status == "APPROVED"
        finally:
            client.close()


def test_beyond_the_rate_limit_nothing_is_made() -> None:
    with Running("paypal", rate_limit=1) as running:
        client = Client(running)
        try:
            with pytest.raises(ApiException) as caught:
                for place in range(12):
                    client.create(f"o{place}")
            assert (caught.value.response_code, json.loads(caught.value.response.text)["name"]) == (
                429,
                "RATE_LIMIT_REACHED",
            )
        finally:
            client.close()
