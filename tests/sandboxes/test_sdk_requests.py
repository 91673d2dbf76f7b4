"""What the connectors send is what the official SDKs send: recorded from both, byte by byte, on a raw socket.

The differences that are left, and why they are no matter, are in ``DIFFERENCES``; a new one fails the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import Adyen
import gocardless_pro  # type: ignore[import-untyped]
import pytest
import stripe
from paypalserversdk.configuration import (  # type: ignore[import-untyped,unused-ignore]
    Configuration,
    Environment,
    Server,
)
from paypalserversdk.http.auth.o_auth_2 import (  # type: ignore[import-untyped,unused-ignore]
    ClientCredentialsAuthCredentials,
)
from paypalserversdk.paypal_serversdk_client import (  # type: ignore[import-untyped,unused-ignore]
    PaypalServersdkClient,
)

from mocks.outbound import Call, Client
from mocks.platform.connectors import CONNECTORS
from mocks.platform.connectors.paypal import token_request
from mocks.platform.payment import Payment, Refund
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.keys import read
from tests.platform.rig import run as play
from tests.sandboxes.raw import Listener, Recorded
from tests.sandboxes.test_keys import ENVIRONMENT

KEYS = {name: read(sandbox.keys, ENVIRONMENT) for name, sandbox in SANDBOXES.items()}
OURS = {name: CONNECTORS[name](**KEYS[name].arguments(SANDBOXES[name].keys)) for name in SANDBOXES}
INSTRUMENTS = {
    "stripe": ("card", "card_visa"),
    "adyen": ("card", "card_visa"),
    "gocardless": ("bank", "bank_account"),
    "paypal": ("paypal", "paypal_wallet"),
}
PAYMENTS = {
    name: Payment("pay_1", "abc123-0000001", 1290, "EUR", *INSTRUMENTS[name], reference="ref_1")
    for name in SANDBOXES
}
REFUND = Refund("re_1", "pay_1", 290, False)


class Pair(NamedTuple):
    """What a connector asks for, and the SDK's way to ask for the same, given what the connector sends."""

    call: Call
    sdk: Callable[[str, Any, str], object]


def step(name: str, *made: str) -> Call:
    found = OURS[name].step(PAYMENTS[name], made)
    assert found is not None
    return found.call


def charge(name: str, *made: str) -> Call:
    return OURS[name].charge(PAYMENTS[name], made)


def refund(name: str) -> Call:
    return OURS[name].refund(REFUND, PAYMENTS[name])


def stripes(url: str) -> Any:
    return stripe.StripeClient(KEYS["stripe"]["PAYDRILL_STRIPE_KEY"], base_addresses={"api": url})


def adyens(url: str) -> Any:
    adyen = Adyen.Adyen(xapikey=KEYS["adyen"]["PAYDRILL_ADYEN_KEY"], platform="test")
    adyen.checkout.payments_api.baseUrl = adyen.checkout.modifications_api.baseUrl = url + "/v72"
    return adyen.checkout


def gocardlesses(url: str) -> Any:
    return gocardless_pro.Client(access_token=KEYS["gocardless"]["PAYDRILL_GOCARDLESS_TOKEN"], base_url=url)


def paypals(url: str) -> Any:
    class Pointed(Configuration):  # type: ignore[misc]
        environments = {Environment.SANDBOX: {Server.DEFAULT: url}}  # noqa: RUF012

    pair = KEYS["paypal"]
    credentials = ClientCredentialsAuthCredentials(
        pair["PAYDRILL_PAYPAL_CLIENT_ID"], pair["PAYDRILL_PAYPAL_SECRET"]
    )
    return PaypalServersdkClient(config=Pointed(client_credentials_auth_credentials=credentials))


def _order(url: str, body: Any, key: str) -> object:
    return paypals(url).orders.create_order({"body": body, "paypal_request_id": key})


def _capture(url: str, body: Any, key: str) -> object:
    return paypals(url).orders.capture_order({"id": "O1", "body": body, "paypal_request_id": key})


def _paypal_refund(url: str, body: Any, key: str) -> object:
    asked = {"capture_id": "ref_1", "body": body, "paypal_request_id": key}
    return paypals(url).payments.refund_captured_payment(asked)


def _stripe_charge(url: str, body: Any, key: str) -> object:
    return stripes(url).v1.payment_intents.create(body, {"idempotency_key": key})


def _stripe_refund(url: str, body: Any, key: str) -> object:
    return stripes(url).v1.refunds.create(body, {"idempotency_key": key})


def _gocardless(resource: str) -> Callable[[str, Any, str], object]:
    def ask(url: str, body: Any, key: str) -> object:
        (values,) = body.values()
        return getattr(gocardlesses(url), resource).create(params=values, headers={"Idempotency-Key": key})

    return ask


PAIRS: dict[str, Pair] = {
    "stripe charge": Pair(charge("stripe"), _stripe_charge),
    "stripe refund": Pair(refund("stripe"), _stripe_refund),
    "adyen charge": Pair(
        charge("adyen"), lambda url, body, key: adyens(url).payments_api.payments(body, idempotency_key=key)
    ),
    "adyen refund": Pair(
        refund("adyen"),
        lambda url, body, key: adyens(url).modifications_api.refund_captured_payment(
            body, "ref_1", idempotency_key=key
        ),
    ),
    "gocardless customer": Pair(step("gocardless"), _gocardless("customers")),
    "gocardless account": Pair(step("gocardless", "CU1"), _gocardless("customer_bank_accounts")),
    "gocardless mandate": Pair(step("gocardless", "CU1", "BA1"), _gocardless("mandates")),
    "gocardless charge": Pair(charge("gocardless", "CU1", "BA1", "MD1"), _gocardless("payments")),
    "gocardless refund": Pair(refund("gocardless"), _gocardless("refunds")),
    "paypal order": Pair(step("paypal"), _order),
    "paypal charge": Pair(charge("paypal", "O1"), _capture),
    "paypal refund": Pair(refund("paypal"), _paypal_refund),
}

