"""The platform's HTTP interface: what it accepts, and how it says what happened."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from mocks.http import Exchange, Request
from mocks.platform.entry import Entry
from mocks.platform.inbox import Inbox, LaterError
from mocks.platform.janitor import Janitor
from mocks.platform.payment import Payment, Refund, Status, payment_id
from mocks.platform.payments import ConflictError, Payments
from mocks.platform.refunds import RefundRefusedError, Refunds
from mocks.platform.store import StoreError
from mocks.platform.vault import INSTRUMENTS
from mocks.platform.webhooks import ForgedError, Notice

KEY_LIMIT = 255
"""The longest idempotency key and order id, in characters."""

AMOUNT_LIMIT = 99_999_999
"""The largest amount of one payment in minor units, which is Stripe's."""

PAGE_LIMIT = 1000
"""The most payments on one page of the ledger."""

_STATUS: dict[Status, int] = {
    "succeeded": 201,
    "declined": 402,
    "failed": 503,
    "unknown": 202,
    "pending": 202,
}
_CURRENCY = re.compile(r"[A-Z]{3}")
# A checkout also sends who buys what. It is taken and not kept: nothing here depends on it.
_PAYMENT_FIELDS = frozenset(
    {"order_id", "amount_minor", "currency", "method", "instrument", "customer", "cart"}
)
_RECEIVED = b'{"received":true}'
_REPLAYED = (("Idempotent-Replayed", "true"),)


class BadInputError(Exception):
    """The request can't be understood; ``field`` names the part of it."""

    def __init__(self, message: str, field: str, status: int = 400) -> None:
        super().__init__(message)
        self.field = field
        self.status = status


