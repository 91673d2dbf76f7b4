"""A gateway that does as it is told: in Stripe's words or in Adyen's, on a real socket, with a ledger."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import parse_qs

import orjson

from mocks.http import Exchange, Server

Step = Literal[
    "ok",  # carry it out and answer
    "reset",  # reset the connection, carry nothing out
    "commit_reset",  # carry it out, then reset the connection
    "hang",  # neither answer nor carry out: the key is in use until `finish`
    "500",  # answer 500, carry nothing out
    "504",  # answer 504, carry it out when `finish` says so
    "commit_500",  # carry it out, answer 500; a replay gets the truth
    "401",
    "429",
    "garbage",  # carry it out, answer with something that is no answer
]


class FakeGateway:
    """What happens to charges is scripted: one step per charge that arrives, ``ok`` when there is none."""

    def __init__(self, name: Literal["stripe", "adyen"]) -> None:
        self.name = name
        self.script: deque[Step] = deque()
        self.refund_script: deque[Step] = deque()
        self.look_ups_fail = False
        self.fences_fail = False
        self.delay = 0.0  # seconds from carrying out to answering
        self.captures: list[tuple[str, str, int]] = []  # order, reference, amount
        self.refunds: list[tuple[str, int]] = []  # reference of the capture, amount
        self.seen: list[tuple[str, str]] = []  # what, idempotency key
        self.chaos: Callable[[], Step] | None = None  # draws the steps of what is not scripted
        self.intents: list[dict[str, Any]] = []
        self._saved: dict[str, tuple[bytes, int, bytes]] = {}
        self._in_use: dict[str, Exchange] = {}
        self._given_up: set[str] = set()
        self.server = Server(self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def charges(self) -> list[str]:
        """The idempotency keys of the charges that arrived."""
        return [key for what, key in self.seen if what == "charge"]

    def fences(self) -> list[str]:
        """The idempotency keys of the fences that arrived."""
        return [key for what, key in self.seen if what == "fence"]

    def finish(self, *, carry_out: bool) -> None:
        """End what hangs; its caller has gone, or hears of it."""
        for key, exchange in list(self._in_use.items()):
            del self._in_use[key]
            if carry_out:
                status, body = self._charge(exchange, key)
            if key in self._given_up:
                self._given_up.remove(key)
            elif carry_out:
                exchange.answer(status, body)
            elif not exchange.lost:
                exchange.reset()

    def _serve(self, exchange: Exchange) -> None:
        request = exchange.request
        key = request.headers.get("idempotency-key", "")
        if request.method == "GET" and request.path.endswith("/search"):
            self.seen.append(("look_up", ""))
            order = parse_qs(request.query)["query"][0].split("'")[3]
            data = [intent for intent in self.intents if intent["metadata"]["order_id"] == order]
            status = 500 if self.look_ups_fail else 200
            exchange.answer(status, orjson.dumps({"object": "list", "data": data, "has_more": False}))
        elif request.path.endswith("/cancel"):
            self.seen.append(("cancel", ""))
            exchange.answer(200, b'{"status": "canceled"}')
        elif "refund" in request.path:
            self.seen.append(("refund", key))
            self._step(exchange, key, self._next(self.refund_script))
        else:
            fence = self.name == "stripe" and b"confirm=true" not in request.body
            self.seen.append(("fence" if fence else "charge", key))
            step = self._next(self.script) if not fence else "500" if self.fences_fail else "ok"
            self._step(exchange, key, step)

    def _next(self, script: deque[Step]) -> Step:
        if script:
            return script.popleft()
        return self.chaos() if self.chaos is not None else "ok"

    def _step(self, exchange: Exchange, key: str, step: Step) -> None:
        if step == "500":
            return self._error(exchange, 500)
        if step == "401":
            return self._error(exchange, 401)
        if step == "429":
            return self._error(exchange, 429)
        if step == "reset":
            return exchange.reset()
        if key in self._in_use:
            return self._error(exchange, 409 if self.name == "stripe" else 422, "704")
        if key in self._saved:
            body, status, answer = self._saved[key]
            if body != exchange.request.body:
                return self._error(exchange, 400)
            exchange.answer(status, answer, headers=(("Idempotent-Replayed", "true"),))
            return None
        if step in ("hang", "504"):
            self._in_use[key] = exchange
            if step == "504":
                self._given_up.add(key)
                self._error(exchange, 504)
            return None
        status, answer = self._charge(exchange, key)
        if step == "commit_reset":
            exchange.reset()
        elif step == "commit_500":
            self._error(exchange, 500)
        elif step == "garbage":
            exchange.answer(200, b"<html>")
        elif self.delay:
            asyncio.get_running_loop().call_later(self.delay, exchange.answer, status, answer)
        else:
            exchange.answer(status, answer)
        return None

    def _error(self, exchange: Exchange, status: int, code: str = "") -> None:
        kind = "idempotency_error" if status == 400 else "api_error"
        body: dict[str, Any] = {"error": {"type": kind}} if self.name == "stripe" else {"errorCode": code}
        exchange.answer(status, orjson.dumps(body))

    def _charge(self, exchange: Exchange, key: str) -> tuple[int, bytes]:
        """Carry out a charge, a fence or a refund, and save the answer under the key."""
        path, body = exchange.request.path, exchange.request.body
        carry_out = self._stripe if self.name == "stripe" else self._adyen
        status, answer = carry_out(path, body)
        self._saved[key] = (body, status, orjson.dumps(answer))
        return status, orjson.dumps(answer)

    def _stripe(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if "refund" in path:
            self.refunds.append((form["payment_intent"], int(form["amount"])))
            return 200, {"id": f"re_{len(self.refunds)}", "status": "succeeded"}
        metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
        intent: dict[str, Any] = {"id": f"pi_{len(self.intents)}", "metadata": metadata}
        self.intents.append(intent)
        if form.get("confirm") != "true":
            intent["status"] = "requires_payment_method"
        elif "Declined" in form["payment_method"]:
            error = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}
            intent |= {"status": "requires_payment_method", "last_payment_error": dict(error)}
            return 402, {"error": {**error, "payment_intent": dict(intent)}}
        else:
            intent["status"] = "succeeded"
            self.captures.append((metadata["order_id"], intent["id"], int(form["amount"])))
        return 200, intent

    def _adyen(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        request = orjson.loads(body)
        if "refund" in path:
            self.refunds.append((path.split("/")[3], request["amount"]["value"]))
            return 201, {"pspReference": f"R{len(self.refunds)}", "status": "received"}
        reference = f"PSP{len(self._saved)}"
        if request["paymentMethod"]["holderName"] == "NOT_ENOUGH_BALANCE":
            return 200, {"pspReference": reference, "resultCode": "Refused", "refusalReasonCode": "12"}
        self.captures.append((request["reference"], reference, request["amount"]["value"]))
        return 200, {"pspReference": reference, "resultCode": "Authorised"}


@asynccontextmanager
async def fakes() -> AsyncIterator[tuple[FakeGateway, FakeGateway]]:
    """Stripe and Adyen, served until the end of the block.

    They are closed even when a test fails: uvloop warns of what was left open in a place where a warning
    that is an error makes it hang.
    """
    stripe, adyen = FakeGateway("stripe"), FakeGateway("adyen")
    try:
        await stripe.server.start()
        await adyen.server.start()
        yield stripe, adyen
    finally:
        await stripe.server.stop(0)
        await adyen.server.stop(0)
