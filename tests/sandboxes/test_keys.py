"""Which keys are taken: test keys that are surely test keys; nothing else, and no message repeats one."""

from __future__ import annotations

import pytest

from mocks.proxy.credentials import refusal
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.keys import KeysError, problems, read

ENVIRONMENT = {
    "PAYDRILL_STRIPE_KEY": "sk_test_" + "1" * 24,
    "PAYDRILL_ADYEN_KEY": "AQE" + "2" * 40,
    "PAYDRILL_ADYEN_MERCHANT": "ShopECOM",
    "PAYDRILL_PAYPAL_CLIENT_ID": "A" + "3" * 79,
    "PAYDRILL_PAYPAL_SECRET": "E" + "4" * 79,
    "PAYDRILL_GOCARDLESS_TOKEN": "sandbox_" + "5" * 40,
}
ALL_KEYS = [key for sandbox in SANDBOXES.values() for key in sandbox.keys]


def test_every_key_that_is_missing_is_named_at_once() -> None:
    found = problems(ALL_KEYS, {"PAYDRILL_ADYEN_KEY": "AQE1", "PAYDRILL_STRIPE_KEY": ""})
    named = {sentence.split()[0] for sentence in found}
    assert named == ENVIRONMENT.keys() - {"PAYDRILL_ADYEN_KEY"}
    assert problems(ALL_KEYS, ENVIRONMENT) == ()


@pytest.mark.parametrize(
    ("variable", "value", "taken"),
    [
        ("PAYDRILL_STRIPE_KEY", "sk_test_51Hsecretsecret", True),
        ("PAYDRILL_STRIPE_KEY", "rk_test_51Hsecretsecret", True),
        ("PAYDRILL_STRIPE_KEY", "sk_live_51Hsecretsecret", False),
        ("PAYDRILL_STRIPE_KEY", "rk_live_51Hsecretsecret", False),
        ("PAYDRILL_STRIPE_KEY", "pk_test_51Hsecretsecret", False),
        ("PAYDRILL_STRIPE_KEY", " sk_test_51Hsecretsecret", False),
        ("PAYDRILL_STRIPE_KEY", "SK_TEST_51Hsecretsecret", False),
        ("PAYDRILL_STRIPE_KEY", "sk_test_secretsecret\r\nx-other: 1", False),
        ("PAYDRILL_GOCARDLESS_TOKEN", "sandbox_secretsecret", True),
        ("PAYDRILL_GOCARDLESS_TOKEN", "live_secretsecret", False),
        ("PAYDRILL_GOCARDLESS_TOKEN", "secretsecret", False),
        # Nothing in these tells; only the test host is ever called with them.
        ("PAYDRILL_ADYEN_KEY", "AQEsecretsecret", True),
        ("PAYDRILL_PAYPAL_SECRET", "EPsecretsecret", True),
    ],
)
def test_what_is_not_surely_a_test_key_is_refused(variable: str, value: str, taken: bool) -> None:
    (sandbox,) = (s for s in SANDBOXES.values() if variable in {key.variable for key in s.keys})
    environment = {**ENVIRONMENT, variable: value}
    if taken:
        assert read(sandbox.keys, environment)[variable] == value
        return
    with pytest.raises(KeysError) as caught:
        read(sandbox.keys, environment)
    assert variable in str(caught.value)
    assert "secretsecret" not in str(caught.value)


def test_credentials_show_no_key() -> None:
    for sandbox in SANDBOXES.values():
        credentials = read(sandbox.keys, ENVIRONMENT)
        shown = f"{credentials} {credentials!r}"
        assert not any(value in shown for value in ENVIRONMENT.values())


def test_sandboxes_with_a_host_of_their_own_call_no_other() -> None:
    hosts = {name: sandbox.host for name, sandbox in SANDBOXES.items()}
    assert hosts == {
        "stripe": "api.stripe.com",  # one host for both: there the key tells
        "paypal": "api-m.sandbox.paypal.com",
        "adyen": "checkout-test.adyen.com",
        "gocardless": "api-sandbox.gocardless.com",
    }


@pytest.mark.parametrize(
    ("gateway", "authorization", "forwarded"),
    [
        ("stripe", "Bearer sk_test_1", True),
        ("stripe", "bearer rk_test_1", True),
        ("stripe", "Basic c2tfdGVzdF8xOg==", True),  # sk_test_1:
        ("stripe", "Basic c2tfbGl2ZV8xOg==", False),  # sk_live_1:
        ("stripe", "Basic !!!", False),
        ("stripe", "Bearer sk_live_1", False),
        ("stripe", "Bearer rk_live_1", False),
        ("stripe", "Bearer  sk_live_1", False),
        ("stripe", "Bearer 1", False),
        ("gocardless", "Bearer sandbox_1", True),
        ("gocardless", "Bearer live_1", False),
    ],
)
def test_requests_are_forwarded_only_with_a_test_credential(
    gateway: str, authorization: str, forwarded: bool
) -> None:
    credentials = (authorization.encode(),) if authorization else ()
    why = refusal(credentials, SANDBOXES[gateway].host)
    assert (why == "") is forwarded
    assert "_1" not in why
