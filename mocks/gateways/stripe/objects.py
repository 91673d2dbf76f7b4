"""What Stripe's objects share: typed parameters, metadata, expansion, list pages."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.form import FormError, Parameters, listed

LARGEST_PAGE = 100


class Created(Protocol):
    """An object with a time of creation, in Unix seconds."""

    @property
    def created(self) -> int: ...


Row = TypeVar("Row", bound=Created)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list, newest first."""

    rows: list[Row]
    has_more: bool


def text(parameters: Parameters, name: str, *, required: bool = False) -> str | None:
    """A parameter that is text; None when it is left out or empty. Raises StripeError (400)."""
    value = parameters.get(name)
    if isinstance(value, dict):
        raise invalid("Invalid string: a structure was sent.", param=name)
    if not value:
        if required:
            raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
        return None
    return value


def integer(parameters: Parameters, name: str, *, required: bool = False) -> int | None:
    """A parameter that is a whole number. Raises StripeError (400)."""
    value = text(parameters, name, required=required)
    if value is None:
        return None
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise invalid(f"Invalid integer: {name}", param=name, code="parameter_invalid_integer")
    return int(value)


def boolean(parameters: Parameters, name: str) -> bool:
    """A parameter that is ``true`` or ``false``; false when left out. Raises StripeError (400)."""
    value = text(parameters, name)
    if value not in (None, "true", "false"):
        raise invalid(f"Invalid boolean: {name}", param=name)
    return value == "true"


def metadata(parameters: Parameters) -> dict[str, str]:
    """At most 50 pairs, names up to 40 and values up to 500 characters. Raises StripeError (400)."""
    node = parameters.get("metadata", "")
    if node == "":
        return {}
    if isinstance(node, str):
        raise invalid("Invalid object", param="metadata")
    pairs: dict[str, str] = {}
    for name, value in node.items():
        if not isinstance(value, str) or len(node) > 50:
            raise invalid("Metadata must be at most 50 plain values.", param="metadata")
        pairs[name] = value
        if len(name) > 40 or len(value) > 500:
            raise invalid(
                "Metadata: a name of more than 40 or a value of more than 500 characters", param="metadata"
            )
    return pairs


def expansions(parameters: Parameters, allowed: frozenset[str]) -> frozenset[str]:
    """What ``expand`` asks for. Raises StripeError (400) for what cannot be expanded here."""
    if "expand" not in parameters:
        return frozenset()
    try:
        asked = listed(parameters["expand"])
    except FormError as error:
        raise invalid("Invalid array", param="expand") from error
    for name in asked:
        if not isinstance(name, str) or name not in allowed:
            raise invalid(f"This property cannot be expanded ({str(name)[:60]}).", param="expand")
    return frozenset(str(name) for name in asked)


def below(expand: Collection[str], name: str) -> tuple[str, ...] | None:
    """What of ``expand`` concerns the inside of the property ``name``; None when it is not to be expanded."""
    inner: tuple[str, ...] | None = None
    for path in expand:
        if path == name:
            inner = inner or ()
        elif path.startswith(name) and path[len(name)] == ".":
            inner = (*(inner or ()), path[len(name) + 1 :])
    return inner


def known_only(parameters: Parameters, known: frozenset[str]) -> None:
    """Raises StripeError (400) when a parameter is not one that the endpoint knows."""
    if known >= parameters.keys():
        return
    for name in parameters:
        if name not in known:
            raise invalid(
                f"Received unknown parameter: {name[:60]}", param=name[:60], code="parameter_unknown"
            )


def page_of(
    parameters: Parameters, rows: Sequence[Row], cursor: Callable[[str, str], tuple[int, int]]
) -> Page[Row]:
    """The page that ``limit``, ``starting_after``, ``ending_before`` and ``created`` ask for.

    Args:
        parameters: Of the request.
        rows: Oldest first.
        cursor: Object id and parameter name -> the number of rows older than that object, and the number of
            rows that are not newer.

    Raises:
        StripeError: 400 for a limit outside of 1 to 100, or two cursors.
    """
    limit = integer(parameters, "limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= LARGEST_PAGE:
        raise invalid(f"Limit must be from 1 to {LARGEST_PAGE}.", param="limit")
    after, before = text(parameters, "starting_after"), text(parameters, "ending_before")
    if after is not None and before is not None:
        raise invalid("starting_after and ending_before exclude each other.", param="starting_after")
    wanted = _created_filter(parameters)
    if before is not None:
        _, newer = cursor(before, "ending_before")
        page = _take((rows[place] for place in range(newer, len(rows))), limit, wanted)
        return Page(page.rows[::-1], page.has_more)
    end = len(rows) if after is None else cursor(after, "starting_after")[0]
    return _take((rows[place] for place in range(end - 1, -1, -1)), limit, wanted)


def listing(url: str, page: Page[Row], body: Callable[[Row], Any]) -> dict[str, Any]:
    """The API's ``list``."""
    return {
        "object": "list",
        "url": url,
        "has_more": page.has_more,
        "data": [body(row) for row in page.rows],
    }


def place_in(rows: Sequence[Any], place: int) -> tuple[int, int]:
    """How many rows have a ``place`` below this one, and how many not above it. Rows stand in the order of
    their places."""
    key = attrgetter("place")
    return bisect.bisect_left(rows, place, key=key), bisect.bisect_right(rows, place, key=key)


def _take(rows: Iterator[Row], limit: int, wanted: Callable[[int], bool]) -> Page[Row]:
    some: list[Row] = []
    for row in rows:
        if wanted(row.created):
            if len(some) == limit:
                return Page(some, True)
            some.append(row)
    return Page(some, False)


def _created_filter(parameters: Parameters) -> Callable[[int], bool]:
    node = parameters.get("created")
    if node is None or node == "":
        return lambda created: True
    if isinstance(node, str):
        exact = integer(parameters, "created")
        return lambda created: created == exact
    bounds: dict[str, int] = {}
    for name in node:
        value = integer(node, name)
        if name not in ("gt", "gte", "lt", "lte") or value is None:
            raise StripeError(400, "invalid_request_error", "Invalid range", param="created")
        bounds[name] = value
    return lambda created: (
        created > bounds.get("gt", created - 1)
        and created >= bounds.get("gte", created)
        and created < bounds.get("lt", created + 1)
        and created <= bounds.get("lte", created)
    )
