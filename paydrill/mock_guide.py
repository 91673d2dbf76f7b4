"""What ``paydrill mock`` says of its servers: how an official SDK is pointed at each, and whom to trust."""

from __future__ import annotations

from pathlib import Path

CLIENTS: dict[str, tuple[str, ...]] = {
    "stripe": (
        'client = stripe.StripeClient("sk_test_1", base_addresses={{"api": "{url}"}})',
        'client.v1.payment_intents.create({{"amount": 1290, "currency": "eur", "confirm": True, '
        '"payment_method": "pm_card_visa"}})',
    ),
    "paypal": (
        'class Mock(Configuration): environments = {{Environment.SANDBOX: {{Server.DEFAULT: "{url}"}}}}',
        "client = PaypalServersdkClient(config=Mock(client_credentials_auth_credentials="
        'ClientCredentialsAuthCredentials("id", "secret")))',
    ),
    "adyen": (
        'client = Adyen.Adyen(xapikey="test", platform="test")',
        'client.checkout.payments_api.baseUrl = client.checkout.modifications_api.baseUrl = "{url}/v72"',
    ),
    "gocardless": (
        'client = gocardless_pro.Client(access_token="sandbox_1", base_url="{url}")',
        'client.customers.create(params={{"given_name": "Ada", "family_name": "Byron"}})',
    ),
}
"""Gateway -> two lines of Python for its official SDK; ``{url}`` is the mock's."""


def pointing(name: str, url: str, webhook_secret: str) -> list[str]:
    """How to use a gateway: two lines for its SDK, and what its webhooks are verified with."""
    lines = [f"{name}, with its Python SDK:", *(f"  {line.format(url=url)}" for line in CLIENTS[name])]
    if webhook_secret:
        what = "webhook id" if name == "paypal" else "HMAC key" if name == "adyen" else "webhook secret"
        lines.append(f"  {what}: {webhook_secret}")
    return lines


def trusting(authority: Path, url: str) -> list[str]:
    """How to have a client trust the mocks' own authority, of which this is the certificate."""
    return [
        f"These certificates are signed by an authority of this machine's own, {authority}; to trust it:",
        f"  Node:    export NODE_EXTRA_CA_CERTS={authority}",
        f"  Python:  export SSL_CERT_FILE={authority} REQUESTS_CA_BUNDLE={authority}",
        f'  Stripe:  stripe.ca_bundle_path = "{authority}"',
        f"  curl:    curl --cacert {authority} {url}/health",
    ]