class App:
    """Routes requests to payments and refunds; an application of ``mocks.http.Server``.

    - ``POST /payments``: 201 succeeded, 402 declined, 202 pending or unknown, 503 failed; 400, 409
    - ``GET /payments/{id}``: 200; 404
    - ``POST /payments/{id}/refunds``: 201 succeeded, 202 unknown, 503 failed; 400, 404, 409, 422
    - ``POST /webhooks/{gateway}``: 200 acted on; 400 not signed by the gateway, 404 not listened to, 503 to
      be delivered again
    - ``GET /ledger?after=<cursor>&limit=<1..1000>``: 200
    - ``GET /health``: 200

    The first two POSTs need an ``Idempotency-Key``. A request whose client has gone is carried on all the
    same. The ledger names a gateway and a reference only where it claims that money moved, or that a gateway
    collects it.
    """

    def __init__(self, payments: Payments, refunds: Refunds, janitor: Janitor, inbox: Inbox) -> None:
        self.payments = payments
        self.refunds = refunds
        self.janitor = janitor
        self.inbox = inbox
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, exchange: Exchange) -> None:
        try:
            self._route(exchange)
        except BadInputError as error:
            _refuse(exchange, error.status, str(error), error.field)

    async def finish(self, grace: float) -> None:
        """Wait for what is under way, at most ``grace`` seconds; what is cut off is found out about by the
        janitor of the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _route(self, exchange: Exchange) -> None:
        request = exchange.request
        parts = request.path.strip("/").split("/")
        match parts:
            case ["payments"]:
                _allow(request, "POST")
                self._run(exchange, self._pay(exchange, self._asked(request)))
            case ["payments", id]:
                _allow(request, "GET")
                payment = self._known(unquote(id))
                _answer(exchange, 200, _payment_body(payment))
            case ["payments", id, "refunds"]:
                _allow(request, "POST")
                self._run(
                    exchange,
                    self._refund(
                        exchange, self._known(unquote(id)).id, _key(request), _refund_amount(request)
                    ),
                )
            case ["webhooks", gateway]:
                _allow(request, "POST")
                self._webhook(exchange, gateway)
            case ["ledger"]:
                _allow(request, "GET")
                self._ledger(exchange)
            case ["health"]:
                _allow(request, "GET")
                self._health(exchange)
            case _:
                raise BadInputError("there is nothing here", "path", 404)

    def _webhook(self, exchange: Exchange, gateway: str) -> None:
        request = exchange.request
        if not self.inbox.listens_to(gateway):
            raise BadInputError("no webhooks of such a gateway are taken here", "path", 404)
        if self.inbox.certified(gateway, request.headers):
            self._read(exchange, gateway)
        else:
            self._run(exchange, self._certify(exchange, gateway))

    async def _certify(self, exchange: Exchange, gateway: str) -> None:
        try:
            await self.inbox.certify(gateway, exchange.request.headers)
            self._read(exchange, gateway)
        except LaterError as error:
            _refuse(exchange, 503, str(error), "")
        except ForgedError as error:
            _refuse(exchange, 400, str(error), "signature")
        except BadInputError as error:
            _refuse(exchange, error.status, str(error), error.field)

    def _read(self, exchange: Exchange, gateway: str) -> None:
        request = exchange.request
        try:
            notices = self.inbox.read(gateway, request.headers, request.body, time.time())
        except ForgedError as error:
            raise BadInputError(str(error), "signature") from None
        except ValueError:
            raise BadInputError("the body is not what the gateway sends", "body") from None
        try:
            done = self.inbox.hear(gateway, notices)
        except StoreError:
            raise BadInputError("the store cannot be read", "", 503) from None
        if done:
            exchange.answer(200, _RECEIVED)
        else:
            self._run(exchange, self._take(exchange, gateway, notices))

    async def _take(self, exchange: Exchange, gateway: str, notices: tuple[Notice, ...]) -> None:
        try:
            await self.inbox.take(gateway, notices)
        except LaterError as error:
            _refuse(exchange, 503, str(error), "")
        else:
            exchange.answer(200, _RECEIVED)

    def _asked(self, request: Request) -> Payment:
        asked = _payment(request)
        if not self.payments.takes(asked.method, asked.currency):
            raise BadInputError(f"no gateway takes {asked.method} in {asked.currency}", "method")
        return asked

    def _run(self, exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._guarded(exchange, work)))

    async def _guarded(self, exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConflictError as error:
            _refuse(exchange, 409, str(error), "Idempotency-Key")
        except RefundRefusedError as error:
            _refuse(exchange, 422, str(error), "amount_minor")
        except StoreError:
            # Nothing was stored, so nothing was done: the caller may safely try again.
            _refuse(exchange, 503, "the store cannot be written", "")
        except Exception as error:
            sys.stderr.write(f"platform: {exchange.request.path} raised {type(error).__name__}\n")
            _refuse(exchange, 500, "internal error", "")
        finally:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.discard(task)

    async def _pay(self, exchange: Exchange, asked: Payment) -> None:
        payment, replayed = await self.payments.create(asked)
        _answer(exchange, _STATUS[payment.status], _payment_body(payment), replayed)

    async def _refund(self, exchange: Exchange, id: str, key: str, amount_minor: int | None) -> None:
        refund, replayed = await self.refunds.create(id, key, amount_minor)
        _answer(exchange, _STATUS[refund.status], _refund_body(refund), replayed)

    def _known(self, id: str) -> Payment:
        payment = self.payments.store.payment(id)
        if payment is None:
            raise BadInputError("there is no such payment", "id", 404)
        return payment

    def _ledger(self, exchange: Exchange) -> None:
        """All payments, then the other entries: a cursor that starts with ``e`` is one of those."""
        query = parse_qs(exchange.request.query)
        limit = _number(query, "limit", PAGE_LIMIT, 1, PAGE_LIMIT)
        others = query.get("after", [""])[-1].startswith("e")
        store = self.payments.store
        following: str | None
        if others:
            query["after"] = [query["after"][-1][1:]]
            rows, cursor = store.entries(_number(query, "after", 0, 0, 2**62), limit)
            entries = [_entry_body(row) for row in rows]
            following = None if cursor is None else f"e{cursor}"
        else:
            payments, cursor = store.page(_number(query, "after", 0, 0, 2**62), limit)
            entries = [_ledger_body(payment) for payment in payments]
            following = "e0" if cursor is None else str(cursor)
            if cursor is None and not store.entries(0, 1)[0]:
                following = None
        _answer(exchange, 200, {"entries": entries, "next": following})

    def _health(self, exchange: Exchange) -> None:
        shares = self.payments.shares()
        gateways = {
            name: {"breaker": gateway.breaker.state, "share_served": round(shares[name], 4)}
            for name, gateway in self.payments.gateways.items()
        }
        body = {"status": "ok", "unresolved": self.janitor.unresolved}
        body |= {"unsettled": self.janitor.unsettled, "gateways": gateways}
        _answer(exchange, 200, body)


def _allow(request: Request, method: str) -> None:
    if request.method != method and not (method == "GET" and request.method == "HEAD"):
        raise BadInputError(f"only {method} works here", "method", 405)


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= KEY_LIMIT:
        raise BadInputError(
            f"an Idempotency-Key header of 1 to {KEY_LIMIT} characters is needed", "Idempotency-Key"
        )
    return key


def _object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise BadInputError("the body is no JSON", "body") from None
    if not isinstance(body, dict):
        raise BadInputError("the body must be a JSON object", "body")
    return body


def _payment(request: Request) -> Payment:
    """The payment that a request asks for. Unknown fields are refused: they are typing errors."""
    key = _key(request)
    body = _object(request)
    unknown = body.keys() - _PAYMENT_FIELDS
    if unknown:
        raise BadInputError("there is no such field", min(unknown))
    if not isinstance(body.get("customer", {}), dict):
        raise BadInputError("customer must be an object", "customer")
    if not isinstance(body.get("cart", []), list):
        raise BadInputError("cart must be a list", "cart")
    order_id = body.get("order_id")
    if not isinstance(order_id, str) or not 1 <= len(order_id) <= KEY_LIMIT or not order_id.isprintable():
        raise BadInputError(f"order_id must be 1 to {KEY_LIMIT} printable characters", "order_id")
    currency = body.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise BadInputError("currency must be three capital letters (ISO 4217)", "currency")
    token = body.get("instrument")
    instrument = INSTRUMENTS.get(token) if isinstance(token, str) else None
    if instrument is None:
        raise BadInputError("instrument must be a token of the vault", "instrument")
    if body.get("method") != instrument.method:
        raise BadInputError(f"method must be {instrument.method} for this instrument", "method")
    amount = _amount(body)
    return Payment(payment_id(key), order_id, amount, currency, instrument.method, instrument.token)


def _refund_amount(request: Request) -> int | None:
    if not request.body:
        return None
    body = _object(request)
    unknown = body.keys() - {"amount_minor"}
    if unknown:
        raise BadInputError("there is no such field", min(unknown))
    return _amount(body) if "amount_minor" in body else None


def _amount(body: dict[str, Any]) -> int:
    amount = body.get("amount_minor")
    if type(amount) is not int or not 1 <= amount <= AMOUNT_LIMIT:
        raise BadInputError(
            f"amount_minor must be a whole number of minor units, 1 to {AMOUNT_LIMIT}", "amount_minor"
        )
    return amount


def _number(query: dict[str, list[str]], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        raise BadInputError(f"{name} must be a whole number from {low} to {high}", name)
    return int(text)


def _payment_body(payment: Payment) -> dict[str, Any]:
    # Before there is a reference, the gateway is only where the money may be.
    body: dict[str, Any] = {
        "id": payment.id,
        "order_id": payment.order_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "status": payment.status,
        "gateway": payment.gateway,
        "reference": payment.reference,
    }
    if payment.decline_code:
        body["decline_code"] = payment.decline_code
    if payment.error:
        body["error"] = payment.error
    return body


def _ledger_body(payment: Payment) -> dict[str, Any]:
    known = payment.status == "succeeded" or payment.accepted
    return {
        "kind": "payment",
        "id": payment.id,
        "order_id": payment.order_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "status": payment.status,
        "gateway": payment.gateway if known else "",
        "reference": payment.reference if known else "",
        "refunded_minor": payment.refunded_minor,
    }


def _entry_body(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "id": f"{entry.kind}-{entry.gateway}-{entry.reference}",
        "order_id": entry.order_id,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "status": "succeeded",
        "gateway": entry.gateway,
        "reference": entry.reference,
        "refunded_minor": 0,
    }


def _refund_body(refund: Refund) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "amount_minor": refund.amount_minor,
        "status": refund.status,
    }
    if refund.error:
        body["error"] = refund.error
    return body


def _answer(exchange: Exchange, status: int, body: dict[str, Any], replayed: bool = False) -> None:
    exchange.answer(status, orjson.dumps(body), headers=_REPLAYED if replayed else ())


def _refuse(exchange: Exchange, status: int, message: str, field: str) -> None:
    exchange.answer(status, orjson.dumps({"error": {"message": message, "field": field}}))
