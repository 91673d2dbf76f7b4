"""What every admin interface does alike: routes, errors, and whom it listens to."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from mocks.exchange import Exchange, Request
from mocks.loopback import is_loopback

Body = dict[str, Any]
Handler = Callable[[Request], Body]
Routes = Mapping[tuple[str, str], Handler]
"""Method and path -> what answers it. A path that ends in ``/{id}`` stands for every last segment there;
``last_segment`` is what was sent."""


class AdminError(Exception):
    """A request that cannot be followed; the text is for its sender.

    Attributes:
        status: The HTTP status.
        field: The part of the body that is wrong; empty when it is none.
    """

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.field = field


class AdminInterface:
    """An application of ``mocks.http.Server`` that answers JSON by its routes.

    Whoever reaches the port can do anything, so a server of it listens on loopback, or has a token. Web pages
    are kept out even there: a request that a browser sends for another site carries an ``Origin``, or, if the
    site's name has been made to resolve to this machine, that name as its ``Host``.

    Args:
        routes: What it answers.
        token: What a request must carry as ``Authorization: Bearer <token>``; empty for nothing.
    """

    def __init__(self, routes: Routes, token: str = "") -> None:
        self.routes = routes
        self._token = token

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request."""
        request = exchange.request
        try:
            self._admit(request)
            status, body = 200, self._handler(request)(request)
        except AdminError as error:
            status, body = error.status, {"error": str(error)}
            if error.field:
                body["field"] = error.field
        exchange.answer(status, orjson.dumps(body))

    def _admit(self, request: Request) -> None:
        if self._token:
            sent = request.headers.get("authorization", "")
            if not hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
                raise AdminError(401, "this admin interface wants its token: Authorization: Bearer <token>")
        elif not is_loopback(_host(request)) or "origin" in request.headers:
            raise AdminError(
                403, "an admin interface without a token answers this machine only, and no web page"
            )

    def _handler(self, request: Request) -> Handler:
        for path in (request.path, f"{request.path.rpartition('/')[0]}/{{id}}"):
            if (request.method, path) in self.routes:
                return self.routes[request.method, path]
        known = any(path == request.path for _, path in self.routes)
        raise AdminError(405 if known else 404, f"there is no {request.method} {request.path[:200]}")


def check_host(host: str, token: str) -> None:
    """Refuse to serve an admin interface on another address than loopback without a token.

    Raises:
        ValueError: It would be.
    """
    if not is_loopback(host) and not token:
        raise ValueError(f"an admin interface on {host} can be reached from other machines: it needs a token")


def last_segment(request: Request) -> str:
    """What stands for ``{id}`` in the path."""
    return unquote(request.path.rpartition("/")[2])


def json_body(request: Request, like: str) -> Body:
    """The JSON object that was sent; ``like`` is an example for who sent something else.

    Raises:
        AdminError: It is none.
    """
    try:
        sent = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise AdminError(400, f"the body must be JSON like {like}") from error
    if not isinstance(sent, dict):
        raise AdminError(400, f"the body must be JSON like {like}")
    return sent


def _host(request: Request) -> str:
    """The name in the ``Host`` header, without the port; this machine's when there is no such header."""
    host = request.headers.get("host", "localhost")
    return host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
