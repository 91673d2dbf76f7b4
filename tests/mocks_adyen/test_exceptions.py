"""Every error of the mock is an exception of Adyen's own SDK, and asking again charges once."""

from __future__ import annotations

import pytest
from Adyen.exceptions import (
    AdyenAPIAuthenticationError,
    AdyenAPICommunicationError,
    AdyenAPIInvalidPermission,
    AdyenAPIResponseError,
    AdyenAPIUnprocessableEntity,
    AdyenAPIValidationError,
)

from mocks.faults import FaultPlan
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import modification, moved, sdk

HOUR_NS = 3600 * 10**9


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, AdyenAPIValidationError),
        (401, AdyenAPIAuthenticationError),
        (403, AdyenAPIInvalidPermission),
        (404, AdyenAPICommunicationError),
        (422, AdyenAPIUnprocessableEntity),
        (429, AdyenAPIResponseError),
        (500, AdyenAPICommunicationError),
        (503, AdyenAPIResponseError),
    ],
)
def test_failures_are_the_sdks_exceptions_and_move_nothing(status: int, error: type[Exception]) -> None:
    params = {"status": status}
    fault = FaultPlan("f1", "http_error", 0, HOUR_NS, endpoint="captures.create", params=params)
    with Running("adyen", faults=(fault,)) as running:
        checkout = sdk(running)
        manual = adyen_payment("failing") | {"additionalData": {"manualCapture": "true"}}
        psp = checkout.payments_api.payments(manual).message["pspReference"]
        capture = checkout.modifications_api.capture_authorised_payment
        with pytest.raises(error) as caught:
            capture(modification(500), psp, idempotency_key="again")
        assert type(caught.value) is error
        assert moved(running, "failing") == []
        schedule = running.service.schedule
        assert schedule is not None
        running.thread.call(schedule.close)
        answers = [capture(modification(500), psp, idempotency_key="again").message for _ in range(2)]
        assert answers[0] == answers[1]
        assert moved(running, "failing") == [("capture", 500)]
