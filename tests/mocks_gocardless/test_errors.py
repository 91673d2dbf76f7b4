"""What is refused, and how: through the SDK's exceptions, and raw where the SDK cannot send it."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import gocardless_pro  # type: ignore[import-untyped]
import pytest
from gocardless_pro import errors
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.gateways.gocardless.customers import is_iban
from mocks.gateways.gocardless.errors import server_error
from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client, mandate, pay, raw

PERSON = {"given_name": "Ada", "family_name": "Byron"}


def reason(error: Any) -> str:
    return str(error.value.errors[0]["reason"])


def test_tokens(running: Running) -> None:
    for headers, expected in (
        ({"authorization": None}, "missing_authorization_header"),
        ({"authorization": "Basic x"}, "invalid_authorization_header"),
        ({"authorization": "Bearer"}, "invalid_authorization_header"),
    ):
        status, _, body = raw(running, "GET", "/payments", **headers)
        assert status == 401 and body["error"]["errors"][0]["reason"] == expected
    live = gocardless_pro.Client(access_token="live_secret", base_url=running.url)
    with pytest.raises(errors.AuthenticationError) as refused:
        live.payments.list()
    assert "live_secret" not in json.dumps(refused.value.error)


def test_versions_routes_methods_and_types(running: Running) -> None:
    cases: list[tuple[str, str, bytes | None, dict[str, str | None], int, str]] = [
        ("GET", "/payments", None, {"gocardless_version": None}, 400, "missing_version_header"),
        ("GET", "/payments", None, {"gocardless_version": "2014-01-01"}, 400, "version_not_found"),
        ("GET", "/cards", None, {}, 404, "path_not_found"),
        ("GET", "/payments/PM0", None, {}, 404, "resource_not_found"),
        ("DELETE", "/payments/PM0", None, {}, 405, "method_not_allowed"),
        ("DELETE", "/payouts", None, {}, 405, "method_not_allowed"),
        ("POST", "/payments", b"a=b", {"content_type": "text/plain"}, 415, "invalid_content_type"),
        ("POST", "/payments", b"{", {}, 400, "bad_request"),
        ("POST", "/payments", b"[]", {}, 400, "invalid_document_structure"),
        ("POST", "/payments", b"{}", {}, 400, "invalid_document_structure"),
        ("POST", "/payments", b'{"payments": 1}', {}, 400, "invalid_document_structure"),
        ("POST", "/payments", b'{"payments": {"cvc": 1}}', {}, 400, "invalid_document_structure"),
        ("POST", "/scenario_simulators/x/actions/run", b'{"data": {}}', {}, 422, ""),
    ]
    for method, path, body, headers, status, expected in cases:
        got, sent, answer = raw(running, method, path, body, **headers)
        error = answer["error"]
        assert (got, error["code"], error["errors"][0].get("reason", "")) == (status, status, expected), path
        assert error["request_id"] == sent["x-request-id"] and error["message"]
        assert error["type"] in ("invalid_api_usage", "validation_failed")


def test_long_keys_are_refused(sdk: Any) -> None:
    with pytest.raises(errors.InvalidApiUsageError) as refused:
        sdk.customers.create(params=PERSON, headers={"Idempotency-Key": "k" * 129})
    assert reason(refused) == "idempotency_key_too_long"
    assert sdk.customers.create(params=PERSON, headers={"Idempotency-Key": "k" * 128}).id


def test_validation_names_every_field(sdk: Any) -> None:
    with pytest.raises(errors.ValidationFailedError) as refused:
        sdk.payments.create(params={"amount": "12.90", "currency": "JPY", "metadata": {"a": 1}, "links": {}})
    found = {error["field"]: error["request_pointer"] for error in refused.value.errors}
    assert found == {
        "amount": "/payments/amount",
        "currency": "/payments/currency",
        "metadata": "/payments/metadata",
        "mandate": "/payments/links/mandate",
    }
    assert refused.value.code == 422 and "amount" in str(refused.value)


@pytest.mark.parametrize(
    ("amount", "taken"),
    [(100, True), ("250", True), (500_000, True)]
    + [(wrong, False) for wrong in (99, 0, -1, 500_001, 2**31, True, 12.5)],
)
def test_amounts(sdk: Any, amount: Any, taken: bool) -> None:
    agreed = mandate(sdk)
    if taken:
        assert pay(sdk, agreed.id, "amount", amount).amount == int(amount)
    else:
        with pytest.raises(errors.ValidationFailedError):
            pay(sdk, agreed.id, "amount", amount)


def test_metadata_has_limits(sdk: Any) -> None:
    for metadata in ({str(n): "x" for n in range(4)}, {"k" * 51: "x"}, {"k": "x" * 501}):
        with pytest.raises(errors.ValidationFailedError):
            sdk.customers.create(params={**PERSON, "metadata": metadata})
    assert sdk.customers.create(params={**PERSON, "metadata": {"k" * 50: "x" * 500}}).id


def test_links_to_nothing(sdk: Any) -> None:
    with pytest.raises(errors.InvalidApiUsageError) as refused:
        pay(sdk, "MD0", "nowhere")
    assert (refused.value.code, reason(refused)) == (404, "link_not_found")
    with pytest.raises(errors.InvalidApiUsageError):
        sdk.mandates.create(params={"links": {"customer_bank_account": "BA0"}})
    with pytest.raises(errors.InvalidApiUsageError) as unknown:
        sdk.scenario_simulators.run("payment_lost", params={"links": {"resource": "PM0"}})
    assert reason(unknown) == "resource_not_found"


def test_customers_and_accounts_are_checked(sdk: Any) -> None:
    with pytest.raises(errors.ValidationFailedError) as nameless:
        sdk.customers.create(params={"email": "nobody"})
    assert {error["field"] for error in nameless.value.errors} == {"email", "given_name", "family_name"}
    customer = sdk.customers.create(params={"company_name": "Analytical Engines"})
    base = {"account_holder_name": "Ada", "links": {"customer": customer.id}}
    for wrong in ({"iban": "DE88370400440532013000"}, {"country_code": "GB"}, {"account_number": "55779911"}):
        with pytest.raises(errors.ValidationFailedError):
            sdk.customer_bank_accounts.create(params={**base, **wrong})
    good = {"iban": "DE89 3704 0044 0532 0130 00"}
    account = sdk.customer_bank_accounts.create(params={**base, **good})
    assert (account.account_number_ending, account.currency, account.country_code) == ("00", "EUR", "DE")
    with pytest.raises(errors.InvalidStateError) as twice:
        sdk.customer_bank_accounts.create(params={**base, **good})
    assert reason(twice) == "bank_account_exists" and twice.value.code == 409
    assert twice.value.errors[0]["links"]["customer_bank_account"] == account.id
    with pytest.raises(errors.ValidationFailedError):
        sdk.mandates.create(params={"scheme": "bacs", "links": {"customer_bank_account": account.id}})
    with pytest.raises(errors.ValidationFailedError):
        pay(sdk, mandate(sdk, "EUR").id, "currency", currency="GBP")


def test_account_numbers_are_not_kept() -> None:
    with Running("gocardless") as running:
        mandate(client(running))
        (account,) = running.gateway.customers.accounts._rows  # type: ignore[attr-defined]
        assert "55779911" not in repr(account) and "5577" not in repr(account)


def test_published_ibans() -> None:
    assert is_iban("DE89370400440532013000") and is_iban("FR1420041010050500013M02606")
    assert not is_iban("DE89370400440532013001") and not is_iban("DE89") and not is_iban("")


def test_the_rate_limit_is_shown_and_enforced_on_request() -> None:
    with Running("gocardless") as running:
        limit, clock = running.gateway.rate_limit, running.gateway.mock_clock
        # The test has a whole window to itself.
        running.thread.call(lambda: clock.advance(60 - clock.now() % 60))
        sdk = client(running)
        sdk.payments.list()
        assert (sdk._api_client.rate_limit.limit, sdk._api_client.rate_limit.remaining) == (1000, 999)
        running.thread.call(lambda: limit.enforce(3))
        for left in (2, 1, 0):
            sdk.payments.list()
            assert (sdk._api_client.rate_limit.limit, sdk._api_client.rate_limit.remaining) == (3, left)
        reset = parsedate_to_datetime(sdk._api_client.rate_limit.reset).timestamp()
        assert reset % 60 == 0 and 0 < reset - clock.now() <= 60
        with pytest.raises(errors.RateLimitError) as refused:
            sdk.payments.list()
        assert reason(refused) == "rate_limit_exceeded"
        running.thread.call(lambda: running.gateway.mock_clock.advance(60))
        sdk.payments.list()
        assert sdk._api_client.rate_limit.remaining == 2


def test_errors_of_the_gateways_own_making_have_a_type_that_the_sdk_knows() -> None:
    for status in (400, 401, 403, 404, 429, 500, 502, 503, 504):
        error = json.loads(server_error(status).body)["error"]
        assert errors.ApiError.exception_for(status, error["type"], error["errors"])
        assert error["code"] == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES: tuple[str, ...] = (
    "amount",
    "currency",
    "links",
    "metadata",
    "iban",
    "account_holder_name",
    "country_code",
    "scheme",
)
NAMES += ("total_amount_confirmation", "email", "reference", "account_number", "charge_date", "given_name")


@settings(max_examples=60, deadline=None)
@given(
    resource=st.sampled_from(["customers", "customer_bank_accounts", "mandates", "payments", "refunds"]),
    values=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
def test_no_body_is_a_crash(running: Running, resource: str, values: dict[str, Any]) -> None:
    body = json.dumps({resource: values}).encode()
    status, _, answer = raw(running, "POST", f"/{resource}", body)
    assert status in (201, 400, 404, 422)
    assert resource in answer or answer["error"]["type"] in ("invalid_api_usage", "validation_failed")


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=40))
def test_no_bytes_are_a_crash(running: Running, body: bytes) -> None:
    status, _, answer = raw(running, "POST", "/payments", body)
    assert status == 400 and answer["error"]["type"] == "invalid_api_usage"
