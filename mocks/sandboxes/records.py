"""What a sandbox knows of a run: the movements that its own records show, and what they can't show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from journal.clock import SECOND
from journal.records import Movement
from mocks.outbound import Answer, Call, OutboundError

Ask = Callable[[Call], Awaitable[Answer]]
"""Sends a call, paced and authorised; raises OutboundError when there is no answer."""

MARGIN_S = 120.0
"""Listings begin so long before the run: the sandbox's clock is not ours. What is not of the run is left out
by its order id."""

_ATTEMPTS = 5
_MOST_PAGES = 10_000


UNREAD = "the records of the sandbox are not whole"
"""How the note begins that is left in the journal when they could not be read, or lack something."""

SOURCE = "the truth of this gateway was"
"""How the note begins that says where the records come from."""


class RecordsError(Exception):
    """The records could not be read; the text says why, without what was sent."""


@dataclass(frozen=True, slots=True)
class Run:
    """The run whose records are wanted.

    Attributes:
        id: The prefix of its order ids.
        since: When it began, in Unix seconds.
    """

    id: str
    since: float

    def owns(self, order_id: str) -> bool:
        """Whether an order is of this run: planned, or made by its probes."""
        return order_id.startswith((f"{self.id}-", f"probe-{self.id}-"))

    @property
    def listed_from(self) -> int:
        """From when on payments are listed, in Unix seconds."""
        return int(self.since - MARGIN_S)


@dataclass(frozen=True, slots=True)
class Records:
    """What was found.

    Attributes:
        movements: Of this run; ``at_ns`` counts from the Unix epoch.
        payments: How many payments were looked at.
        others: How many of them are not of this run.
        source: Where it comes from, as a clause: "listed from ...".
        unknown: What these records can't show, whatever they hold, a sentence each.
        missing: What this run's records lack for the truth to be whole, as a sentence; empty if nothing.
    """

    movements: tuple[Movement, ...]
    payments: int
    others: int
    source: str
    unknown: tuple[str, ...]
    missing: str = ""


def counted(records: Records) -> str:
    """Where the records come from and what they can't show, as the note in the journal."""
    others = f", {records.others:,} of them not of this run and left out" if records.others else ""
    return (
        f"{SOURCE} {records.source} ({records.payments:,} payments{others}). "
        f"It cannot be known: {'; '.join(records.unknown)}."
    )


async def get(
    ask: Ask, target: str, query: Mapping[str, str] | None = None, *, pause_s: float = 0.5
) -> dict[str, Any]:
    """A JSON object that the sandbox answers a GET with. Reads change nothing, so what fails for now (no
    answer, 429, 5xx) is asked again, with doubled pauses.

    Raises:
        RecordsError: It gave none.
    """
    call = Call("GET", f"{target}?{urlencode(query)}" if query else target)
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(pause_s * 2 ** (attempt - 1))
        try:
            answer = await ask(call)
        except OutboundError as error:
            reason = str(error)
            continue
        if answer.status == 200:
            try:
                body = orjson.loads(answer.body)
            except orjson.JSONDecodeError:
                body = None
            if not isinstance(body, dict):
                raise RecordsError(f"GET {target} did not answer with a JSON object")
            return body
        reason = f"HTTP {answer.status}"
        if answer.status != 429 and answer.status < 500:
            break
    raise RecordsError(f"GET {target}: {reason}")


async def pages(
    ask: Ask,
    target: str,
    query: Mapping[str, str],
    items: Callable[[dict[str, Any]], list[Any]],
    following: Callable[[dict[str, Any]], Mapping[str, str]],
) -> AsyncIterator[dict[str, Any]]:
    """The items of a list over all its pages.

    Args:
        ask: Reaches the sandbox.
        target: The list.
        query: Of the first page.
        items: The items of a page. A KeyError or TypeError says that it is none.
        following: What the next page's query has in addition; empty after the last.

    Raises:
        RecordsError: A page could not be read, or the list has no end.
    """
    more: Mapping[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = await get(ask, target, {**query, **more})
        try:
            for item in items(page):
                yield item
            more = following(page)
        except (KeyError, TypeError, IndexError) as error:
            raise RecordsError(f"GET {target} did not answer with a list") from error
        if not more:
            return
    raise RecordsError(f"GET {target} has no end after {_MOST_PAGES:,} pages")


def unix_ns(text: str) -> int:
    """An ISO 8601 time of the wire (``2026-01-02T03:04:05.678Z``) in nanoseconds since the Unix epoch.

    Raises:
        ValueError: It is none.
    """
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000) * (
        SECOND // 1000
    )


def iso(unix: float) -> str:
    """Unix seconds as the wire wants them: ``2026-01-02T03:04:05.000Z``."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
