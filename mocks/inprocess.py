"""The gateways inside a test's own process: no server, no port, the same state.

``respx`` answers what an ``httpx`` client sends to a gateway's host; the answer comes from the same gateway
that ``paydrill mock`` serves, with its ledger, its idempotency keys, its errors, its events
(``g.stripe.outbox``) and its clock (``g.stripe.mock_clock.advance(seconds)``), at once::

    with gateways("stripe", "adyen") as g:
        pay(...)  # code of yours that calls https://api.stripe.com with httpx
        assert [movement.amount_minor for movement in g.stripe.ledger] == [1290]

The gateways end with the block; fees that are booked as a sum are booked then. No webhook is delivered: there
is no server to deliver it to, and a test can read the events instead.

A call to any other host fails the test (``respx``'s ``AllMockedAssertionError``); add routes of your own to
``g.router``. Needs ``respx``: ``pip install paydrill[inprocess]``. Clients that don't use ``httpx`` are not
reached; for these, run ``paydrill mock``.
"""

from __future__ import annotations

import time
from types import TracebackType

import httpx
import respx

from mocks.exchange import Exchange, Request, complain
from mocks.gateways import GATEWAYS
from mocks.gateways.gateway import Gateway
from mocks.latency import Latency
from mocks.transmission import Transmission

BASE_URLS = {
    "stripe": "https://api.stripe.com",
    "adyen": "https://checkout-test.adyen.com",
    "paypal": "https://api-m.sandbox.paypal.com",
    "gocardless": "https://api-sandbox.gocardless.com",
}
"""Where the gateways' official clients send test traffic by default."""


class InProcess:
    """Gateways behind ``respx``, from ``__enter__`` to ``__exit__``; made by ``gateways``.

    Attributes:
        router: The ``respx`` router, for routes besides the gateways' and for ``router.calls``.
    """

    def __init__(self, mocked: dict[str, Gateway], base_urls: dict[str, str]) -> None:
        self._gateways = mocked
        self.router = respx.MockRouter(assert_all_called=False)
        for name, gateway in mocked.items():
            url = httpx.URL(base_urls[name])
            port = url.port or {"http": 80, "https": 443}[url.scheme]
            route = self.router.route(scheme=url.scheme, host=url.host, port=port, name=name)
            route.mock(side_effect=_Answers(gateway, url.path.rstrip("/")))

    def __getattr__(self, name: str) -> Gateway:
        """A gateway by its name: ``g.stripe``."""
        try:
            return self._gateways[name]
        except KeyError:
            raise AttributeError(f"no gateway {name!r} here; there are {', '.join(self._gateways)}") from None

    def __getitem__(self, name: str) -> Gateway:
        """A gateway by its name, where that is in a variable: ``g["stripe"]``."""
        return self._gateways[name]

    def __enter__(self) -> InProcess:
        self.router.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.router.stop(quiet=True)
        for gateway in self._gateways.values():
            gateway.close()
            gateway.mock_clock.clear()


def gateways(*names: str, seed: int = 1, base_urls: dict[str, str] | None = None) -> InProcess:
    """Put gateways behind ``respx`` for the length of a ``with`` statement; each time with an empty ledger.

    Args:
        names: Of ``GATEWAYS``; all of them when none is given.
        seed: Settles the identifiers: the n-th one is the same for the same seed.
        base_urls: Name -> base URL, where a client uses another than ``BASE_URLS``.

    Raises:
        ValueError: There is no such gateway, or a base URL is not one of http or https with a host.
    """
    urls = {**BASE_URLS, **(base_urls or {})}
    chosen = names or tuple(GATEWAYS)
    for name in (*chosen, *(base_urls or ())):
        if name not in GATEWAYS:
            raise ValueError(f"there is no gateway {name!r}; the gateways are {', '.join(GATEWAYS)}")
    for name in chosen:
        url = httpx.URL(urls[name])
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{urls[name]!r} is not the base URL of an HTTP service")
    return InProcess({name: GATEWAYS[name].make(name, Latency(0, 0), seed) for name in chosen}, urls)


class _Wire:
    """A connection that ends in this process; what an exchange needs of one."""

    stopping = False

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.was_reset = False

    def flush(self) -> None:
        """Nothing to do: the answer is read from the exchange."""

    def transmit(self, exchange: Exchange, transmission: Transmission) -> None:
        """Nobody here could see an answer arrive in pieces: it counts as one that doesn't come."""
        transmission.lose()

    def reset(self) -> None:
        self.was_reset = True


class _Answers:
    """Answers requests of ``httpx`` by a gateway; a side effect of a ``respx`` route."""

    def __init__(self, gateway: Gateway, prefix: str) -> None:
        self._gateway = gateway
        self._prefix = prefix

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ReadError where the gateway resets the connection, httpx.ReadTimeout where it does not
        answer at once."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        received = Request(
            request.method,
            path.removeprefix(self._prefix),
            query,
            dict(request.headers.items()),
            request.content,
            time.monotonic_ns(),
        )
        wire = _Wire(request.url.scheme)
        exchange = Exchange(received, wire, keep_alive=True, old=False)
        try:
            # A synchronous test has no event loop to wake the clock; each request does.
            self._gateway.mock_clock.fire_due()
            self._gateway(exchange)
        except Exception as error:
            complain(received, error)
            if not exchange.answered:
                exchange.answer(500, b"internal error\n", content_type="text/plain")
        if wire.was_reset:
            raise httpx.ReadError("the gateway reset the connection", request=request)
        if exchange.reply is None:
            raise httpx.ReadTimeout("the gateway did not answer", request=request)
        return _response(exchange.reply)


def _response(reply: bytes) -> httpx.Response:
    """The response that these bytes of HTTP/1.1 are, as ``Exchange`` writes them."""
    head, _, body = reply.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _, value = line.partition(b": ")
        headers.append((name, value))
    return httpx.Response(int(status.split(b" ")[1]), headers=headers, content=body)
