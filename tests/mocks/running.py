"""A gateway served on a loop thread, with everything it writes kept in memory."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlencode

from journal.clock import Clock
from journal.records import FaultEvent, GatewayRequest, Movement, Record
from journal.writer import Writer
from mocks.faults import FaultPlan
from mocks.gateways.gateway import Gateway
from mocks.gateways.service import GatewayService
from mocks.proxy.service import ProxyService
from tests.mocks.serving import LoopThread

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=GatewayService | ProxyService)


class Memory(Writer):
    """A writer that keeps the records."""

    def __init__(self, on_write: Callable[[Record], None] = lambda record: None) -> None:
        super().__init__(Path("unused"), "unused")
        self.records: list[Record] = []
        self._on_write = on_write

    def write(self, record: Record) -> None:
        self.records.append(record)
        self._on_write(record)


class ServiceRun(Generic[S]):
    """A service on a loop thread, from ``with`` to its end."""

    def __init__(self, service: S, plan: dict[str, object], writer: Memory) -> None:
        self.plan = plan
        self.thread = LoopThread()
        self.service = service
        self.writer = writer
        self._open: list[http.client.HTTPConnection | socket.socket] = []

    def __enter__(self) -> Self:
        self.thread.__enter__()
        try:
            self.ready = self.thread.wait(self.service.start(self.plan))
        except BaseException:
            self.thread.wait(self.service.stop())
            self.thread.__exit__(None, None, None)
            raise
        self.port = self.ready["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread.call(lambda: self.service.go(Clock.starting_now(), self.writer))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._open:
            connection.close()
        assert self.service.server is not None
        self.thread.wait(self.service.server.stop(0))
        self.thread.wait(self.service.stop())
        self.thread.__exit__(kind, error, trace)

    @property
    def requests(self) -> list[GatewayRequest]:
        return self._records(GatewayRequest)

    @property
    def fault_events(self) -> list[FaultEvent]:
        return self._records(FaultEvent)

    def _records(self, kind: type[R]) -> list[R]:
        # Asked on the loop, so that a request whose answer has just been read has been written down, too.
        return self.thread.call(lambda: [r for r in self.writer.records if isinstance(r, kind)])

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition, asked on the service's own loop."""
        give_up = time.monotonic() + 20
        while not self.thread.call(condition):
            assert time.monotonic() < give_up, f"waited in vain until {what}"
            time.sleep(0.002)

    def connection(self) -> http.client.HTTPConnection:
        """A client's connection; closed with the service at the latest."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self._open.append(connection)
        return connection


class Running(ServiceRun[GatewayService]):
    """One gateway, from ``with`` to its end."""

    def __init__(
        self,
        kind: str,
        *,
        p50_ms: float = 0,
        p99_ms: float | None = None,
        seed: int = 7,
        faults: tuple[FaultPlan, ...] = (),
        on_write: Callable[[Record], None] = lambda record: None,
        **plan: object,
    ) -> None:
        p99_ms = p50_ms if p99_ms is None else p99_ms
        whole: dict[str, object] = {
            "gateway": kind,
            "seed": seed,
            "latency": {"p50_ns": int(p50_ms * 1e6), "p99_ns": int(p99_ms * 1e6)},
            "faults": [fault.message() for fault in faults],
            **plan,
        }
        super().__init__(GatewayService(), whole, Memory(on_write))

    @property
    def gateway(self) -> Gateway:
        assert self.service.gateway is not None
        return self.service.gateway

    @property
    def movements(self) -> list[Movement]:
        return self._records(Movement)


Answer = tuple[int, dict[str, str], dict[str, Any]]


def stripe_call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    parameters: Mapping[str, object] | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One call of the Stripe mock without its SDK."""
    sent = {"Authorization": "Bearer sk_test_1", "Content-Type": "application/x-www-form-urlencoded"}
    if key is not None:
        sent["Idempotency-Key"] = key
    body = urlencode(parameters or {})
    if method == "GET" and body:
        path, body = f"{path}?{body}", ""
    connection.request(method, path, body=body or None, headers=sent | dict(headers or {}))
    return _answer(connection)


def adyen_call(
    connection: http.client.HTTPConnection,
    path: str,
    body: object,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One call of the Adyen mock without its SDK."""
    sent = {"X-API-Key": "key", "Content-Type": "application/json"}
    if key is not None:
        sent["Idempotency-Key"] = key
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, body=data, headers=sent | dict(headers or {}))
    return _answer(connection)


def _answer(connection: http.client.HTTPConnection) -> Answer:
    with connection.getresponse() as response:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, json.loads(response.read())


def stripe_payment(order: str = "o1", card: str = "pm_card_visa", amount: int = 1290) -> dict[str, object]:
    """Parameters of a PaymentIntent that is confirmed at once."""
    return {
        "amount": amount,
        "currency": "eur",
        "confirm": "true",
        "payment_method": card,
        "metadata[order_id]": order,
    }


def adyen_payment(order: str = "o1", value: int = 1290, **method: object) -> dict[str, Any]:
    """Body of a card payment."""
    return {
        "merchantAccount": "PaydrillECOM",
        "reference": order,
        "amount": {"currency": "EUR", "value": value},
        "paymentMethod": {
            "type": "scheme",
            "encryptedCardNumber": "test_4111111145551142",
            "encryptedExpiryMonth": "test_03",
            "encryptedExpiryYear": "test_2030",
            "encryptedSecurityCode": "test_737",
            **method,
        },
    }
