"""PayPal's own SDK, pointed at a mock, and the requests that tests send with it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from paypalserversdk.configuration import (  # type: ignore[import-untyped,unused-ignore]
    Configuration,
    Environment,
    Server,
)
from paypalserversdk.exceptions.error_exception import (  # type: ignore[import-untyped,unused-ignore]
    ErrorException,
)
from paypalserversdk.http.auth.o_auth_2 import (  # type: ignore[import-untyped,unused-ignore]
    ClientCredentialsAuthCredentials,
)
from paypalserversdk.paypal_serversdk_client import (  # type: ignore[import-untyped,unused-ignore]
    PaypalServersdkClient,
)

from tests.mocks.running import Running

__all__ = ["Client", "ErrorException", "call", "issue", "moved", "order_request", "refused", "token"]

OPTIONS = ("paypal_request_id", "prefer", "paypal_mock_response")

Answer = tuple[int, dict[str, str], Any]


class Client:
    """The SDK's client of a running mock.

    Attributes:
        orders: The SDK's orders controller.
        payments: The SDK's payments controller.
    """

    def __init__(self, running: Running, secret: str = "secret") -> None:
        class Pointed(Configuration):  # type: ignore[misc]
            environments = {Environment.SANDBOX: {Server.DEFAULT: running.url}}  # noqa: RUF012

        credentials = ClientCredentialsAuthCredentials("client", secret)
        self.sdk = PaypalServersdkClient(config=Pointed(client_credentials_auth_credentials=credentials))
        self.running = running
        self.orders = self.sdk.orders
        self.payments = self.sdk.payments

    def close(self) -> None:
        """Close the SDK's connections."""
        self.sdk.config.http_client.session.close()

    def create(self, order: str = "o1", value: str = "12.90", **more: Any) -> Any:
        """An order; ``more`` are options of the SDK, or of ``order_request``."""
        options: dict[str, Any] = {name: more.pop(name) for name in OPTIONS if name in more}
        return self.orders.create_order(options | {"body": order_request(order, value, **more)}).body

    def approve(self, created: Any) -> http.client.HTTPResponse:
        """Follow the link to the payer's page, as a browser does."""
        href = next(link.href for link in created.links if link.rel in ("approve", "payer-action"))
        connection = self.running.connection()
        parts = urlsplit(href)
        assert parts.netloc == f"127.0.0.1:{self.running.port}"
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        response.read()
        return response

    def approved(self, order: str = "o1", value: str = "12.90", **more: Any) -> str:
        """An order that its payer has approved; returns PayPal's id."""
        created = self.create(order, value, **more)
        assert self.approve(created).status in (200, 302)
        return str(created.id)

    def captured(self, order: str = "o1", value: str = "12.90", **more: Any) -> Any:
        """An order that has been captured; returns the capture."""
        paid = self.orders.capture_order({"id": self.approved(order, value, **more)}).body
        return paid.purchase_units[0].payments.captures[0]


def order_request(
    order: str = "o1",
    value: str = "12.90",
    *,
    intent: str = "CAPTURE",
    currency: str = "EUR",
    **more: Any,
) -> dict[str, Any]:
    """Body of an order with one purchase unit."""
    unit = {"custom_id": order, "amount": {"currency_code": currency, "value": value}}
    return {"intent": intent, "purchase_units": [unit], **more}


def moved(running: Running, order: str) -> list[tuple[str, int]]:
    """Kind and amount of the movements of an order."""
    return [(m.kind, m.amount_minor) for m in running.movements if m.order_id == order]


def refused(action: Any, options: dict[str, Any]) -> ErrorException:
    """The SDK's exception for an error that PayPal answers with."""
    with pytest.raises(ErrorException) as caught:
        action(options)
    error = caught.value
    assert error.debug_id == error.response.headers["paypal-debug-id"]
    return error


def issue(action: Any, options: dict[str, Any]) -> tuple[int, str]:
    """HTTP status and issue of the SDK's exception."""
    error = refused(action, options)
    return error.response_code, error.details[0].issue


def token(running: Running) -> str:
    """An access token, fetched without the SDK."""
    headers = {
        "Authorization": "Basic Y2xpZW50OnNlY3JldA==",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    _, _, body = call(
        running, "POST", "/v1/oauth2/token", b"grant_type=client_credentials", headers, bearer=""
    )
    return str(body["access_token"])


def call(
    running: Running,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    *,
    bearer: str | None = None,
) -> Answer:
    """One call without the SDK, on a connection of its own. ``bearer`` is a token; empty sends none, and
    None fetches one."""
    sent = {"Content-Type": "application/json"}
    bearer = token(running) if bearer is None else bearer
    if bearer:
        sent["Authorization"] = f"Bearer {bearer}"
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection = running.connection()
    connection.request(method, path, body=data, headers=sent | dict(headers or {}))
    with connection.getresponse() as response:
        text = response.read()
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, json.loads(text) if text else None
