"""All objects of one resource: find one by its identifier, list them page by page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl

from mocks.gateways.gocardless.errors import GoCardlessError, usage
from mocks.mock_clock import MockClock

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "created_at[gt]": lambda a, b: a > b,
    "created_at[gte]": lambda a, b: a >= b,
    "created_at[lt]": lambda a, b: a < b,
    "created_at[lte]": lambda a, b: a <= b,
}


class Row(Protocol):
    """An object of a resource. ``created`` is in Unix seconds."""

    @property
    def id(self) -> str: ...

    @property
    def created(self) -> float: ...


T = TypeVar("T", bound=Row)


class Query(NamedTuple):
    """What a list was asked for. ``filters`` are those of the resource, ``created`` tells a time by."""

    limit: int
    after: str
    before: str
    filters: dict[str, str]
    created: tuple[tuple[Callable[[float, float], bool], float], ...]

    def has(self, created: float) -> bool:
        """Whether a creation time is within the asked-for bounds."""
        return all(compare(created, bound) for compare, bound in self.created)


def query(text: str, filters: Iterable[str], *, timed: bool = True) -> Query:
    """Read a query string.

    Raises:
        GoCardlessError: 400 ``invalid_filters``: a filter that the resource does not have, or a value that
            makes no sense. That it is this reason is assumed.
    """
    known = set(filters)
    values: dict[str, str] = {}
    created = []
    for name, value in parse_qsl(text, keep_blank_values=True):
        if timed and name in _COMPARISONS:
            created.append((_COMPARISONS[name], _seconds(name, value)))
        elif name in known or name in ("limit", "after", "before"):
            values[name] = value
        else:
            raise usage("invalid_filters", f'Invalid filters ("{name[:80]}" is not a permitted key.)')
    asked = values.pop("limit", str(DEFAULT_LIMIT))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 5 and 1 <= int(asked) <= LARGEST_LIMIT):
        raise usage("invalid_filters", f"Invalid filters (limit must be from 1 to {LARGEST_LIMIT}.)")
    after, before = values.pop("after", ""), values.pop("before", "")
    return Query(int(asked), after, before, values, tuple(created))


def stamp(clock: MockClock) -> float:
    """Now, in Unix seconds to the millisecond: what is shown is what filters compare with."""
    return math.floor(clock.now() * 1000) / 1000


def timestamp(seconds: float) -> str:
    """Unix seconds as the API writes them: ``2014-05-08T17:01:06.000Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Collection(Generic[T]):
    """The objects of one resource, in the order of their creation.

    Args:
        resource: Its name, which wraps every answer.
        body: The API's object.
    """

    def __init__(self, resource: str, body: Callable[[T], dict[str, Any]]) -> None:
        self.resource = resource
        self.body = body
        self._rows: list[T] = []
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows)

    def add(self, row: T) -> T:
        self._places[row.id] = len(self._rows)
        self._rows.append(row)
        return row

    def find(self, name: str) -> T | None:
        place = self._places.get(name)
        return None if place is None else self._rows[place]

    def get(self, name: str) -> T:
        """The object that a path names. Raises GoCardlessError (404)."""
        row = self.find(name)
        if row is None:
            raise usage("resource_not_found", "Resource not found", 404)
        return row

    def linked(self, name: str) -> T:
        """The object that a link names. Raises GoCardlessError (404); the status is second-hand."""
        row = self.find(name)
        if row is None:
            raise usage("link_not_found", "Linked resource not found", 404)
        return row

    def one(self, row: T) -> dict[str, Any]:
        """The answer that shows one object."""
        return {self.resource: self.body(row)}

    def page(self, asked: Query, wanted: Callable[[T], bool]) -> dict[str, Any]:
        """The answer that shows a page, newest first. ``after`` is the cursor of the older page, null when
        there is none; ``before`` that of the newer one.

        Raises:
            GoCardlessError: 400: a cursor names no object.
        """
        newest = self._cursor(asked.after, len(self._rows))
        oldest = self._cursor(asked.before, -1)
        upwards = bool(asked.before) and not asked.after
        places = range(oldest + 1, newest) if upwards else range(newest - 1, oldest, -1)
        rows: list[T] = []
        more = False
        for place in places:
            row = self._rows[place]
            if asked.has(row.created) and wanted(row):
                if len(rows) == asked.limit:
                    more = True
                    break
                rows.append(row)
        if upwards:
            rows.reverse()
        newer, older = (more, bool(asked.before)) if upwards else (bool(asked.after), more)
        cursors = {
            "before": rows[0].id if rows and newer else None,
            "after": rows[-1].id if rows and older else None,
        }
        shown = [self.body(row) for row in rows]
        return {self.resource: shown, "meta": {"cursors": cursors, "limit": asked.limit}}

    def _cursor(self, name: str, default: int) -> int:
        if not name:
            return default
        place = self._places.get(name)
        if place is None:
            raise usage("invalid_filters", "Invalid filters (a cursor names no resource.)")
        return place


def _seconds(name: str, value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _no_time(name) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _no_time(name: str) -> GoCardlessError:
    return usage("invalid_filters", f'Invalid filters ("{name}" is no time in ISO 8601.)')
