"""Whatever comes over the socket, Adyen's own error goes back, and the server lives."""

from __future__ import annotations

import http.client
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.adyen import ADYEN
from mocks.gateways.adyen.routes import endpoint
from mocks.gateways.gateway import HEALTH
from tests.mocks.running import Running, adyen_call, adyen_payment
from tests.mocks_adyen.sdk import ACCOUNT, told

PATHS = (
    "/v72/payments",
    "/v72/payments/details",
    "/v72/payments/{psp}/captures",
    "/v72/payments/{psp}/refunds",
    "/v72/payments/{psp}/cancels",
    "/v72/payments/{psp}/reversals",
    "/v72/payments/{psp}/amountUpdates",
    "/v72/cancels",
    "/ca/services/DisputeService/v30/retrieveApplicableDefenseReasons",
    "/ca/services/DisputeService/v30/supplyDefenseDocument",
    "/ca/services/DisputeService/v30/deleteDisputeDefenseDocument",
    "/ca/services/DisputeService/v30/defendDispute",
    "/ca/services/DisputeService/v30/acceptDispute",
    "/reports/download/MerchantAccount/PaydrillECOM/settlement_detail_report_batch_1.csv",
    "/checkoutshopper/threeDS/redirect",
    "/v72/sessions",
    "/",
)
# Not the one that ends the dispute for all further examples.
DISPUTE_PATHS = [path for path in PATHS if "DisputeService" in path and "accept" not in path]
FIELDS = (
    "merchantAccount",
    "merchantAccountCode",
    "disputePspReference",
    "defenseReasonCode",
    "defenseDocuments",
    "defenseDocumentType",
    "amount",
    "reference",
    "paymentReference",
    "paymentMethod",
    "additionalData",
    "captureDelayHours",
    "details",
    "paymentData",
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_METHOD = st.fixed_dictionaries(
    {"type": st.sampled_from(["scheme", "applepay", "googlepay", "sepadirectdebit"]) | _JSON},
    optional=dict.fromkeys(("iban", "ownerName", "holderName", "encryptedCardNumber", "number"), _JSON),
)
_DOCUMENT = _JSON | st.fixed_dictionaries(
    {
        "defenseDocumentTypeCode": st.just("DefenseMaterial") | _JSON,
        "contentType": st.just("application/pdf") | _JSON,
        "content": st.text(max_size=6) | _JSON,
    }
)
_OF_A_DISPUTE = {"merchantAccountCode": ACCOUNT, "disputePspReference": "{dispute}"}
_BODY = st.one_of(
    st.binary(max_size=60),
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(FIELDS), _JSON).map(
        lambda change: json.dumps(adyen_payment() | _OF_A_DISPUTE | change).encode()
    ),
    st.lists(_DOCUMENT).map(
        lambda documents: json.dumps(_OF_A_DISPUTE | {"defenseDocuments": documents}).encode()
    ),
    _METHOD.map(lambda method: json.dumps(adyen_payment() | {"paymentMethod": method}).encode()),
)
_DISPUTE_BODY = st.one_of(
    st.lists(_DOCUMENT, min_size=1).map(lambda documents: {"defenseDocuments": documents}),
    st.dictionaries(st.sampled_from(FIELDS[:6]), _JSON),
)
_HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=70)


@settings(deadline=None, max_examples=300)
@given(
    method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "DELETE", "PATCH"]),
    path=st.sampled_from(PATHS),
    body=_BODY,
    content_type=st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", ""]),
    key=st.sampled_from(["key", "", None]),
    idempotency=st.none() | _HEADER,
)
def test_adyens_own_error_answers_it(
    running: Running,
    method: str,
    path: str,
    body: bytes,
    content_type: str,
    key: str | None,
    idempotency: str | None,
) -> None:
    connection = _connection(running)
    headers = {"Content-Type": content_type}
    if key is not None:
        headers["X-API-Key"] = key
    if idempotency is not None:
        headers["Idempotency-Key"] = idempotency
    connection.request(method, path.replace("{psp}", _known(running)[0]), body=body, headers=headers)
    with connection.getresponse() as response:
        status, text = response.status, response.read()
    assert connection.sock is not None, "the connection is kept open"
    answer = json.loads(text)
    assert status < 500, text
    if status >= 400:
        assert {"status", "errorCode", "message", "errorType"} == answer.keys()
        assert answer["status"] == status and answer["errorType"] in ("validation", "security")
    if not key and not path.startswith("/checkoutshopper"):
        assert status == 401
    if status in (200, 201):
        assert "pspReference" in answer or "resultCode" in answer or "disputeServiceResult" in answer


