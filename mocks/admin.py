"""The admin interface of a mock gateway: what truly happened in it, its faults and its clock.

It listens on a loopback port of its own, so that no fault of the gateway touches it and no path of the
gateway's API is taken. `docs/admin-api.yaml` describes it (OpenAPI 3.1). Amounts are in the minor unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from urllib.parse import parse_qsl

from mocks.admin_interface import AdminError, AdminInterface, Body, Routes, json_body
from mocks.exchange import Request
from mocks.gateways.gateway import Gateway

LARGEST_PAGE = 1000
FURTHEST_S = 10 * 366 * 86_400
"""The clock goes forward by ten years at a time at most: further, whole seconds of a float lose meaning."""


class Admin(AdminInterface):
    """The admin application of one gateway; to be served on loopback only.

    Args:
        gateway: Whose state it shows.
        reset: Makes everything as it was at the start; that of the gateway alone when left out.
        faults: The routes of its faults; none when left out.
        token: See ``AdminInterface``.
    """

    def __init__(
        self,
        gateway: Gateway,
        reset: Callable[[], None] | None = None,
        faults: Routes | None = None,
        token: str = "",
    ) -> None:
        self._gateway = gateway
        self._begin_anew = gateway.begin_anew if reset is None else reset
        routes: Routes = {
            ("GET", "/"): self._overview,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/movements"): self._movements,
            ("GET", "/events"): self._events,
            ("GET", "/webhooks"): self._webhooks,
            ("GET", "/clock"): self._clock,
            ("POST", "/clock/advance"): self._advance,
            ("POST", "/reset"): self._reset,
        }
        super().__init__({**routes, **(faults or {})}, token)

    def _overview(self, request: Request) -> Body:
        gateway = self._gateway
        return {
            "gateway": gateway.name,
            "seed": gateway.seed,
            "url": gateway.server.url if gateway.server is not None else None,
            "movements": len(gateway.ledger),
            "events": gateway.outbox.added,
            "kept": gateway.recorder is not None,
            "clock": self._clock(request),
            "routes": [f"{method} {path}" for method, path in self.routes],
        }

    def _reset(self, request: Request) -> Body:
        self._begin_anew()
        return self._overview(request)

    def _ledger(self, request: Request) -> Body:
        sums: dict[str, dict[str, int]] = {}
        for movement in self._gateway.ledger:
            of_currency = sums.setdefault(
                movement.currency, dict.fromkeys(("capture", "refund", "dispute", "fee", "payout"), 0)
            )
            of_currency[movement.kind] += movement.amount_minor
        return {"gateway": self._gateway.name, "movements": len(self._gateway.ledger), "sums": sums}

    def _movements(self, request: Request) -> Body:
        after, limit = _page(request)
        rows = list(islice(self._gateway.ledger, after, after + limit))
        return {
            # Run time means nothing to a caller of a mock that serves by hand; the order is what counts.
            "movements": [
                {name: value for name, value in row._asdict().items() if name != "at_ns"} for row in rows
            ],
            "next": after + len(rows),
        }

    def _events(self, request: Request) -> Body:
        after, limit = _page(request)
        outbox = self._gateway.outbox
        first = max(after, outbox.forgotten)
        start = first - outbox.forgotten
        rows = [outbox[place] for place in range(start, min(start + limit, len(outbox)))]
        return {
            "events": [
                {
                    "id": row.id,
                    "kind": row.kind,
                    "created": row.created,
                    "payload": row.payload().decode(),
                }
                for row in rows
            ],
            "next": first + len(rows),
        }

    def _webhooks(self, request: Request) -> Body:
        outbox = self._gateway.outbox
        return {
            "events": len(outbox) + outbox.forgotten,
            "waiting": outbox.waiting,
            "abandoned": outbox.abandoned,
            "held": outbox.held,
        }

    def _clock(self, request: Request) -> Body:
        clock = self._gateway.mock_clock
        return {"now": clock.now(), "ahead_s": clock.ahead}

    def _advance(self, request: Request) -> Body:
        seconds = json_body(request, '{"seconds": 86400}').get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            raise AdminError(400, 'the body must be JSON like {"seconds": 86400}')
        if not 0 <= seconds <= FURTHEST_S:
            raise AdminError(400, f"seconds must be from 0 to {FURTHEST_S}; the clock never goes back")
        fired = self._gateway.mock_clock.advance(seconds)
        return {**self._clock(request), "fired": fired}


def _page(request: Request) -> tuple[int, int]:
    """``after`` (how many to pass over) and ``limit`` of a query."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    values = {"after": 0, "limit": 100}
    for name, value in query.items():
        if name not in values:
            raise AdminError(400, f"there is no parameter {name[:40]!r}; there are after and limit")
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise AdminError(400, f"{name} must be a whole number, not {value[:40]!r}")
        values[name] = int(value)
    if not 1 <= values["limit"] <= LARGEST_PAGE:
        raise AdminError(400, f"limit must be from 1 to {LARGEST_PAGE}")
    return values["after"], values["limit"]