ANSWERS: Mapping[str, tuple[int, object]] = {
    "/v1/oauth2/token": (200, {"access_token": "A1", "token_type": "Bearer", "expires_in": 3600}),
    "/v1/.*": (200, {"id": "x_1", "object": "payment_intent", "status": "succeeded"}),
    "/v72/.*": (200, {"pspReference": "P1", "resultCode": "Authorised"}),
    "/v2/.*": (201, {"id": "O1", "status": "COMPLETED", "links": []}),
    **{
        f"/{resource}": (201, {resource: {"id": "x1", "links": {}}})
        for resource in ("customers", "customer_bank_accounts", "mandates", "payments", "refunds")
    },
}


def plain(call: Call) -> Any:
    """A call's body as one would give it to an SDK."""
    headers = dict(call.headers)
    if headers["content-type"] == "application/json":
        return json.loads(call.body)
    values: dict[str, Any] = {}
    for key, value in parse_qsl(call.body.decode(), strict_parsing=True):
        name, _, inner = key.partition("[")
        inner = inner.rstrip("]")
        if not _:
            values[name] = value
        elif inner:
            values.setdefault(name, {})[inner] = value
        else:
            values.setdefault(name, []).append(value)
    return values


def both(pair: Pair) -> tuple[Recorded, Recorded]:
    """The connector's request and the SDK's, as they came."""
    key = next(value for name, value in pair.call.headers if name in KEY_HEADERS)
    with Listener(ANSWERS) as listener:

        async def ours() -> None:
            client = Client(listener.url)
            await client.call(pair.call, 10_000_000_000)
            await client.close()

        play(ours())
        pair.sdk(listener.url, plain(pair.call), key)
        own, *others = listener.requests
    (sdk,) = (request for request in others if request.target != "/v1/oauth2/token")
    return own, sdk


KEY_HEADERS = ("idempotency-key", "paypal-request-id")
COMPARED = (*KEY_HEADERS, "authorization", "x-api-key", "gocardless-version", "content-type")

DIFFERENCES: dict[str, dict[str, str]] = {
    # A connector's calls get PayPal's token on their way, from the client that keeps it.
    "paypal": {"authorization": "Bearer A1"},
}
"""Gateway -> what only the SDK's request has among the compared headers, and may have."""

SDKS_OWN = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "user-agent",
    # What the SDKs tell of themselves.
    "adyen-library-name",
    "adyen-library-version",
    "gocardless-client-library",
    "gocardless-client-version",
    "x-stripe-client-user-agent",
    "x-stripe-client-telemetry",
    # Pins the API's version; without it the account's own stands, which the connector reads just as well.
    "stripe-version",
    # PayPal: the whole object or only its id, status and links. The connector asks again where it needs more.
    "prefer",
}
"""Headers that only the SDKs send."""


@pytest.mark.parametrize("name", PAIRS)
def test_a_connector_asks_as_the_official_sdk_does(name: str) -> None:
    gateway = name.split()[0]
    own, sdk = both(PAIRS[name])
    assert (own.method, own.target) == (sdk.method, sdk.target)
    assert same_body(own) == same_body(sdk)
    for header in COMPARED:
        theirs = sdk.header(header)
        if header == "content-type" and theirs is not None:
            theirs = theirs.partition(";")[0]  # a charset, which JSON and forms have one of
        if DIFFERENCES.get(gateway, {}).get(header) == theirs is not None:
            continue
        assert own.header(header) == theirs, header
    unknown = {key for key, _ in sdk.headers} - {key for key, _ in own.headers} - SDKS_OWN
    assert unknown - DIFFERENCES.get(gateway, {}).keys() == set()
    assert {key for key, _ in own.headers} <= {*COMPARED, "host", "content-length"}


def same_body(request: Recorded) -> object:
    """A body as its receiver reads it: the order of members and white space mean nothing in JSON, and in
    Stripe's forms ``a[]`` is ``a[0]``."""
    if (request.header("content-type") or "").startswith("application/json"):
        return json.loads(request.body)
    pairs = parse_qsl(request.body.decode("ascii"), strict_parsing=True)
    return sorted((re.sub(r"\[\d*\]", "[]", key), value) for key, value in pairs)


def test_paypals_token_is_asked_for_as_its_sdk_does() -> None:
    pair = KEYS["paypal"]
    call = token_request(pair["PAYDRILL_PAYPAL_CLIENT_ID"], pair["PAYDRILL_PAYPAL_SECRET"])
    with Listener(ANSWERS) as listener:

        async def ours() -> None:
            client = Client(listener.url)
            await client.call(call, 10_000_000_000)
            await client.close()

        play(ours())
        _capture(listener.url, {}, "k1")
        own, sdk = (request for request in listener.requests if request.target == "/v1/oauth2/token")
    assert own.method == sdk.method
    assert own.header("authorization") == sdk.header("authorization")
    assert own.header("content-type") == sdk.header("content-type")
    assert own.body == sdk.body