@settings(deadline=None, max_examples=200)
@given(path=st.sampled_from(DISPUTE_PATHS), change=_DISPUTE_BODY)
def test_any_json_about_a_dispute_is_answered(running: Running, path: str, change: dict[str, Any]) -> None:
    connection = _connection(running)
    body = json.dumps(_OF_A_DISPUTE | change).replace("{dispute}", _known(running)[1])
    status, _, answer = adyen_call(connection, path, body.encode())
    assert status in (200, 400, 403, 422), answer
    if status == 200:
        assert answer["disputeServiceResult"]["success"] in (True, False)


_kept: dict[int, tuple[http.client.HTTPConnection, str, str]] = {}


def _connection(running: Running) -> http.client.HTTPConnection:
    """One connection for all examples, with a payment and a dispute for them to name."""
    if running.port not in _kept:
        connection = running.connection()
        manual = adyen_payment("known") | {"additionalData": {"manualCapture": "true"}}
        psp = adyen_call(connection, "/v72/payments", manual)[2]["pspReference"]
        adyen_call(connection, "/v72/payments", adyen_payment("disputed", holderName="Chargeback"))
        _kept[running.port] = connection, psp, told(running, "disputed")[-1]["pspReference"]
    return _kept[running.port][0]


def _known(running: Running) -> tuple[str, str]:
    return _kept[running.port][1:]


def test_wrong_routes_and_accounts(running: Running) -> None:
    connection = running.connection()
    paid = adyen_call(connection, "/v72/payments", adyen_payment("routes"))[2]["pspReference"]
    for path, body, status, code in (
        ("/v72/payments/", {}, 404, "000"),
        ("/v72/payments/%00/captures", _capture(), 422, "167"),
        ("/v72/payments//captures", _capture(), 404, "000"),
        (f"/v72/payments/{paid.lower()}/captures", _capture(), 422, "167"),
        (f"/v72/payments/{paid}/captures", _capture(merchantAccount="Another"), 403, "901"),
        (f"/v72/payments/{paid}/captures", _capture(merchantAccount=[]), 403, "901"),
        (f"/v72/payments/{paid}/captures", b"[1]", 400, "702"),
        (f"/v72/payments/{paid}/captures", b"", 400, "702"),
        (f"/v72/payments/{paid}/captures", b"amount=1", 400, "702"),
        (f"/v72/payments/{paid}/captures", b'{"amount": {"value": 1e400}}', 400, "702"),
        ("/ca/services/DisputeService/v30/nothing", {}, 404, "000"),
        ("/ca/services/DisputeService/acceptDispute", {}, 404, "000"),
    ):
        answered, _, answer = adyen_call(connection, path, body)
        assert (path, answered, answer["errorCode"]) == (path, status, code)


def _capture(**change: Any) -> dict[str, Any]:
    return {"merchantAccount": ACCOUNT, "amount": {"currency": "EUR", "value": 1}} | change


def test_a_deep_body_is_no_danger(running: Running) -> None:
    connection = running.connection()
    for opening in (b"[" * 20_000, b'{"a":' * 20_000):
        assert adyen_call(connection, "/v72/payments", opening)[0] == 400
    for depth in (250, 300, 1000):
        nested = b'{"merchantAccount": "A", "reference": ' + b"[" * depth + b"]" * depth + b"}"
        for key in (None, f"deep-{depth}"):
            assert adyen_call(connection, "/v72/payments", nested, key=key)[0] in (400, 422)
    assert adyen_call(connection, "/v72/payments", adyen_payment("alive"))[0] == 200


def test_every_endpoint_has_a_name_that_a_fault_can_have() -> None:
    asked = [("POST", path.replace("{psp}", "P")) for path in PATHS] + [("GET", path) for path in PATHS]
    names = {endpoint(method, path)[0] for method, path in asked} - {""}
    assert names | {HEALTH} == set(ADYEN.endpoints)
